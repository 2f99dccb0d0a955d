"""The examination and what is said of it: marks, verdict, reasons, failures, cost, result.json."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import torch

from preceptor.contest import Candidate, chosen_metric
from preceptor.data.table import Table
from preceptor.desk import Desk
from preceptor.exam import Exam, Mark, judge, open_seal, result
from preceptor.explain import Subject, examples, importance_rows, permutation_importance, slices
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.intervals import interval
from preceptor.kinds.kind import Target
from preceptor.machine import cost
from preceptor.metrics import Metric
from preceptor.predictor import Predictor
from preceptor.split import Sealed, Split
from preceptor.storage import write_atomically

WORST = 8
WRITTEN = (pl.String, pl.Boolean, pl.Float64, pl.Int64, pl.Date, pl.Datetime)
"""Types of inputs whose values say something when they are written out."""
SECONDS_FOR_REPORT = 4.0


def examine(
    desk: Desk, roles: Roles, parts: Split, predictor: Predictor, candidates: Mapping[str, Candidate]
) -> None:
    """Break the seal, mark everyone, say why and where it fails, and write result.json."""
    target, metric = predictor.target, chosen_metric(desk.plan, predictor.target)
    table = _answerable(desk, open_seal(parts.sealed, desk.ledger, "the exam"), parts, target)
    scores = predictor.scores_by_family(table, list(candidates))
    shipped = predictor.name
    scores[shipped] = predictor.blended(scores)
    truth = target.truth(table.frame[target.column])
    exam = judge(
        truth,
        scores,
        shipped=shipped,
        net="net" if "net" in candidates else None,
        best_rival=_best_rival(desk, candidates, metric),
        dumb="dumb",
        metric=metric,
        metrics=target.metrics(),
        groups=_groups(table, roles),
        seed=desk.plan.seed,
    )
    _write_answers(desk, table, target, scores[shipped], scores[exam.rival])
    desk.ledger.write("exam", **exam.event({name: one.title for name, one in candidates.items()}))
    errors, learnt = row_errors(target, truth, scores[shipped]), parts.open.take(parts.folds[0].train)
    subject = Subject(table, learnt, predictor, scores[shipped], errors)
    predictor.to(torch.device("cpu"))  # what looks into nets does so there
    _write_rows(desk, roles, subject)
    _write_reasons(desk, roles, subject, truth, exam.metric)
    finish(desk, exam, target)


def examine_again(desk: Desk, sealed: Sealed, predictor: Predictor, roles: Roles, reason: str) -> Mark:
    """Break the seal once more and mark what ships; result.json confesses the opening."""
    table, target = open_seal(sealed, desk.ledger, reason, again=True), predictor.target
    truth, scores = target.truth(table.frame[target.column]), predictor.scores(table)
    metric = chosen_metric(desk.plan, target)
    ends = interval(truth, scores, metric, groups=_groups(table, roles), seed=desk.plan.seed)
    result = json.loads((desk.folder / "result.json").read_text(encoding="utf-8"))
    result["openings"] = len(desk.ledger.of("opening"))
    write_atomically(desk.folder / "result.json", json.dumps(result, indent=1, ensure_ascii=False).encode())
    return Mark(metric.function(truth, scores, None), ends)


def _best_rival(desk: Desk, candidates: Mapping[str, Candidate], metric: Metric) -> str:
    """The rival with the best score on validation rows; the dumb one only where it is alone."""
    scores = {line["name"]: line["score"] for line in desk.ledger.of("candidates")[-1]["list"]}
    rivals = [name for name in candidates if name not in ("net", "dumb")] or ["dumb"]
    return max(rivals, key=lambda name: scores[name] if metric.higher_is_better else -scores[name])


def _answerable(desk: Desk, table: Table, parts: Split, target: Target) -> Table:
    """The sealed rows without those whose class occurs nowhere outside the seal; these are confessed."""
    if target.task not in ("two-class", "many-class"):
        return table
    seen = table.frame[target.column].is_in(parts.open.frame[target.column].unique().implode()).to_numpy()
    if not seen.all():
        desk.ledger.find(
            Finding(
                "classes-unseen",
                "warning",
                f"{(~seen).sum():,} sealed rows have a class that occurs in no other row.",
                column=target.column,
                evidence={"rows": int((~seen).sum())},
                done="left out of the score: no predictor could have named it",
                remedy="Bring rows of every class for training.",
            )
        )
    return table.take(np.flatnonzero(seen))


def _groups(table: Table, roles: Roles) -> np.ndarray | None:
    return None if roles.group is None else table.frame[roles.group].cast(pl.String).to_numpy()


def _write_answers(desk: Desk, table: Table, target: Target, ours: np.ndarray, rival: np.ndarray) -> None:
    """exam.parquet: line, truth, answer, scores, the best rival's scores."""
    answers = target.answers(ours)
    frame = pl.DataFrame({"line": table.lines, "truth": table.frame[target.column]})
    frame = frame.with_columns(answer=answers[target.column])
    if target.task == "number":
        frame = frame.with_columns(score=pl.Series(ours), rival=pl.Series(rival))
    else:
        shares = answers.drop(target.column)
        theirs = target.answers(rival).drop(target.column)
        frame = frame.hstack(shares).hstack(theirs.rename(lambda name: f"rival {name}"))
    frame.write_parquet(desk.folder / "exam.parquet")


def _write_rows(desk: Desk, roles: Roles, subject: Subject) -> None:
    """The rows that went worst and best, with their inputs, for a person to look at."""
    table, target, errors = subject.table, subject.target, subject.errors
    told = [name for name in roles.inputs if table.frame[name].dtype in WRITTEN][:20]
    order, answers = np.argsort(-errors, kind="stable"), target.answers(subject.scores)[target.column]

    def shown(row: int) -> dict[str, Any]:
        values = table.frame.row(int(row), named=True)
        return {
            "line": int(table.lines[row]),
            "truth": _json(values[target.column]),
            "answer": _json(answers[int(row)]),
            "error": float(errors[row]),
            "inputs": {name: str(values[name]) for name in told},
        }

    few = min(WORST, len(order) // 2)
    desk.ledger.write(
        "worst", list=[shown(row) for row in order[:few]], best=[shown(row) for row in order[::-1][:few]]
    )


def row_errors(target: Target, truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """(N,) how wrong each row is: distance (of forecasts in spreads), or what of 1 the truth did not get."""
    if target.task == "number":
        return np.abs(scores - truth)
    if target.task == "tags":
        return np.abs(scores - truth).mean(axis=1)
    if target.task == "series" and (parts := target.metrics()["mae_standardised"].parts):
        return parts(truth, scores)[:, 0]
    return 1 - scores[np.arange(len(truth)), truth]


def _json(value: Any) -> Any:
    return value if isinstance(value, (int, float, str, bool)) or value is None else str(value)


def _write_reasons(desk: Desk, roles: Roles, subject: Subject, truth: np.ndarray, metric: Metric) -> None:
    """Pictures and words to look at, which columns the answers lean on, and the slices where they fail.

    All within the time kept back.
    """
    if desk.interrupted:
        return
    table, predictor = subject.table, subject.predictor
    examples(desk, roles, subject, 0.5 * (desk.budget - desk.ledger.seconds - SECONDS_FOR_REPORT))
    seconds = 0.5 * (desk.budget - desk.ledger.seconds - SECONDS_FOR_REPORT)
    rows = desk.ledger.decide(
        "rows for importance",
        lambda: importance_rows(predictor.scores, table, roles.inputs, seconds) if seconds > 0 else 0,
    )
    weights = permutation_importance(
        predictor.scores, table, roles.inputs, truth, metric, rows=rows, seed=desk.plan.seed
    )
    desk.ledger.write("importance", list=weights)
    desk.ledger.write("slices", list=slices(table, roles.inputs, truth, subject.scores, metric))


def finish(desk: Desk, exam: Exam, target: Target) -> None:
    """The cost, the plan with every measured decision pinned, and result.json, the sign that all is done."""
    for finding in exam.findings:
        desk.ledger.find(finding)
    _write_cost(desk)
    read, cut = desk.ledger.of("read")[-1], desk.ledger.of("split")[-1]
    dropped = sum(read["left_out"].values())
    facts = result(
        exam,
        task=target.task,
        target=target.column,
        rows={
            "read": read["rows"] + dropped,
            "dropped": dropped + sum(cut["left_out"].values()),
            **{side: cut[side] for side in ("train", "validation", "test")},
        },
        openings=len(desk.ledger.of("opening")),
        seconds=round(desk.ledger.seconds, 1),
        findings=desk.ledger.of("finding"),
    )
    plan = desk.plan.model_copy(update={"decisions": desk.ledger.decisions()})
    write_atomically(desk.folder / "plan.json", plan.model_dump_json(indent=1).encode())
    text = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(desk.folder / "result.json", text.encode())


def _write_cost(desk: Desk) -> None:
    lessons, opened = desk.ledger.of("train"), desk.ledger.of("opening")[-1]["seconds"]
    stages = {
        "start": desk.ledger.of("start")[0]["seconds"],
        **desk.stages,
        "exam": desk.ledger.seconds - opened,
    }
    desk.ledger.write(
        "cost",
        stages={name: round(seconds, 2) for name, seconds in stages.items()},
        **cost(),
        parameters=sum(lesson["parameters"] for lesson in lessons),
        epochs=sum(lesson["epochs"] for lesson in lessons),
    )
