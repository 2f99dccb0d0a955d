"""Makes run folders as a run leaves them, without running: every task, verdict and stopping point.

folder = RunFolder(tmp_path, task="two-class", verdict="better").write()
folder = RunFolder(tmp_path, until="train").write()         # stopped after training
"""

import io
import json
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from preceptor.ledger import Ledger
from preceptor.screen import Screen

STAGES = [
    "start",
    "read",
    "kinds",
    "findings",
    "split",
    "rivals",
    "checks",
    "train",
    "candidates",
    "exam",
    "cost",
]
CLASSES = {
    "two-class": ["<=50K", ">50K"],
    "many-class": ["setosa", "versicolor", "virginica", "Königskerze & Co"],
    "tags": ["drama", "comedy", "sci-fi", "<i>noir</i>"],
}
METRICS = {
    "number": ("rmse", "typical error (RMSE)", False),
    "two-class": ("roc_auc", "ranking (ROC AUC)", True),
    "many-class": ("accuracy", "accuracy", True),
    "tags": ("macro_f1", "F1, every tag alike", True),
    "series": ("rmse", "typical error (RMSE)", False),
}
RIVALS = [("dumb", "always the same"), ("linear", "linear"), ("forest", "forest"), ("boosting", "boosting")]
NET = ("net", "neural network")
COLUMNS = [
    "latitude",
    "longitude",
    "median_income",
    "ocean_proximity",
    "housing_median_age",
    "total_rooms",
    "population",
    "households",
    "total_bedrooms",
    "größe_in_m²",
]

FINDINGS = [
    {
        "code": "missing-values",
        "severity": "note",
        "column": "total_bedrooms",
        "text": "207 of 20,640 values are missing in total_bedrooms.",
        "done": "A missing value counts as the median, and a flag says that it was missing.",
        "evidence": {"missing": 207},
    },
    {
        "code": "capped-target",
        "severity": "warning",
        "column": "median_house_value",
        "text": "965 answers are exactly 500,001, the highest value: they seem to have been capped.",
        "done": "Nothing: the rows were kept as they are.",
        "remedy": "Leave these rows out if the true values matter: above 500,000 no prediction can be right.",
    },
    {
        "code": "overfitting",
        "severity": "warning",
        "text": "The validation loss rises from epoch 31 on while the training loss falls.",
        "done": "The weights of epoch 31 were kept.",
        "remedy": "More rows, or a higher dropout rate.",
    },
]


@dataclass
class RunFolder:
    """A run's folder to be. `until` is the last stage that was reached; `stopped` that Ctrl-C ended it."""

    folder: Path
    task: str = "number"
    verdict: str = "better"
    shipped: str = "blend"
    until: str = "cost"
    stopped: bool = False
    target: str = "median_house_value"
    columns: list[str] = field(default_factory=lambda: list(COLUMNS))
    findings: list[dict] = field(default_factory=lambda: list(FINDINGS))
    rows: int = 4128
    epochs: int = 42
    folds: int = 5
    openings: int = 1
    classes: list[str] | None = None
    series: tuple[str, ...] = ("load",)
    steps: int = 12
    seed: int = 0

    def write(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.random = np.random.default_rng(self.seed)
        self.clock = 0.0
        self.events: list[dict] = []
        self.names = self.classes or CLASSES.get(self.task, [])
        self.metric, self.title, self.higher = METRICS[self.task]
        for stage in STAGES[: STAGES.index(self.until) + 1]:
            getattr(self, f"_{stage}")()
        if self.stopped:
            self._event("interrupted", 0.1, stage="train")
        lines = [json.dumps(event, ensure_ascii=False) for event in self.events]
        (self.folder / "ledger.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        (self.folder / "plan.json").write_text(
            json.dumps({"target": self.target, "minutes": 5}), encoding="utf-8"
        )
        return self.folder

    def _event(self, event: str, passed: float, /, **facts: object) -> None:
        self.clock += passed
        self.events.append(
            {"event": event, "at": "2026-03-01T10:00:00+00:00", "seconds": round(self.clock, 3), **facts}
        )

    # ------------------------------------------------------------------ scores that belong together

    def _scores(self) -> dict[str, float]:
        """Everyone's score: the net's place follows from the verdict."""
        ladder = [115300, 68100, 49300, 46800] if not self.higher else [0.5, 0.881, 0.904, 0.917]
        scores = dict(zip((name for name, _ in RIVALS), ladder, strict=True))
        ours = {"better": 1.0, "as_good": 0.1, "worse": -1.0, "chance": 0.0}[self.verdict]
        step = 0.012 if self.higher else -3900
        best = scores["dumb"] if self.verdict == "chance" else scores["boosting"]
        if self.verdict == "chance":
            scores = {name: best * (1 + 0.001 * n) for n, name in enumerate(scores)}
        return scores | {"net": best + ours * step, "blend": best + ours * step}

    def _interval(self, score: float) -> list[float]:
        half = 0.006 if self.higher else score * 0.028
        return [score - half, score + half]

    def _scored(self, name: str, title: str) -> dict:
        score = self._scores()[name]
        return {"name": name, "title": title, "score": score, "interval": self._interval(score)}

    # ------------------------------------------------------------------ the stages

    def _start(self) -> None:
        machine = {"cores": 2, "memory_gb": 24.0, "python": "3.11.9", "torch": "2.13.0", "threads": 1}
        self._event(
            "start",
            0.0,
            version="0.1.0",
            source="houses.csv",
            target=self.target,
            minutes=5,
            seed=0,
            folder=str(self.folder),
            machine=machine,
            resumed=False,
        )

    def _read(self) -> None:
        self._event(
            "read",
            1.3,
            rows=20640,
            left_out={"no answer": 12, "wrong number of fields": 3},
            misfit_counts={self.columns[0]: 2},
            columns=len(self.columns) + 1,
            fingerprint="9f2c",
        )

    def _kinds(self) -> None:
        columns = [{"column": c, "kind": "number", "role": "input", "why": "numbers"} for c in self.columns]
        columns.append({"column": self.target, "kind": "number", "role": "target", "why": "asked for"})
        columns.append({"column": "id", "kind": "text", "role": "ignored", "why": "every value is different"})
        self._event("kinds", 0.4, columns=columns, task=self.task)

    def _findings(self) -> None:
        for finding in self.findings:
            self._event("finding", 0.1, **finding)

    def _split(self) -> None:
        self._event(
            "split",
            0.3,
            train=12384,
            validation=4128,
            test=self.rows,
            folds=self.folds,
            how="at random, identical rows on one side",
            expected="expect the final score to within ±3 %",
            expected_halfwidth=0.03,
            expected_relative=True,
        )

    def _rivals(self) -> None:
        for name, title in RIVALS:
            self._event("rival", 9.0, **self._scored(name, title), rows=12384)

    def _checks(self) -> None:
        for name, passed, text in (
            ("starting-loss", True, "loss at start 1.00 (expected 1.00)"),
            ("one-batch", True, "overfits 64 rows"),
            ("shuffled-labels", True, "shuffled answers stay at chance"),
            ("reached", True, "gradients reach every layer"),
        ):
            self._event("check", 1.0, name=name, passed=passed, text=text, evidence={})

    def _train(self) -> None:
        for key, value, why in (
            ("pace", [1, 0.43], "seconds an epoch"),
            ("lesson", [self.folds, self.epochs], ""),
        ):
            self._event("decision", 0.2, key=key, value=value, why=why)
        lines = []
        for fold in range(self.folds):
            for epoch in range(1, self.epochs + 1):
                train = 0.32 * np.exp(-epoch / 9) + 0.1 + 0.004 * self.random.random()
                validation = train + 0.07 + max(0, epoch - 31) * 0.003 + 0.006 * self.random.random()
                lines.append(
                    {
                        "fold": fold,
                        "epoch": epoch,
                        "step": epoch * 48,
                        "learning_rate": 2e-3,
                        "train_loss": train,
                        "validation_loss": validation,
                        "validation_score": 43000.0,
                        "gradient_norm": 0.7,
                        "seconds": 0.4 * epoch,
                    }
                )
            self._event(
                "train",
                28.0,
                fold=fold,
                epochs=self.epochs,
                best_epoch=min(31, self.epochs),
                took=28.0,
                stopped="patience",
                score=self._scores()["net"],
            )
        pl.DataFrame(lines).write_parquet(self.folder / "history.parquet")
        score = self._scores()["net"]
        self._event(
            "remedy",
            4.0,
            code="more-dropout",
            text="dropout 0.1 → 0.2",
            before=score * 1.02,
            after=score,
            kept=True,
        )

    def _candidates(self) -> None:
        weights = {"net": 0.7, "boosting": 0.3} if self.shipped == "blend" else {self.shipped: 1.0}
        lines = [
            self._scored(name, title) | {"weight": weights.get(name, 0.0)} for name, title in [NET, *RIVALS]
        ]
        self._event(
            "candidates",
            1.0,
            metric=self.metric,
            list=lines,
            shipped=self.shipped,
            why="It has the best score on validation rows.",
        )

    def _exam(self) -> None:
        for nth in range(1, self.openings + 1):
            self._event("opening", 0.1, nth=nth, reason="the exam" if nth == 1 else "curiosity")
        scores = self._scores()
        ours, best = scores.get(self.shipped, scores["net"]), scores["boosting"]
        contender = scores["net"] if self.shipped in ("boosting", "forest", "dumb") else ours
        gap = (contender - best) if self.higher else (best - contender)
        wide = 0.004 if self.higher else 800
        difference = {"value": gap, "interval": [gap - wide, gap + wide]}
        metrics = {self.metric: {"score": ours, "interval": self._interval(ours)}}
        metrics |= {
            "number": {"r2": {"score": 0.861, "interval": [0.852, 0.869]}},
            "two-class": {
                "accuracy": {"score": 0.873, "interval": [0.868, 0.878]},
                "log_loss": {"score": 0.28, "interval": [0.27, 0.29]},
            },
        }.get(self.task, {})
        self._event(
            "exam",
            2.0,
            metric=self.metric,
            title=self.title,
            score=ours,
            interval=self._interval(ours),
            metrics=metrics,
            rivals=[self._scored(*one) for one in [*RIVALS, NET] if one[0] != self.shipped],
            difference=difference,
            verdict=self.verdict,
        )
        self._answers()
        self._look(ours)
        rows = {"read": 20640, "dropped": 15, "train": 12384, "validation": 4128, "test": self.rows}
        result = {
            "task": self.task,
            "target": self.target,
            "metric": self.metric,
            "higher_is_better": self.higher,
            "score": ours,
            "interval": self._interval(ours),
            "confidence": 0.95,
            "rival": self._scored("boosting", "boosting"),
            "difference": difference,
            "verdict": self.verdict,
            "shipped": self.shipped,
            "rows": rows,
            "openings": self.openings,
            "seconds": 277.0,
            "findings": self.findings,
        }
        (self.folder / "result.json").write_text(json.dumps(result), encoding="utf-8")

    def _look(self, score: float) -> None:
        """Importance, slices and single rows."""
        size = 0.4 if self.higher else 41000
        drops = [size * 0.72**n for n in range(len(self.columns) - 1)] + [-size * 0.01]
        self._event(
            "importance",
            1.0,
            list=[
                {"column": c, "drop": d, "interval": [d - size * 0.02, d + size * 0.02]}
                for c, d in zip(self.columns, drops, strict=True)
            ],
        )
        sign = -1 if self.higher else 1
        away = 0.04 if self.higher else 12000
        parts = [("INLAND", 1310, -0.8), ("<1H OCEAN", 1830, 0.1), ("NEAR BAY", 450, 1.1), ("ISLAND", 4, 2.0)]
        self._event(
            "slices",
            0.5,
            list=[
                {
                    "column": self.columns[3 % len(self.columns)],
                    "value": value,
                    "rows": rows,
                    "score": score + sign * shift * away,
                    "interval": self._around(score + sign * shift * away, rows),
                }
                for value, rows, shift in parts
            ],
        )
        answers = (*self.names[:2], "401,000", "250,000")
        row = {
            "line": 1203,
            "truth": answers[0],
            "answer": answers[1],
            "error": 151000.0,
            "inputs": {c: f"{n}.5" for n, c in enumerate(self.columns)},
        }
        self._event("worst", 0.2, worst=[row | {"line": n} for n in range(2, 10)], best=[row])

    def _around(self, score: float, rows: int) -> list[float]:
        half = (0.3 if self.higher else 90000) / np.sqrt(rows)
        return [score - half, score + half]

    def _answers(self) -> None:
        make = {
            "number": self._number_answers,
            "tags": self._tag_answers,
            "series": self._series_answers,
        }
        make.get(self.task, self._class_answers)().with_columns(
            line=pl.int_range(pl.len()) + 2
        ).write_parquet(self.folder / "exam.parquet")

    def _number_answers(self) -> pl.DataFrame:
        truth = np.minimum(np.exp(self.random.normal(12.1, 0.5, self.rows)), 500001)
        noise = self.random.normal(0, 0.2, (2, self.rows))
        score, rival = truth * np.exp(noise[0]) * 0.98, truth * np.exp(noise[1] * 1.1)
        return pl.DataFrame({"truth": truth, "answer": score, "score": score, "rival": rival})

    def _series_answers(self) -> pl.DataFrame:
        """Forecasts of `steps` steps of each of the `series`, the farther ahead the worse."""
        many, steps = len(self.series), self.steps
        times = np.arange(self.rows)[:, None, None] + np.arange(steps)[None, :, None]
        truth = 100 + 20 * np.sin(times / 4 + np.arange(many)) * (1 + np.arange(many))
        noise = self.random.normal(0, 1 + 0.5 * np.arange(steps)[:, None], (2, self.rows, steps, many))
        names = [f"{name} +{step}" for step in range(1, steps + 1) for name in self.series]
        ours, rival = ((truth + own).reshape(self.rows, -1) for own in (noise[0], 1.4 * noise[1]))
        shaped = {
            side: pl.Series(values, dtype=pl.Array(pl.Float64, (steps, many)))
            for side, values in (("truth", truth), ("answer", truth + noise[0]))
        }
        columns = {name: ours[:, n] for n, name in enumerate(names)}
        columns |= {f"rival {name}": rival[:, n] for n, name in enumerate(names)}
        return pl.DataFrame({**shaped, **columns})

    def _class_answers(self) -> pl.DataFrame:
        many = len(self.names)
        truth = self.random.choice(many, self.rows, p=np.arange(many, 0, -1) / (many * (many + 1) / 2))
        shares = [self._softened(np.eye(many)[truth], strength) for strength in (2.6, 2.0)]
        answer = shares[0].argmax(axis=1)
        ours = {f"p({name})": shares[0][:, n] for n, name in enumerate(self.names)}
        rival = {f"rival p({name})": shares[1][:, n] for n, name in enumerate(self.names)}
        called = np.array(self.names)
        return pl.DataFrame({"truth": called[truth], "answer": called[answer], **ours, **rival})

    def _softened(self, sure: np.ndarray, strength: float) -> np.ndarray:
        strength = 0.0 if self.verdict == "chance" else strength
        logits = strength * sure + self.random.normal(0, 1.2, sure.shape)
        return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    def _tag_answers(self) -> pl.DataFrame:
        truth = self.random.random((self.rows, len(self.names))) < [0.6, 0.4, 0.2, 0.05]
        logits = 3.0 * truth - 1.6 + self.random.normal(0, 1, truth.shape)
        shares = 1 / (1 + np.exp(-logits))
        joined = [
            ["|".join(n for n, on in zip(self.names, row, strict=True) if on) for row in side]
            for side in (truth, shares > 0.5)
        ]
        ours = {f"p({name})": shares[:, n] for n, name in enumerate(self.names)}
        return pl.DataFrame({"truth": joined[0], "answer": joined[1], **ours})

    def _cost(self) -> None:
        stages = {
            "read": 1.3,
            "inspect": 0.9,
            "split": 0.3,
            "rivals": 36.0,
            "checks": 4.1,
            "train": 186.0,
            "doctor": 31.0,
            "choose": 1.2,
            "exam": 4.8,
        }
        self._event(
            "cost",
            0.1,
            stages=stages,
            cpu_seconds=500.0,
            peak_memory_mb=1240.0,
            energy_wh=3.1,
            co2_g=1.2,
            parameters=182_000,
            epochs=210,
        )


def told(folder: Path) -> list[str]:
    """What a log shows of the run in this folder, line by line."""
    printed = io.StringIO()
    with redirect_stderr(printed), Screen() as screen:
        for event in Ledger(folder / "ledger.jsonl").events:
            screen.event(event)
    return printed.getvalue().splitlines()
