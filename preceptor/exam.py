"""The exam: the only door to the sealed test, and the only judge of what comes through it.

    table = open_seal(sealed, ledger, "the exam")            # the ledger knows before anyone has looked
    exam = judge(truth, scores, shipped="blend", net="net", best_rival="boosting", dumb="dumb",
                 metric=metric, metrics=metrics)
    ledger.write("exam", **exam.event(titles))

Who ships and which rival is the best were settled on validation rows; here nothing is chosen any more,
so the sealed rows stay a clean measure (textbook P1).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from preceptor.data.table import Table
from preceptor.errors import Mistake
from preceptor.finding import Finding
from preceptor.intervals import interval, paired_interval
from preceptor.ledger import Ledger
from preceptor.metrics import Metric
from preceptor.split import Sealed

Array = np.ndarray
SHUFFLES, SHUFFLED_ROWS = 199, 20_000
Verdict = Literal["better", "as_good", "worse", "chance"]


def open_seal(sealed: Sealed, ledger: Ledger, reason: str, *, again: bool = False) -> Table:
    """The sealed rows. The opening is written into the ledger, with its reason, before anyone looks.

    A second opening needs `again=True` and is told in the report for ever; without it, it is the Mistake
    "seal-already-broken". An opening whose exam never came to its end (the process was killed) has shown
    nothing to anybody: it is taken up again, not counted twice.
    """
    openings = ledger.of("opening")
    if openings and ledger.of("exam") and not again:
        raise Mistake(
            "seal-already-broken",
            f"The seal of this run was broken on {openings[0]['at'][:10]}: {openings[0]['reason']}.",
            where=str(ledger.path or ""),
            why="Rows that have been looked at once can no longer tell how good a later model is.",
            todo="Examine on new rows; or say --again, and the report will confess the second opening.",
        )
    if again or not openings:
        ledger.write("opening", nth=len(openings) + 1, reason=reason, rows=sealed.count)
    return sealed._break()


@dataclass(frozen=True)
class Mark:
    """A score and the range that holds it on rows never seen."""

    score: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Difference:
    """How much better (above 0) or worse one is than another on the same rows, in the metric's unit."""

    value: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Exam:
    """What the sealed rows said.

    `marks` holds every candidate's mark by name and `metrics` the shipped one's by every metric;
    `contender` is who `difference` and `verdict` compare with the best `rival`: what ships, or the net
    where a rival ships.
    """

    metric: Metric
    confidence: float
    shipped: str
    contender: str
    rival: str
    marks: dict[str, Mark]
    metrics: dict[str, Mark]
    difference: Difference
    verdict: Verdict
    findings: tuple[Finding, ...] = ()

    def event(self, titles: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The exam as a line of the ledger; `titles` say what each candidate is called."""
        titles = titles or {}
        others = [name for name in self.marks if name != self.shipped]
        facts = {
            "metric": self.metric.name,
            "title": self.metric.title,
            **asdict(self.marks[self.shipped]),
            "metrics": {name: asdict(mark) for name, mark in self.metrics.items()},
            "rivals": [
                {"name": name, "title": titles.get(name, name), **asdict(self.marks[name])} for name in others
            ],
            "rival": self.rival,
            "difference": asdict(self.difference),
            "verdict": self.verdict,
        }
        return _plain(facts)


def judge(
    truth: Array,
    scores: Mapping[str, Array],
    *,
    shipped: str,
    net: str | None,
    best_rival: str,
    dumb: str,
    metric: Metric,
    metrics: Mapping[str, Metric],
    groups: Array | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Exam:
    """Mark every candidate's scores of the sealed rows, and give the verdict on what ships.

    "chance": what ships is not surely better than the dumb predictor, or than its own answers shuffled.
    Else the contender (what ships, or the net where that rival ships) is "better" or "worse" than the
    best rival when the paired difference is surely not 0, and "as_good" in between. A metric that these
    rows cannot give (ranking rows of one class) is replaced by the first one of `metrics` that they can,
    and a finding says so.
    """
    papers = _Papers(truth, scores, groups, confidence, seed)
    taken = _possible(metric, metrics, truth, scores[shipped])
    contender = net if net and shipped == best_rival else shipped
    difference = papers.compared(contender, best_rival, taken)
    learnt = papers.compared(shipped, dumb, taken).interval[0] > 0 and papers.beat_luck(shipped, taken)
    names = (shipped, contender, best_rival)
    marks = {name: papers.mark(name, taken) for name in scores}
    every = {name: papers.mark(shipped, by) for name, by in metrics.items()}
    verdict = _verdict(difference) if learnt else "chance"
    findings = () if taken is metric else (_replaced(metric, taken, len(truth)),)
    return Exam(taken, confidence, *names, marks, every, difference, verdict, findings)


@dataclass(frozen=True)
class _Papers:
    """Everybody's answers to the sealed rows, and how sure a mark must be."""

    truth: Array
    scores: Mapping[str, Array]
    groups: Array | None
    confidence: float
    seed: int

    def mark(self, name: str, metric: Metric) -> Mark:
        ends = interval(self.truth, self.scores[name], metric, **self._sure)
        return Mark(self._score(name, metric), ends)

    def compared(self, name: str, other: str, metric: Metric) -> Difference:
        better = self._score(name, metric) - self._score(other, metric)
        ends = paired_interval(self.truth, self.scores[name], self.scores[other], metric, **self._sure)
        return Difference(better if metric.higher_is_better else -better, ends)

    def beat_luck(self, name: str, metric: Metric) -> bool:
        """Whether a share is higher than the same answers reach on shuffled rows (a permutation test).

        The dumb predictor does not show that for an F1: there answers drawn by lot beat the most frequent.
        """
        if not metric.trials:
            return True
        rng = np.random.default_rng(self.seed)
        rows = rng.permutation(len(self.truth))[:SHUFFLED_ROWS]
        truth, answers = self.truth[rows], self.scores[name][rows]
        lucky = [metric.function(rng.permutation(truth), answers, None) for _ in range(SHUFFLES)]
        above = np.sum(np.array(lucky) >= metric.function(truth, answers, None))
        return bool((1 + above) / (1 + SHUFFLES) <= (1 - self.confidence) / 2)

    def _score(self, name: str, metric: Metric) -> float:
        return metric.function(self.truth, self.scores[name], None)

    @property
    def _sure(self) -> dict[str, Any]:
        return {"groups": self.groups, "confidence": self.confidence, "seed": self.seed}


def _possible(wanted: Metric, metrics: Mapping[str, Metric], truth: Array, scores: Array) -> Metric:
    """The wanted metric, or the first of `metrics` that these rows can give."""
    return next(m for m in (wanted, *metrics.values()) if np.isfinite(m.function(truth, scores, None)))


def _verdict(difference: Difference) -> Verdict:
    low, high = difference.interval
    if low > 0:
        return "better"
    return "worse" if high < 0 else "as_good"


def _replaced(wanted: Metric, taken: Metric, rows: int) -> Finding:
    return Finding(
        "exam-metric-undefined",
        "warning",
        f"The {rows:,} sealed rows cannot give the {wanted.title}: they do not hold every class.",
        evidence={"rows": rows, "wanted": wanted.name, "taken": taken.name},
        done=f"judged by the {taken.title} instead",
        remedy="Bring more rows, or a test file that holds rows of every class.",
    )


def result(
    exam: Exam,
    *,
    task: str,
    target: str,
    rows: Mapping[str, int],
    openings: int,
    seconds: float,
    findings: Sequence[Finding | Mapping[str, Any]],
) -> dict[str, Any]:
    """result.json: what other programs read of a run. JSON values only; a number that is none is null."""
    told = ("code", "severity", "column", "layer", "text")
    listed = [f.as_dict() if isinstance(f, Finding) else f for f in findings]
    return _plain(
        {
            "task": task,
            "target": target,
            "metric": exam.metric.name,
            "higher_is_better": exam.metric.higher_is_better,
            **asdict(exam.marks[exam.shipped]),
            "confidence": exam.confidence,
            "rival": {"name": exam.rival, **asdict(exam.marks[exam.rival])},
            "difference": asdict(exam.difference),
            "verdict": exam.verdict,
            "shipped": exam.shipped,
            "rows": dict(rows),
            "openings": openings,
            "seconds": seconds,
            "findings": [{key: f[key] for key in told if key in f} for f in listed],
        }
    )


def _plain(value: Any) -> Any:
    """The same with JSON values only: numpy's numbers as Python's, tuples as lists, NaN as null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value
