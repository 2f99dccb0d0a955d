import json
import math
import signal
import subprocess
import sys
import time
from typing import ClassVar, get_type_hints

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from run_folders import told

import preceptor
from preceptor.contest import prepare_folds
from preceptor.data.read import read
from preceptor.desk import Desk
from preceptor.errors import Mistake
from preceptor.figures.figure import NARROW, drawn
from preceptor.figures.search import Attempt, hyperparameter_importance, parallel_coordinates, trial_curves
from preceptor.framing import framed_by
from preceptor.intake import set_apart
from preceptor.look import look_at
from preceptor.plan import Plan
from preceptor.recipe import settle
from preceptor.run import Run
from preceptor.search import Asker, Book, Choice, Heat, Range, grid, race, search
from preceptor.search import stage as search_stage
from preceptor.search.folds import heat_of
from preceptor.search.halving import epochs_spent, keep, rungs_for
from preceptor.search.importance import importances
from preceptor.search.optimism import optimism
from preceptor.search.pupils import Pupils
from preceptor.search.stage import open_book, search_plan
from preceptor.search.tuning import SHAPING, applied, setting_of, space_of
from preceptor.split import Sealed, Split
from preceptor.study import settled

SPACE = {
    "x": Range(-3.0, 3.0),
    "rate": Range(1e-4, 1.0, log=True),
    "colour": Choice(("red", "green", None)),
    "depth": Range(1, 5, whole=True),
}


def bowl(setting):
    """Least at x = 1, rate = 0.01, green, depth 3."""
    far = (setting["x"] - 1) ** 2 + abs(math.log10(setting["rate"]) + 2)
    return far + (setting["colour"] != "green") + abs(setting["depth"] - 3)


def settings_of(book):
    return [trial.setting for trial in sorted(book.mine().values(), key=lambda trial: trial.number)]


# Spaces


@given(st.floats(1e-6, 1e3), st.floats(1.5, 1e4), st.integers(1, 9), st.booleans(), st.booleans())
def test_the_points_of_a_range_lie_in_it_and_rise(low, factor, count, log, whole):
    low, high = (math.ceil(low), math.ceil(low * factor)) if whole else (low, low * factor)
    dimension = Range(low, high, log=log, whole=whole)
    points = dimension.points(count)
    assert all(dimension.holds(point) for point in points)
    assert points == sorted(set(points))


def test_a_grid_has_every_combination_once():
    combinations = grid(SPACE, points=3)
    assert len(combinations) == 3 * 3 * 3 * 3
    assert len({tuple(one.values()) for one in combinations}) == len(combinations)


# Asking


def test_a_grid_search_tries_all_of_it_and_finds_the_best():
    book = search({"x": Range(-2, 2), "y": Range(-2, 2)}, lambda s: s["x"] ** 2 + s["y"] ** 2, how="grid")
    assert len(book.trials()) == 25
    assert book.best.setting == {"x": 0.0, "y": 0.0}


def test_a_bayesian_search_comes_closer_than_a_random_one():
    by_lot = [search(SPACE, bowl, trials=40, how="random", seed=seed).best.score for seed in range(4)]
    clever = [search(SPACE, bowl, trials=40, seed=seed).best.score for seed in range(4)]
    assert np.mean(clever) < 0.6 * np.mean(by_lot)


@pytest.mark.parametrize("how", ["grid", "random", "bayes"])
def test_the_same_seed_asks_for_the_same_settings(how):
    first, again = (search(SPACE, bowl, trials=15, how=how, seed=3) for _ in range(2))
    assert settings_of(first) == settings_of(again)
    if how != "grid":
        assert settings_of(first) != settings_of(search(SPACE, bowl, trials=15, how=how, seed=4))


def test_a_score_may_be_one_to_be_made_large():
    book = search({"x": Range(0, 1)}, lambda s: s["x"], trials=20, higher_is_better=True)
    assert book.best.score == max(trial.score for trial in book.trials()) > 0.9


def test_trials_abreast_share_what_shapes_them_and_differ_in_the_rest():
    asker = Asker(SPACE, abreast=4, alike=("colour", "depth"), first={"depth": 2, "colour": "red"})
    sheet = Book(SPACE, asker).sheet(0, 12)
    groups = [sheet[start : start + 4] for start in (0, 4, 8)]
    for group in groups:
        assert len({(one.setting["colour"], one.setting["depth"]) for one in group}) == 1
        assert len({one.setting["x"] for one in group}) == 4
    assert (sheet[0].setting["colour"], sheet[0].setting["depth"]) == ("red", 2)


# Halving


@given(st.dictionaries(st.integers(0, 50), st.floats(-9, 9) | st.just(math.nan), min_size=1), st.booleans())
def test_the_best_third_goes_on_and_whoever_is_protected(scores, higher):
    kept = keep(scores, higher_is_better=higher, protected=(0,))
    assert kept == sorted(kept)
    assert (0 in kept) == (0 in scores)
    others = [one for one in kept if one != 0]
    assert math.ceil(len(scores) / 3) - 1 <= len(others) <= math.ceil(len(scores) / 3)
    worst_kept = [scores[one] * (-1 if higher else 1) for one in others]
    left = [score * (-1 if higher else 1) for one, score in scores.items() if one not in kept]
    assert not any(a > b for a in worst_kept for b in left)


@given(st.integers(1, 200), st.integers(1, 60))
def test_halving_costs_less_than_letting_all_go_the_whole_way(trials, epochs):
    rungs = rungs_for(epochs)
    assert rungs[-1] == epochs
    assert trials * rungs[0] <= epochs_spent(trials, rungs) <= trials * epochs


class Sprint(Heat):
    """Runners whose score falls by their speed each epoch; the speed is their setting."""

    ran: ClassVar[list[tuple[float, int]]] = []

    def __init__(self, settings):
        self.speeds, self.done = [setting["speed"] for setting in settings], [0] * len(settings)

    def run(self, going, until):
        for place in going:
            Sprint.ran += [(self.speeds[place], epoch) for epoch in range(self.done[place] + 1, until + 1)]
            self.done[place] = until
        return [math.nan if self.speeds[p] > 9 else -self.speeds[p] * self.done[p] for p in going]


def test_losers_cost_no_more_epochs_and_winners_go_on_where_they_were():
    Sprint.ran = []
    space = {"speed": Range(0.0, 10.0)}
    book = Book(space, Asker(space, how="random"))
    race(book, Sprint, trials=27, heat=27, rungs=[1, 3, 9])
    assert len(Sprint.ran) == len(set(Sprint.ran)), "an epoch was run twice"
    epochs = {speed: sum(ran == speed for ran, _ in Sprint.ran) for speed, _ in Sprint.ran}
    assert sorted(epochs.values()) == [1] * 18 + [3] * 6 + [9] * 3
    sound = [speed for speed in epochs if speed <= 9]
    assert book.best.setting["speed"] == max(sound)
    assert {trial.end for trial in book.trials() if trial.setting["speed"] > 9} == {"diverged"}


# The book


def test_a_search_that_was_killed_goes_on_as_if_it_had_not_been(tmp_path):
    whole, calls = search(SPACE, bowl, trials=9), []

    def dies(setting):
        if len(calls) == 5:
            raise KeyboardInterrupt
        calls.append(setting)
        return bowl(setting)

    url = f"sqlite:///{tmp_path / 'search.db'}"
    with pytest.raises(KeyboardInterrupt):
        search(SPACE, dies, trials=9, storage=url)
    resumed = search(SPACE, lambda s: calls.append(s) or bowl(s), trials=9, storage=url)
    assert settings_of(resumed) == settings_of(whole)
    assert calls == settings_of(whole), "a finished trial was tried again"
    assert not list(tmp_path.glob("*.log"))


def test_several_searches_write_into_one_book_and_learn_from_each_other(tmp_path):
    url, space = f"sqlite:///{tmp_path / 'search.db'}", {"speed": Range(0.0, 9.0)}
    books = [Book(space, Asker(space, seed=n), url=url, owner=f"search {n}") for n in range(2)]
    sheets = [book.sheet(0, 3) for book in books]
    for book, sheet in zip(books, sheets, strict=True):
        for trial in sheet:
            book.report(trial, 1, trial.setting["speed"])
            book.close(trial, "complete", folds=[trial.setting["speed"]])
    assert [sorted(book.mine()) for book in books] == [[0, 1, 2]] * 2
    assert len(books[0].trials()) == 6
    assert books[0].best.key == books[1].best.key
    assert books[0].best.notes == {"folds": [books[0].best.score]}


def test_a_book_about_something_else_is_not_written_into(tmp_path):
    url = f"sqlite:///{tmp_path / 'search.db'}"
    Book(SPACE, Asker(SPACE), url=url).agree(data="abc", plan={"seed": 0, "folds": 5})
    same = Book(SPACE, Asker(SPACE), url=url)
    same.agree(data="abc", plan={"seed": 0, "folds": 5})
    with pytest.raises(Mistake, match="seed 1") as caught:
        same.agree(data="abc", plan={"seed": 1, "folds": 5})
    assert caught.value.code == "search-differs"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("sqlite:////no/such/folder/search.db", "storage-unreachable"),
        ("search.db", "storage-unreachable"),
        ("oracle+nothing://localhost/trials", "storage-unreachable"),
    ],
)
def test_a_database_that_cannot_be_used_is_named(url, code):
    with pytest.raises(Mistake) as caught:
        Book(SPACE, Asker(SPACE), url=url)
    assert caught.value.code == code
    assert url in caught.value.where


def test_the_address_of_a_database_is_handed_on_and_its_missing_driver_is_named(monkeypatch):
    seen = []

    def storage(url, **options):
        seen.append((url, options))
        raise ImportError("no driver") from ModuleNotFoundError("no psycopg", name="psycopg")

    monkeypatch.setattr("optuna.storages.RDBStorage", storage)
    with pytest.raises(Mistake, match="psycopg") as caught:
        Book(SPACE, Asker(SPACE), url="postgresql://ada@db.example/trials")
    assert caught.value.code == "storage-driver-missing"
    assert seen == [("postgresql://ada@db.example/trials", {"engine_kwargs": {}})]


def test_a_password_does_not_come_into_a_plan():
    with pytest.raises(Mistake, match="password"):
        Plan.of(storage="postgresql://ada:secret@db.example/trials")
    assert Plan.of(storage="postgresql://ada@db.example:5432/trials").storage


# What is said of it


@given(st.integers(2, 6), st.integers(2, 9), st.integers(0, 99))
def test_luck_is_never_negative_and_nothing_for_one_who_wins_every_fold(folds, trials, seed):
    scores = np.random.default_rng(seed).normal(size=(trials, folds))
    best = int(scores.mean(axis=1).argmin())
    assert optimism(scores.tolist(), best) >= 0
    scores[best] = scores.min() - 1
    assert optimism(scores.tolist(), best) == 0


def test_luck_is_unknown_with_one_fold_or_one_trial():
    assert optimism([[1.0], [2.0]], 0) is None
    assert optimism([[1.0, 2.0]], 0) is None


def test_the_importance_finds_what_matters():
    space = {"x": Range(-3.0, 3.0), "idle": Range(0.0, 1.0), "also idle": Choice((1, 2, 3))}
    shares = importances(search(space, lambda s: s["x"] ** 2, trials=60, how="random"))
    assert next(iter(shares)) == "x"
    assert sum(shares.values()) == pytest.approx(1, abs=1e-3)
    assert importances(search(space, lambda s: 1.0, trials=20)) == {}


def attempts(count=30):
    rng = np.random.default_rng(0)
    for number in range(count):
        rate, role = 10 ** rng.uniform(-4, -1), ("dropped", "all epochs", "chosen")[min(number % 7, 2)]
        curve = [10 / epoch + rng.normal() for epoch in range(1, 8 if role != "dropped" else 3)]
        yield Attempt(
            number, {"learning rate": rate, "width": 64 + 64 * (number % 3)}, curve[-1], curve, role
        )


def test_the_figures_can_be_drawn_and_say_what_they_show():
    tried = list(attempts())
    figures = [
        trial_curves(tried, "typical error", higher_is_better=False),
        parallel_coordinates(tried, "accuracy", higher_is_better=True),
        hyperparameter_importance({"width": 0.3, "learning rate": 0.7}),
    ]
    titles = [figure.title for figure in figures]
    assert titles[0] == "5 of 30 settings were dropped on the way"
    assert titles[1].startswith("The best settings agree most on the ")
    assert titles[2] == "The learning rate mattered most"
    for figure in figures:
        assert "<svg" in drawn(figure, NARROW)
        assert "NaN" not in drawn(figure, NARROW)


def test_a_figure_that_would_say_nothing_is_left_out():
    (one,) = attempts(1)
    assert trial_curves([one], "error", higher_is_better=False) is None
    assert parallel_coordinates([one] * 9, "error", higher_is_better=False) is None
    assert hyperparameter_importance({}) is None


# Model selection along complexity and along λ


def wave(rows, seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, rows)
    return x, np.sin(3 * x) + rng.normal(0, 0.25, rows)


def validation_error(degree, decay):
    """The error on other points of a polynomial fitted to few: ridge regression in closed form."""
    (x, y), (x_new, y_new) = wave(14, seed=1), wave(400, seed=2)
    rows, new = (np.vander(points, degree + 1) for points in (x, x_new))
    weights = np.linalg.solve(rows.T @ rows + decay * np.eye(degree + 1), rows.T @ y)
    return float(np.sqrt(np.mean((new @ weights - y_new) ** 2)))


@pytest.mark.parametrize(
    ("name", "space"),
    [
        ("degree", {"degree": Range(1, 9, whole=True), "decay": Choice((1e-6,))}),
        ("decay", {"degree": Choice((9,)), "decay": Range(1e-6, 1e2, log=True)}),
    ],
)
def test_the_validation_error_is_a_u_along_complexity_and_along_decay(name, space):
    book = search(space, lambda s: validation_error(**s), how="grid", points=9)
    errors = [trial.score for trial in sorted(book.trials(), key=lambda trial: trial.setting[name])]
    best = int(np.argmin(errors))
    assert 0 < best < len(errors) - 1
    assert errors[0] > 1.2 * errors[best] < errors[-1]
    assert book.best.score == errors[best]


# Plans


@settings(max_examples=30)
@given(
    st.sampled_from(["number", "two-class", "many-class", "tags"]),
    st.integers(20, 300_000),
    st.integers(1, 500),
    st.booleans(),
)
def test_the_plan_as_it_came_is_in_its_own_space(task, rows, features, table):
    plan = settle(Plan(target="y"), task, rows, features)
    space = space_of(plan, task=task, rows=rows, table=table)
    first = setting_of(plan, space)
    assert all(space[name].holds(value) for name, value in first.items())
    assert {"training.learning_rate", "net.dropout"} <= space.keys()
    assert table or not space.keys() & SHAPING.keys()
    assert ("training.label_smoothing" in space) == (task in ("two-class", "many-class"))
    assert applied(plan, first).net == plan.net


def test_what_a_person_has_chosen_is_not_searched():
    plan = settle(Plan.of(net={"width": 77}, training={"learning_rate": 0.03}), "number", 20_000, 8)
    space = space_of(plan, task="number", rows=20_000, table=True)
    assert not {"net.width", "training.learning_rate"} & space.keys()
    assert "net.depth" in space


def test_what_a_search_has_chosen_counts_as_chosen_and_reads_well():
    plan = applied(Plan(), {"training.learning_rate": 0.0123456, "net.width": 64})
    assert plan.training.learning_rate == 0.0123
    assert plan.net.width == 64
    assert "width" in plan.net.model_fields_set


# The stage of a run


def flats(rows=240, seed=0):
    rng = np.random.default_rng(seed)
    area, town = rng.uniform(30, 200, rows), rng.choice(["Ulm", "Bonn", "Jena"], rows)
    price = 2000 * area + 30_000 * (town == "Bonn") + rng.normal(0, 10_000, rows)
    return pl.DataFrame({"area": area.round(1), "town": town, "price": price.round(0)})


SMALL = {"net": {"members": 2, "width": 16}, "training": {"epochs": 4}, "rivals": ("tree",), "folds": 2}


def desk_and_folds(frame, folder, **choices):
    """What a run has in hand when it comes to its search, and the split that it was made from."""
    folder.mkdir(exist_ok=True)
    desk = Desk.set_up(frame, Plan.of(target="price", minutes=5, trials=5, **{**SMALL, **choices}), folder)
    table = read(frame)
    desk.ledger.write("read", fingerprint="abc", rows=len(table))
    framed = framed_by(table, desk.plan)
    look = look_at(framed.table, framed.plan)
    parts, target = set_apart(table, framed, look)
    folds = prepare_folds(desk.plan, look.roles, target, parts, {})
    desk.plan = settled(desk.plan, folds[0], framed.frame)
    return desk, folds, parts


def test_no_sealed_row_can_be_handed_to_the_search():
    for door in (open_book, search_plan, heat_of):
        handed = {kind for name, kind in get_type_hints(door).items() if name != "return"}
        assert not {Sealed, Split} & handed


@settings(max_examples=2)
@given(seed=st.integers(0, 1000))
def test_no_trial_sees_a_planted_sealed_row(seed, tmp_path_factory):
    """Every answer occurs once, so that each sealed row would be known by its own."""
    folder = tmp_path_factory.mktemp("sealed")
    frame = flats(120, seed).with_columns(price=pl.Series(np.random.default_rng(seed).permutation(120) + 0.5))
    desk, folds, parts = desk_and_folds(frame, folder, seed=seed, training={"epochs": 2})
    sealed = set(frame["price"]) - set(parts.open.frame["price"])
    assert len(sealed) == parts.sealed.count > 10
    seen = set()

    def watched(desk, folds, *rest):
        for fold in folds:
            seen.update(fold.truth, fold.truth_held_out)
            target = fold.problem.target
            seen.update(target.answers(target.scores(fold.goal))[target.column].round(1))
            assert len(fold.inputs) + len(fold.held_out) == len(parts.open)
        return heat_of(desk, folds, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_stage, "heat_of", watched)
        search_plan(desk, folds, open_book(desk, folds))
    assert len(desk.ledger.of("trial")) == 5
    setting = desk.ledger.of("search")[0]["setting"]
    assert desk.plan.training.learning_rate == float(f"{setting['training.learning_rate']:.3g}")
    assert (desk.plan.net.depth, desk.plan.net.width) == (setting["net.depth"], 16)
    assert seen
    assert not seen & sealed


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    flats().write_csv(folder / "flats.csv")
    return preceptor.fit(folder / "flats.csv", "price", out=folder / "run", trials=6, minutes=1.0, **SMALL)


def test_a_run_notes_every_trial_and_takes_the_best_of_those_that_had_all_epochs(run):
    ledger = run.ledger()
    trials, (found,) = ledger.of("trial"), ledger.of("search")
    assert sorted(trial["number"] for trial in trials) == list(range(6))
    assert {trial["end"] for trial in trials} == {"complete", "halved"}
    best = min((t for t in trials if t["end"] == "complete"), key=lambda t: t["score"])
    assert found["setting"] == best["setting"]
    assert "net.width" not in found["setting"], "what a person had chosen was searched"
    assert (run.folder / "search.db").exists()


def test_the_trials_are_over_before_the_seal_is_broken(run):
    events = [event["event"] for event in run.ledger().events]
    assert max(n for n, event in enumerate(events) if event == "trial") < events.index("train")
    assert events.index("search") < events.index("opening")


def test_the_report_and_the_terminal_say_that_the_best_of_many_is_flattered(run):
    page = run.report.read_text()
    assert "Its hyper-parameters are the best of 6 settings" in page
    assert "what counts is the exam" in page
    (line,) = [line for line in told(run.folder) if line.startswith("  search")]
    assert "6 settings, the best" in line


def test_a_plan_given_back_goes_straight_to_what_the_search_has_found(run, tmp_path):
    again = preceptor.fit(
        run.folder.parent / "flats.csv", plan=run.folder / "plan.json", out=tmp_path / "again"
    )
    assert not again.ledger().of("trial")
    assert again.exam["score"] == run.exam["score"]
    assert not (tmp_path / "again" / "search.db").exists()


def test_a_run_that_was_stopped_in_its_search_resumes_it(run, tmp_path, monkeypatch):
    whole = {trial["number"]: trial for trial in run.ledger().of("trial")}
    teach, calls = Pupils.run, []

    def dies(self, going, until):
        calls.append(until)
        if len(calls) == 2:
            raise OSError(28, "No space left on device", "search.db")
        return teach(self, going, until)

    pinned = {key: value for key, value in run.plan.decisions.items() if key in ("search", "rows used")}
    plan = Plan.of(target="price", trials=6, minutes=1.0, decisions=pinned, **SMALL)
    with monkeypatch.context() as patch:
        patch.setattr(Pupils, "run", dies)
        with pytest.raises(Mistake, match="space"):
            preceptor.fit(run.folder.parent / "flats.csv", plan=plan, out=tmp_path / "run")
    resumed = preceptor.fit(resume=tmp_path / "run")
    found = {trial["number"]: trial for trial in resumed.ledger().of("trial")}
    assert {n: t["setting"] for n, t in found.items()} == {n: t["setting"] for n, t in whole.items()}
    assert {n: t["end"] for n, t in found.items()} == {n: t["end"] for n, t in whole.items()}
    assert resumed.exam["score"] == pytest.approx(run.exam["score"], rel=1e-3)


def test_a_second_search_joins_the_first_one_s_book_and_another_question_does_not(tmp_path):
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    desks = [desk_and_folds(flats(), tmp_path / name, storage=url) for name in ("one", "two")]
    for desk, folds, _ in desks:
        search_plan(desk, folds, open_book(desk, folds))
    assert [len(desk.ledger.of("trial")) for desk, *_ in desks] == [5, 5]
    assert [desk.ledger.of("search")[0]["trials"] for desk, *_ in desks] == [5, 10]
    first, second = ([t["setting"] for t in desk.ledger.of("trial")][1:] for desk, *_ in desks)
    assert first != second
    desk, folds, _ = desk_and_folds(flats(), tmp_path / "three", storage=url, seed=1)
    with pytest.raises(Mistake, match="seed") as caught:
        open_book(desk, folds)
    assert caught.value.code == "search-differs"


def test_a_plan_that_leaves_nothing_open_has_nothing_to_search(tmp_path):
    complete = Plan.of(target="price").model_dump()
    choices = {"net": complete["net"], "training": complete["training"]}
    desk, folds, _ = desk_and_folds(flats(), tmp_path / "run", **choices)
    with pytest.raises(Mistake) as caught:
        open_book(desk, folds)
    assert caught.value.code == "search-nothing-left"


def test_without_time_the_recipe_s_own_choices_stand(tmp_path, monkeypatch):
    desk, folds, _ = desk_and_folds(flats(), tmp_path / "run")
    before, book = desk.plan, open_book(desk, folds)
    desk.closing = desk.budget
    search_plan(desk, folds, book)
    assert desk.plan == before
    assert [finding["code"] for finding in desk.ledger.of("finding")] == ["search-no-time"]


def test_a_search_that_runs_late_stops_its_trials_and_keeps_what_they_showed(tmp_path, monkeypatch):
    desk, folds, _ = desk_and_folds(flats(), tmp_path / "run")
    book = open_book(desk, folds)
    late = iter([False] * 3)
    monkeypatch.setattr(Pupils, "late", property(lambda self: next(late, True)))
    search_plan(desk, folds, book)
    assert "stopped" in {trial["end"] for trial in desk.ledger.of("trial")}
    assert len(desk.ledger.of("trial")) == 5


def test_a_search_cut_off_before_anything_was_scored_changes_nothing(tmp_path, monkeypatch):
    desk, folds, _ = desk_and_folds(flats(), tmp_path / "run")
    before, book = desk.plan, open_book(desk, folds)
    monkeypatch.setattr(Pupils, "late", True)
    search_plan(desk, folds, book)
    assert desk.plan == before
    assert not desk.ledger.of("search")
    assert [finding["code"] for finding in desk.ledger.of("finding")] == ["search-no-time"]


def wait_for(event, seconds=120):
    end = time.monotonic() + seconds
    while not event():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.mark.slow
def test_a_search_killed_in_earnest_ends_with_the_trials_of_one_that_was_not(tmp_path):
    flats(2000).write_csv(tmp_path / "flats.csv")
    plan = {"target": "price", "minutes": 20, "trials": 24, **SMALL, "training": {"epochs": 9}}
    whole = preceptor.fit(tmp_path / "flats.csv", out=tmp_path / "whole", **plan)
    pinned = {key: whole.plan.decisions[key] for key in ("search", "rows used")}
    (tmp_path / "plan.json").write_text(json.dumps({**plan, "decisions": pinned}))
    script = "from preceptor.cli import main; main()"
    fit = ["fit", str(tmp_path / "flats.csv"), "--plan", str(tmp_path / "plan.json"), "--out"]
    process = subprocess.Popen([sys.executable, "-c", script, *fit, str(tmp_path / "run")])
    ledger = tmp_path / "run" / "ledger.jsonl"
    for _ in range(3):
        known = ledger.read_text().count('"trial"') if ledger.exists() else 0
        wait_for(lambda known=known: ledger.exists() and ledger.read_text().count('"trial"') > known)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process = subprocess.Popen([sys.executable, "-c", script, "fit", "--resume", str(tmp_path / "run")])
    assert process.wait(300) == 0
    trials = [{t["number"]: t for t in run.ledger().of("trial")} for run in (whole, Run(tmp_path / "run"))]
    assert [{n: t["setting"] for n, t in some.items()} for some in trials[1:]] == [
        {n: t["setting"] for n, t in trials[0].items()}
    ]
    assert {n: t["end"] for n, t in trials[1].items()} == {n: t["end"] for n, t in trials[0].items()}
