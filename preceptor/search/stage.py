"""The stage of a run that searches: the best setting on validation rows becomes the plan.

    book = open_book(desk, folds)                # None where the plan asks for no trials
    search_plan(desk, folds, book)               # desk.plan is then what the net's lesson is taught by

It is handed the folds, which are made of open rows alone. The winner's score is the best of many on the
same validation rows, and so better than it will be on others: the exam is what counts.
"""

import time
import uuid
from pathlib import Path
from typing import Any

import torch

from preceptor.contest import Fold
from preceptor.desk import Desk
from preceptor.errors import Mistake
from preceptor.finding import Finding
from preceptor.metrics import Metric
from preceptor.net import judging_metric, new_net
from preceptor.plan import Plan
from preceptor.search.asking import Asker
from preceptor.search.book import Book, Trial
from preceptor.search.folds import Terms, heat_of
from preceptor.search.halving import epochs_spent, rungs_for
from preceptor.search.importance import importances
from preceptor.search.optimism import optimism
from preceptor.search.race import race
from preceptor.search.tuning import SHAPING, applied, setting_of, space_of
from preceptor.tempo import judged, pace_of
from preceptor.training.pace import Way

SHARE = 0.5
"""The search's share of the time that is left to the net."""
HEAT, ABREAST = 20, 10
"""Trials that run against each other, and how many of them in a row share a shape."""
FEWEST_TRIALS, FEWEST_EPOCHS = 4, 3
SLACK = 1.15
"""Checkpoints and a busy neighbour make a planned epoch last longer than a measured one."""
FREE = {"minutes", "trials", "storage", "decisions", "rivals", "device"}
FREE_IN_TRAINING = {*Way._fields}
"""Fields of a plan that may differ between searches in one book: they do not change what a score means."""


def open_book(desk: Desk, folds: list[Fold]) -> Book | None:
    """The book for the plan's trials, opened before anything costs time.

    None where the plan asks for none, or an earlier run that is repeated has found its setting. Raises
    Mistake when there is nothing to search, the database cannot be used, or its book is about something else.
    """
    plan, fold = desk.plan, folds[0]
    if plan.trials is None or desk.ledger.decided("best setting") is not None:
        return None
    metric, target = judging_metric(fold.problem.target), fold.problem.target
    owner = desk.ledger.decide("search owner", lambda: uuid.uuid4().hex) if plan.storage else ""
    asker = _asker(plan, fold, seed=int(owner[:8] or "0", 16) + plan.seed)
    book = Book(
        asker.space,
        asker,
        higher_is_better=metric.higher_is_better,
        url=plan.storage or f"sqlite:///{desk.folder / 'search.db'}",
        name=f"{_source(desk)}: {target.column}",
        owner=owner,
    )
    book.agree(
        data=desk.ledger.of("read")[0]["fingerprint"],
        plan=_choices(plan),
        rows=[len(fold.truth), len(fold.truth_held_out)],
        measure=metric.name,
        bounds={name: str(dimension) for name, dimension in asker.space.items()},
    )
    return book


def _asker(plan: Plan, fold: Fold, seed: int) -> Asker:
    """What proposes settings: the plan as it is, then others."""
    table, task = not fold.problem.shapes, fold.problem.target.task
    space = space_of(plan, task=task, rows=len(fold.truth), table=table)
    if not space:
        raise Mistake(
            "search-nothing-left",
            "There is nothing to search: the plan has chosen every hyper-parameter.",
            todo="Leave some of the plan's net and training open, or leave out --trials.",
        )
    alike = [name for name in SHAPING if name in space]
    return Asker(space, seed=seed, first=setting_of(plan, space), abreast=ABREAST, alike=alike)


def search_plan(desk: Desk, folds: list[Fold], book: Book | None) -> None:
    """Try settings on validation rows for at most half of the net's time; the best one joins the plan."""
    if desk.interrupted:
        return
    if book is not None and desk.ledger.decided("best setting") is None:
        terms = Terms(*desk.ledger.decide("search", lambda: _terms(desk, folds, book), "the pace"))
        if terms.trials >= FEWEST_TRIALS:
            _race(desk, folds, book, terms)
        metric = judging_metric(folds[0].problem.target)
        desk.ledger.decide("best setting", lambda: _concluded(book, metric), "validation rows")
    found = desk.ledger.decided("best setting")
    if found:
        desk.ledger.write("search", **found)
        desk.plan = applied(desk.plan, found["setting"])
    elif book is not None:
        desk.ledger.find(_no_time(desk))


def _source(desk: Desk) -> str:
    return Path(desk.source).name if isinstance(desk.source, (str, Path)) else "frame"


def _choices(plan: Plan) -> dict[str, Any]:
    """What must be the same for two scores to be comparable, one level deep."""
    flat = plan.model_dump(mode="json", exclude={**dict.fromkeys(FREE, True), "training": FREE_IN_TRAINING})
    parts = {part: flat.pop(part) for part in ("net", "training")}
    return flat | {f"{part}.{name}": value for part in parts for name, value in parts[part].items()}


def _terms(desk: Desk, folds: list[Fold], book: Book) -> Terms:
    """What fits into the search's time: the trials on as many folds as there is time for, or fewer epochs.

    A book that others have begun says how many folds and epochs a trial has.
    """
    fold, plan = folds[0], desk.plan
    net = new_net(plan.net, fold.problem, fold.inputs, fold.goal, fold.truth, plan.seed)
    pace = pace_of(desk, fold, net)
    began = time.monotonic()
    net.predict(fold.held_out.take(judged(fold)))
    each = SLACK * (pace.seconds + time.monotonic() - began)
    common = book.common("terms", lambda: _common(desk, each, len(folds)))
    affordable = _affordable(SHARE * desk.seconds_left / each / common["folds"], common["epochs"])
    # Side by side every core has nets of its own, whatever number of threads is best for a single one.
    way = {**pace.way._asdict(), "threads": plan.training.threads or torch.get_num_threads()}
    return Terms(min(plan.trials or 1, affordable), common["folds"], common["epochs"], way)


def _common(desk: Desk, each: float, folds: int) -> dict[str, int]:
    """Folds and epochs of a trial: all epochs on one fold come first, then further folds."""
    wanted, trials = desk.plan.training.epochs or 1, desk.plan.trials or 1
    affordable = SHARE * max(desk.seconds_left, 0.0) / each
    epochs = wanted
    while epochs > FEWEST_EPOCHS and epochs_spent(min(trials, ABREAST), rungs_for(epochs)) > affordable:
        epochs -= 1
    whole = epochs_spent(trials, rungs_for(epochs))
    return {"folds": max(1, min(folds, int(affordable / whole))), "epochs": epochs}


def _affordable(epochs: float, most: int) -> int:
    """How many trials so many epochs are enough for."""
    trials = 0
    while epochs_spent(trials + 1, rungs_for(most)) <= epochs and trials < 100_000:
        trials += 1
    return trials


def _no_time(desk: Desk) -> Finding:
    return Finding(
        "search-no-time",
        "warning",
        f"Of {desk.plan.trials} settings there was no time to try even {FEWEST_TRIALS}.",
        evidence={"trials": desk.plan.trials, "seconds_left": round(desk.seconds_left)},
        done="the recipe's own hyper-parameters were used",
        remedy="Give it more time: --minutes.",
    )


def _race(desk: Desk, folds: list[Fold], book: Book, terms: Terms) -> None:
    """Run the trials; each that ends is a line of the ledger."""
    end = desk.ledger.decide(
        "search ends", lambda: desk.ledger.seconds + SHARE * max(desk.seconds_left, 0.0), "the clock"
    )

    def told(trial: Trial) -> None:
        desk.ledger.write(
            "trial",
            number=trial.number,
            setting=trial.setting,
            score=trial.score,
            end=trial.end,
            **trial.notes,
        )

    race(
        book,
        lambda settings: heat_of(desk, folds, terms, settings, end),
        trials=terms.trials,
        heat=HEAT,
        rungs=rungs_for(terms.epochs),
        protected=(0,),
        told=told,
    )


def _concluded(book: Book, metric: Metric) -> dict[str, Any]:
    """What the search has found, as the ledger and the report tell it.

    `before` is the score of the plan as it came, `optimism` what the winner's score owes to luck.
    """
    best, trials, first = book.best, book.trials(), book.mine().get(0)
    if best is None or first is None:  # without the recipe's own score nothing can be said to be better
        return {}
    level = [trial for trial in trials if trial.end == "complete" and trial.notes.get("folds")]
    luck = optimism(
        [trial.notes["folds"] for trial in level],
        next((place for place, trial in enumerate(level) if trial.key == best.key), 0),
        higher_is_better=metric.higher_is_better,
    )
    return {
        "measure": metric.name,
        "trials": len(trials),
        "setting": best.setting,
        "best": best.number,
        "score": best.score,
        "before": first.score if first.end == "complete" else None,
        "optimism": luck,
        "importance": importances(book),
    }
