"""How the hyper-parameters were chosen: a fold of the report.

blocks += how_chosen(record)                   # empty where nothing was searched
"""

from preceptor.figures.search import Attempt, hyperparameter_importance, parallel_coordinates, trial_curves
from preceptor.figures.words import duration, known, plural, spelt
from preceptor.report.blocks import Block, Fold, Grid, Text, pictures
from preceptor.report.record import Event, Record
from preceptor.report.searched import first_setting, measure_of, said, worded
from preceptor.report.yardstick import Yardstick


def how_chosen(record: Record) -> list[Block]:
    """What the search tried and found, folded away; empty without one."""
    search, trials = record.last("search"), record.latest("trial", "number")
    if not search.get("setting"):
        return []
    measure = measure_of(record, search)
    higher = measure.higher_is_better
    attempts = [_attempt(trial, search) for trial in trials]
    shares = {worded(name): share for name, share in (search.get("importance") or {}).items()}
    shown = pictures(
        trial_curves(attempts, measure.axis, higher_is_better=higher, share=measure.unit == "share"),
        parallel_coordinates(attempts, measure.short, higher_is_better=higher),
        hyperparameter_importance(shares),
    )
    story = Text(_story(record, search, trials, measure))
    title = f"Its hyper-parameters are the best of {plural(search['trials'], 'setting')}"
    return [Fold(title, [story, _chosen(search, trials), *shown])]


def _attempt(trial: Event, search: Event) -> Attempt:
    went = "all epochs" if trial.get("end") == "complete" else "dropped"
    role = "chosen" if trial["setting"] == search["setting"] else went
    setting = {worded(name): value for name, value in trial["setting"].items()}
    score = trial.get("score")
    return Attempt(
        trial["number"], setting, score if known(score) else float("nan"), trial.get("curve") or [], role
    )


def _story(record: Record, search: Event, trials: list[Event], measure: Yardstick) -> str:
    ends = [trial.get("end") for trial in trials]
    whole, late = ends.count("complete"), ends.count("stopped")
    took = (record.last("cost").get("stages") or {}).get("search")
    told = [
        f"{plural(search['trials'], 'setting')} were tried on validation rows"
        + (f" for {duration(took)}" if known(took) else "")
        + (f"; {spelt(whole, 'of them', 'of them')} had all epochs" if whole else "")
        + (f", {spelt(late, 'was', 'were')} stopped by the clock." if late else "."),
        f"The best came to {measure.said(search.get('score'))}"
        + (
            f", the recipe's own to {measure.said(search['before'])}." if known(search.get("before")) else "."
        ),
        "The best of many looks better on the rows that chose it than it is"
        + (f", here by about {measure.gap(search['optimism'])}" if search.get("optimism") else "")
        + ": what counts is the exam, on rows that no trial has seen.",
    ]
    return " ".join(told)


def _chosen(search: Event, trials: list[Event]) -> Grid:
    before = first_setting(trials)
    rows = [[worded(name), said(before.get(name)), said(now)] for name, now in search["setting"].items()]
    return Grid("", ["hyper-parameter", "the recipe's own", "chosen"], rows)
