"""A run: a folder that holds what was learnt, and the verbs on it.

run = preceptor.fit("houses.csv", target="price", minutes=5)
run.predict("new.csv"); run.exam["score"]; run.report
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from preceptor.desk import Desk, Watcher
from preceptor.errors import Mistake
from preceptor.ledger import Ledger
from preceptor.plan import Plan
from preceptor.report import notebook_html, write_report
from preceptor.storage import told
from preceptor.training.ranks import ALONE, Ranks

if TYPE_CHECKING:
    import polars as pl

    from preceptor.exam import Mark


def fit(
    source: Any = None,
    target: str | None = None,
    *,
    plan: Path | str | Plan | None = None,
    resume: Path | str | None = None,
    out: Path | str | None = None,
    screen: Watcher | None = None,
    ranks: Ranks = ALONE,
    **choices: Any,
) -> "Run":
    """Learn to predict `target` from the other columns of `source`: the whole recipe.

    `source` is a file's path or a pandas, polars or Arrow frame. `plan` repeats an earlier run's
    plan.json; `resume` goes on with an interrupted run's folder; `out` names the folder, which must
    not hold a run yet; `choices` are fields of the Plan (`minutes`, `metric`, `group`, `time`,
    `test`, `seed` ...); `ranks` are further processes that train with this one, see
    `preceptor.following`. Raises Mistake for whatever a person can mend. Ctrl-C ends early: what has
    been learnt by then is examined and reported.
    """
    if resume is not None:
        desk = _reopened(Path(resume), source, screen)
    else:
        desk = _fresh(source, _planned(plan, choices | ({"target": target} if target else {})), out, screen)
    desk.ranks, ranks.sharded = ranks, desk.plan.shard and ranks.size > 1
    try:
        from preceptor.study import study  # takes seconds: whoever only asks a run need not wait for it

        study(desk)
    except KeyboardInterrupt:
        desk.ledger.write("interrupted", stage="before the first model")
    except Mistake:
        if resume is None and not desk.ledger.of("rival"):  # nothing was learnt: free for another try
            _cleared(desk.folder)
        raise
    except OSError as error:
        raise told(error, Path(error.filename or desk.folder)) from error
    run = Run(desk.folder)
    desk.ledger.write("report", path=str(run.write_report()))
    return run


def _cleared(folder: Path) -> None:
    """Take away what a refused fit has written; the folder too, when nothing else is in it."""
    for name in ("plan.json", "data.json", "ledger.jsonl"):
        (folder / name).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _planned(plan: Path | str | Plan | None, choices: dict[str, Any]) -> Plan:
    """The plan that is given, changed by explicit choices."""
    if plan is None:
        return Plan.of(**choices)
    if not isinstance(plan, Plan):
        path = Path(plan)
        if not path.is_file():
            raise Mistake(
                "plan-missing", f"There is no plan file {path}.", todo="RUN/plan.json holds a run's plan."
            )
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise Mistake("plan-invalid", f"The plan is not JSON: {error}.", where=str(path)) from error
        return Plan.of(**{**fields, **choices})
    return Plan.of(**{**plan.model_dump(exclude_unset=True), **choices})


def _fresh(source: Any, plan: Plan, out: Path | str | None, screen: Watcher | None) -> Desk:
    if source is None:
        raise Mistake("no-data", "There is nothing to fit.", todo="preceptor fit FILE --target COLUMN")
    folder = Path(out) if out else _next_folder(source)
    if (folder / "ledger.jsonl").exists():
        raise Mistake(
            "run-exists",
            "This folder holds a run already, and a run is fitted once.",
            where=str(folder),
            todo="Name another --out, or go on with an interrupted run: preceptor fit --resume RUN.",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Mistake(
            "folder-unwritable", f"The run's folder cannot be made: {error.strerror}.", where=str(folder)
        ) from error
    return Desk.set_up(source, plan, folder, screen)


def _reopened(folder: Path, source: Any, screen: Watcher | None) -> Desk:
    run = Run(folder)
    if (folder / "result.json").exists():
        raise Mistake("run-finished", "This run has ended; there is nothing to resume.", where=str(folder))
    start = run.ledger().of("start")
    source = source if source is not None else start[0]["path"] if start else None
    if source is None:
        raise Mistake(
            "no-data",
            "This run was fitted on a frame, not on a file.",
            where=str(folder),
            todo="Hand the frame in again: preceptor.fit(frame, resume=RUN).",
        )
    return Desk.set_up(source, run.plan, folder, screen)


def _next_folder(source: Any) -> Path:
    stem = Path(source).name.split(".")[0] if isinstance(source, (str, os.PathLike)) else "frame"
    number = 1
    while Path("runs", f"{stem}-{number}").exists():
        number += 1
    return Path("runs", f"{stem}-{number}")


class Run:
    """A run's folder. Raises Mistake when the folder is not one."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        if not (self.folder / "plan.json").is_file():
            raise Mistake(
                "not-a-run",
                f"{self.folder} is not a run's folder.",
                why="A run's folder holds plan.json and ledger.jsonl.",
                todo="preceptor fit makes one; it prints the folder's name first and last.",
            )

    @property
    def plan(self) -> Plan:
        """Every choice of the run, the measured decisions included."""
        return Plan.of(**json.loads((self.folder / "plan.json").read_text(encoding="utf-8")))

    @property
    def exam(self) -> dict[str, Any]:
        """What result.json holds. Raises Mistake when the run has not come to its exam."""
        path = self.folder / "result.json"
        if not path.is_file():
            raise Mistake(
                "run-unfinished",
                "This run has not come to its exam.",
                where=str(self.folder),
                todo=f"preceptor fit --resume {self.folder}",
            )
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return result

    @property
    def report(self) -> Path:
        """The report page's path; written now if it is not there."""
        path = self.folder / "report.html"
        return path if path.is_file() else self.write_report()

    def write_report(self) -> Path:
        """Write the report page anew from the ledger and the evidence."""
        return write_report(self.folder)

    def ledger(self) -> Ledger:
        """The run's ledger, opened for reading and further events."""
        return Ledger(self.folder / "ledger.jsonl")

    def predict(self, source: Any) -> "pl.DataFrame":
        """Answers for new rows, in their order: the target's column, and p(class) columns."""
        return self.answer(source)[0]

    def answer(self, source: Any) -> "tuple[pl.DataFrame, list[str]]":
        """Answers with the id columns in front, and notes on what was odd about the file.

        Raises Mistake for columns that the model needs and the file lacks.
        """
        from preceptor.answering import answer

        return answer(self.folder, source)

    def ask(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one row of values by column, in a moment; the model stays at hand from then on.

        Not for forecasts. Raises Mistake for a column that the model needs and the row lacks.
        """
        from preceptor.answering import opened

        return opened(self.folder).ask(row)

    def examine(self, *, again: bool = False, reason: str = "") -> "Mark":
        """The mark of what ships on the sealed rows; `again` breaks the seal, and the report confesses it.

        Raises Mistake without `again`, since the exam has been, and when the data have changed.
        """
        if not again:
            raise Mistake(
                "seal-already-broken",
                "This run has had its exam.",
                where=str(self.folder),
                why="Rows that have been looked at once can no longer tell how good a later model is.",
                todo="Look at the report; or say --again, and the report will confess the second opening.",
            )
        from preceptor.predictor import Predictor
        from preceptor.study import seal_again
        from preceptor.verdict import examine_again

        desk = Desk.set_up(self.ledger().of("start")[0]["path"], self.plan, self.folder)
        sealed, roles = seal_again(desk)
        mark = examine_again(
            desk, sealed, Predictor.load(self.folder / "model"), roles, reason or "asked for"
        )
        self.write_report()
        return mark

    def _repr_html_(self) -> str:
        return notebook_html(self.folder)
