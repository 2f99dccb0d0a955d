"""The verdict: one sentence that a person repeats correctly, and who it is about.

verdict = Verdict(record)
verdict.headline       # "preceptor's prediction of price is typically off by 42,900 (41,700 to ..."
verdict.shipped        # "a blend of neural network and boosting"
"""

from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup

from preceptor.figures.words import interval_of, known, listed, share, shortened
from preceptor.report.evidence import Classes
from preceptor.report.record import Event, Record
from preceptor.report.sentences import name, say
from preceptor.report.yardstick import Yardstick

NETS = {"net", "network", "nets"}
DUMB = {"dumb", "chance", "mean", "majority", "constant"}


def _weight(candidate: Event) -> float:
    weight = candidate.get("weight")
    own = candidate.get("name") == "blend"
    return float(weight) if isinstance(weight, int | float) and known(weight) and not own else 0.0


@dataclass(frozen=True)
class Verdict:
    """What the exam says of a run, in words."""

    record: Record

    @cached_property
    def yardstick(self) -> Yardstick:
        """The metric that the run is judged by."""
        record, exam, result = self.record, self.record.exam, self.record.result
        metric = exam.get("metric") or result.get("metric") or record.last("candidates").get("metric") or ""
        if not metric:
            metric = {"number": "rmse", "series": "rmse", "two-class": "roc_auc", "tags": "macro_f1"}.get(
                record.task, "accuracy"
            )
        return Yardstick.of(
            record.task,
            metric,
            record.target,
            str(exam.get("title") or ""),
            bool(result.get("higher_is_better")),
        )

    @cached_property
    def titles(self) -> dict[str, str]:
        """What each predictor is called."""
        named = [*self.record.of("rival"), *self.record.last("candidates").get("list", [])]
        named += [*self.record.exam.get("rivals", [])]
        return {str(one.get("name")): str(one.get("title") or one.get("name")) for one in named}

    @property
    def word(self) -> str:
        """One of "better", "as_good", "worse", "chance"; empty before the exam."""
        return str(self.record.exam.get("verdict") or self.record.result.get("verdict") or "")

    @property
    def ships(self) -> str:
        """The name of what `predict` uses; empty when nothing was chosen yet."""
        return str(self.record.last("candidates").get("shipped") or self.record.result.get("shipped") or "")

    @property
    def ships_rival(self) -> bool:
        """Whether a classical method answers, neither the net nor a blend with it."""
        return bool(self.ships) and self.ships not in NETS and self.ships != "blend"

    @cached_property
    def shipped(self) -> str:
        """What `predict` uses, in words: "the neural network", "a blend of net (70 %) and forest (30 %)"."""
        title = self.titles.get(self.ships, self.ships)
        if self.ships in DUMB:
            return f"guessing ({title})"
        if self.ships_rival or not self.ships:
            return title
        if self.ships != "blend":
            return f"the {self.titles.get(self.ships, 'neural network')}"
        parts = [one for one in self.record.last("candidates").get("list", []) if _weight(one) > 0]
        weighed = [f"{self.titles[str(one.get('name'))]} ({share(_weight(one), (0, 0.2))})" for one in parts]
        return f"a blend of {listed(weighed)}" if len(weighed) > 1 else "a blend"

    @cached_property
    def best_rival(self) -> Event:
        """The rival that what ships is compared with: name, title, score, interval; empty without any.

        Where a rival ships it is the net that is compared with it, and the line is the net's.
        """
        lines = [r for r in self.record.exam.get("rivals", []) if known(r.get("score"))]
        if self.ships_rival:
            return next((r for r in lines if r.get("name") in NETS), {})
        rivals = [r for r in lines if r.get("name") not in NETS]
        rivals = [r for r in rivals if r.get("name") not in DUMB] or rivals
        sign = 1 if self.yardstick.higher_is_better else -1
        named = self.record.exam.get("rival") or (self.record.result.get("rival") or {}).get("name")
        ranked = sorted(rivals, key=lambda r: (r.get("name") == named, sign * r["score"]), reverse=True)
        return ranked[0] if ranked else {}

    @property
    def rival(self) -> str:
        """What the best rival is called in a sentence; empty where there was nobody to compare with."""
        if self.best_rival.get("name") in DUMB:
            return "always answering the same"
        return str(self.best_rival.get("title") or self.best_rival.get("name") or "")

    @property
    def dumb(self) -> Event:
        """The dumb predictor's line of the exam; empty where it was not examined."""
        return next((r for r in self.record.exam.get("rivals", []) if r.get("name") in DUMB), {})

    @property
    def headline(self) -> Markup:
        """The verdict in one sentence."""
        if not known(self.record.exam.get("score")):
            return self._unexamined()
        if self.word == "chance":
            return say(
                "No better than chance: these inputs do not tell {target}.", target=name(self.record.target)
            )
        return say("{performance}{clause}", performance=self.performance, clause=self._clause())

    def _unexamined(self) -> Markup:
        if self.record.stopped:
            return say("No verdict: the run was stopped before the sealed rows were opened.")
        return say("No verdict yet: the sealed rows have not been opened.")

    @property
    def performance(self) -> Markup:
        """How good the answers are, in half a sentence."""
        exam, measure = self.record.exam, self.yardstick
        score, interval = float(exam["score"]), interval_of(exam.get("interval"))
        told = _PERFORMANCE.get(measure.name, "preceptor predicts {target} with {title} {score}{range}")
        between = measure.between(interval, score).replace(" ", "\u00a0") if interval else ""
        said = measure.said(score, interval)
        return say(
            told,
            target=name(self.record.target),
            pair=self._pair,
            title=measure.short,
            things=f"{self.record.thing}s",
            score=said,
            range=f" ({between})" if interval else "",
            hundred=said.removesuffix(PERCENT_SIGN),
            hundreds=f" ({between.removesuffix(PERCENT_SIGN)})" if interval else "",
        )

    @property
    def _pair(self) -> Markup:
        """Two rows of different classes, for two classes."""
        rows = self.record.evidence
        words = {"target": name(self.record.target), "thing": self.record.thing}
        if not isinstance(rows, Classes) or len(rows.names) != 2:
            return say("two {thing}s that differ in {target}", **words)
        no, yes = (shortened(one, 24) for one in rows.names)
        return say("one {thing} with {target} “{no}” and one with “{yes}”", no=no, yes=yes, **words)

    def _clause(self) -> Markup:
        if self.ships_rival and not self.best_rival:
            return say(". The answers come from {shipped}; no network was trained.", shipped=self.shipped)
        template = (_PLAINER if self.ships_rival else _CLAUSES).get(self.word)
        if not template or not self.rival:
            return say(".")
        best = "" if self.best_rival.get("name") in DUMB else "the best rival, "
        gap = (self.record.exam.get("difference") or {}).get("value")
        by = f", by {self.yardstick.gap(gap, self._gap_interval)}" if known(gap) and gap else ""
        return say(template, rival=best + self.rival, shipped=self.shipped, by=by)

    @property
    def _gap_interval(self) -> tuple[float, float] | None:
        return interval_of((self.record.exam.get("difference") or {}).get("interval"))

    @property
    def difference(self) -> Markup:
        """How sure the difference from the best rival is; empty where it was not measured."""
        gap, interval = (self.record.exam.get("difference") or {}).get("value"), self._gap_interval
        if not known(gap) or not interval or not self.rival or self.ships_rival:
            return Markup("")
        side = "better" if gap > 0 else "worse"
        if interval[0] <= 0 <= interval[1]:
            told = "It is {side} than {rival} by {gap}, but luck may explain that ({range})."
        else:
            told = "It is {side} than {rival} by {gap} ({range}), more than luck explains."
        if gap < 0:
            interval = (-interval[1], -interval[0])
        words = {"side": side, "rival": self.rival, "gap": self.yardstick.gap(gap, interval)}
        return say(told, range=self.yardstick.gaps(interval), **words)


PERCENT_SIGN = "\u00a0%"
_PERFORMANCE = {
    "rmse": "preceptor’s prediction of {target} is typically off by {score}{range}",
    "mae": "preceptor’s prediction of {target} is off by {score} on average{range}",
    "mse_standardised": "preceptor’s forecast of {target} has a squared error of {score} spreads{range}",
    "mae_standardised": "preceptor’s forecast of {target} is off by {score} spreads on average{range}",
    "r2": "preceptor explains {score} of the differences in {target}{range}",
    "accuracy": "preceptor answers {target} rightly in {hundred} of 100 {things}{hundreds}",
    "roc_auc": "Given {pair}, preceptor tells which is which {hundred} times in 100{hundreds}",
    "macro_f1": "preceptor predicts {target} with an F1 of {score}{range}, every class counted alike",
}
_CLAUSES = {  # by verdict: what is said when the net, or a blend with it, answers
    "better": ", better than {rival}{by}.",
    "as_good": ", as good as {rival}: what lies between them may be luck.",
    "worse": ", worse than {rival}{by}.",
}
_PLAINER = {  # and when a classical method answers
    "better": ". The answers come from {shipped}, though the network did better here{by}.",
    "as_good": ". The answers come from {shipped}; the network is no better.",
    "worse": ". The answers come from {shipped}; the network did worse{by}.",
}
