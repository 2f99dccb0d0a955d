"""The bench that injects training faults: its faults, controls, test of harm, rivals and sums."""

import dataclasses
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.doctor import bench, chosen, judge, remedies, tables
from benchmarks.doctor.faults import BY_NAME, FAULTS, NUMBER, numbers_of
from benchmarks.doctor.harm import Score, harm, sign_flip
from benchmarks.doctor.healthy import CONTROL, CONTROLS
from benchmarks.doctor.jobs import Job, read, run
from benchmarks.doctor.loop import train
from benchmarks.doctor.programs import HELD_OUT, PROGRAMS, SEEN, UNSEEN
from benchmarks.doctor.rivals import RIVALS, said
from benchmarks.doctor.setup import Parts, Setup
from benchmarks.doctor.trace import Activation, Layer, Moment, Trace
from benchmarks.doctor.watchers import Attended


@pytest.fixture(autouse=True)
def as_many_threads_afterwards():
    """A run of the bench sets its process to one thread."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


QUICK = ("wine-tanh", "penguins-deep", "cancer-logistic", "diabetes-mlp", "messages-bag", "sunspots-gru")


def short(setup: Setup, epochs: int = 1, rows: int = 64) -> Setup:
    """The same with few rows and epochs."""
    setup = setup.copy()
    setup.epochs = min(setup.epochs, epochs)
    setup.after_scaling.append(
        lambda parts, random: Parts((parts.train[0][:rows], parts.train[1][:rows]), parts.held, parts.test)
    )
    return setup


def where(applies) -> Setup | None:
    """The quickest embedded program it applies to."""
    named = [PROGRAMS[name] for name in QUICK]
    return next((setup for setup in [*named, *PROGRAMS.values()] if applies(setup) and not setup.data), None)


def test_sixteen_programs_eight_of_them_held_out_and_forty_kinds_of_faults():
    assert len(PROGRAMS) >= 16
    assert len(HELD_OUT) == 8
    assert not UNSEEN & {setup.name for setup in SEEN}
    assert len({fault.number for fault in FAULTS}) >= 40
    assert len(BY_NAME) == len(FAULTS)
    assert len(CONTROL) == len(CONTROLS)


def test_the_full_set_has_three_hundred_healthy_runs_and_every_fault():
    programs = list(PROGRAMS.values())
    assert len(list(chosen.healthy(programs, smoke=False))) >= 300
    full = {(job.change, job.level) for job in chosen.faulty(programs, FAULTS, smoke=False)}
    assert full == {(fault.name, level) for fault in FAULTS for level in range(len(fault.levels))}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_can_be_named_and_leaves_the_program_itself_alone(fault):
    assert fault.accepted <= set(NUMBER.values())
    assert fault.number in fault.accepted
    setup = where(fault.applies)
    if setup is None:
        pytest.skip("it applies only to programs that read real data from outside")
    before = {field.name: repr(getattr(setup, field.name)) for field in dataclasses.fields(setup)}
    result = train(short(fault.into(setup, fault.middle)), 0)
    assert result.steps
    assert before == {field.name: repr(getattr(setup, field.name)) for field in dataclasses.fields(setup)}


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_a_control_trains_to_a_finite_score(control):
    setup = where(control.applies)
    assert setup is not None
    if control.name == "frozen backbone":
        setup = short(setup)
    assert math.isfinite(train(short(control.into(setup)), 0).score.loss)


def test_the_test_rows_are_those_of_the_clean_program_where_only_the_rows_are_faulty():
    setup = PROGRAMS["wine-tanh"]
    clean = setup.prepare(3).test
    for name in ("watched rows learnt", "rows twice before the split", "wrong labels", "a rare class"):
        _, y = BY_NAME[name].into(setup, 0).prepare(3).test
        assert torch.equal(y, clean[1]), name


def test_leaked_rows_are_learnt_and_watched_but_never_those_of_the_test():
    parts = BY_NAME["watched rows learnt"].into(PROGRAMS["wine-tanh"], 1).prepare(0)
    learnt = {row.numpy().tobytes() for row in parts.train[0]}
    assert sum(row.numpy().tobytes() in learnt for row in parts.held[0]) == round(0.3 * len(parts.held[0]))
    assert not any(row.numpy().tobytes() in learnt for row in parts.test[0])


def test_watching_leaves_the_weights_the_same_to_the_bit():
    setup = short(PROGRAMS["wine-tanh"], epochs=4)
    alone, watched = train(setup, 0), train(setup, 0, [Attended(asked=(0.5,))])
    for a, b in zip(alone.net.state_dict().values(), watched.net.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_a_job_tells_what_the_doctor_and_the_rivals_said_in_json():
    row = run(Job("watch", "wine-tanh", "NaN in the inputs", 1))
    assert json.loads(json.dumps(row))["alarms"][0][1][0] == "data-not-finite"
    assert judge.right(row, judge.doctor(row), 1)
    assert judge.when(row) == 0
    assert set(row["rivals"]) == set(RIVALS)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.01, 1), min_size=5, max_size=5))
def test_five_differences_of_one_sign_are_the_rarest_of_thirty_two(differences):
    assert sign_flip(np.array(differences)) == pytest.approx(1 / 32)
    assert sign_flip(-np.array(differences)) == 1


def test_a_fault_hurts_only_when_all_seeds_agree_and_the_loss_is_worth_a_word():
    well = [Score(0.9, 0.3, 1.0)] * 5
    assert harm(well, [Score(0.8, 0.3, 1.0)] * 5).hurts
    assert not harm(well, [Score(0.89, 0.35, 1.0)] * 5).hurts
    assert not harm(well, [Score(0.7, 0.3, 1.0)] * 4 + [Score(0.91, 0.3, 1.0)]).hurts
    assert harm(well, [Score(-1.0, math.inf, 1.0)] * 5).hurts


def quiet_trace(**changes) -> Trace:
    """A run in which all is well, but for the changes."""
    layer, act = Layer(1.0, 1e-2, 0.1, 0.1, 1e-3, 1e-2), Activation(True, 0.5, 0.0, 0.0, 0.0)
    moments = [
        Moment(loss, loss, score, score, [layer, layer], [act])
        for loss, score in ((1.0, 0.5), (0.7, 0.7), (0.6, 0.8), (0.59, 0.81))
    ]
    return dataclasses.replace(Trace(learning_rate=1e-2, moments=moments, classes=True, high=1.0), **changes)


def test_the_rivals_are_silent_on_a_calm_run():
    assert not any(said(quiet_trace()).values())


def test_each_rival_speaks_by_its_own_rule():
    dead = [Activation(True, 0.9, 0.8, 0.0, 0.0)]
    moments = [dataclasses.replace(moment, activations=dead) for moment in quiet_trace().moments]
    told = said(quiet_trace(moments=moments))
    assert [number for _, number in told["DeepDiagnosis"]] == [28]
    assert [number for _, number in told["SageMaker Debugger"]] == [28]
    assert not told["AutoTrainer"]
    assert not told["loss curve"]
    assert said(quiet_trace(learning_rate=0.1))["UMLAUT"] == [(0.0, 23)]
    lost = [*quiet_trace().moments, dataclasses.replace(quiet_trace().moments[0], train_loss=math.nan)]
    assert {25} <= {number for _, number in said(quiet_trace(moments=lost))["loss curve"]}


def row(program: str, change: str, codes: list[list[str]]) -> dict:
    """A watched run in which these alarms stood at five, ten and a hundred per cent."""
    alarms = list(zip((0.05, 0.1, 1.0), codes, strict=True))
    return {"kind": "watch", "program": program, "change": change, "level": 0, "alarms": alarms}


def test_a_name_counts_from_when_it_stands_first_and_stays():
    code = "learning-rate-too-high"
    assert judge.when(row("a", "learning rate too high", [[], [code], [code]])) == 0.1
    assert judge.when(row("a", "learning rate too high", [[code], ["overfitting", code], [code]])) == 1.0
    assert judge.when(row("a", "learning rate too high", [[code], [code], []])) is None


def test_the_mean_is_over_kinds_and_the_interval_over_programs():
    rows = [row("a", "sign flipped", [[], [], ["uphill"]])] * 9
    rows += [row("b", "wrong labels", [[], [], ["overfitting"]])]
    cell = judge.macro(rows, lambda one: judge.right(one, judge.doctor(one), 1))
    assert cell.value == 0.5
    assert cell.low == 0
    assert cell.high == 1
    assert cell.runs == 10


def test_faults_that_do_not_hurt_and_controls_that_do_are_set_aside():
    scores = {chosen.place("a", "", 0, seed): (0.9, 0.3, 1.0) for seed in range(5)}
    for seed in range(5):
        scores[chosen.place("a", "wrong labels", 0, seed)] = (0.9, 0.3, 1.0)
        scores[chosen.place("a", "sign flipped", 0, seed)] = (0.1, 3.0, 1.0)
        scores[chosen.place("a", "much dropout", 0, seed)] = (0.5, 0.9, 1.0)
    evidence = judge.Evidence(scores)
    quiet = [[], [], []]
    assert not evidence.faulty(row("a", "wrong labels", quiet))
    assert evidence.faulty(row("a", "sign flipped", quiet))
    assert evidence.faulty(row("a", "watched rows learnt", quiet)), "a fault by construction"
    assert not evidence.healthy(row("a", "much dropout", quiet))
    assert evidence.healthy(row("a", "plain", quiet))
    mended = {**row("a", "sign flipped", quiet), "scores": [{"metric": 0.82, "loss": 0.4, "dumb": 1.0}] * 3}
    assert judge.closed(mended, evidence) == pytest.approx(0.9)


def test_a_remedy_follows_the_name_that_was_given_and_not_the_fault():
    base = PROGRAMS["wine-tanh"]
    faulty = BY_NAME["gradients never cleared"].into(base, 0)
    assert remedies.apply(faulty, base, 39, {}, 0).clears_gradients
    wrong = remedies.apply(faulty, base, 23, {"training": {"learning_rate": 1e-4}}, 0)
    assert not wrong.clears_gradients
    assert wrong.learning_rate == 1e-4
    assert not faulty.clears_gradients
    assert faulty.learning_rate == base.learning_rate


def test_rows_written_before_a_crash_are_read_and_a_torn_line_is_not(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"key": "a", "kind": "score"}\n{"key": "b", "ki')
    assert set(read(path)) == {"a"}
    assert read(tmp_path / "absent.jsonl") == {}


def test_the_tables_print_from_rows():
    told = [(0.0, 28)]
    rivals = dict.fromkeys(RIVALS, told)
    rows = [
        {**row("wine-tanh", "watched rows learnt", [[], [], ["row-leak"]]), "rivals": rivals},
        {
            **row("digits-cnn", "watched rows learnt", [[], [], []]),
            "rivals": rivals,
            "first": [],
            "notes": [],
        },
        {**row("wine-tanh", "plain", [[], ["overfitting"], []]), "rivals": rivals},
    ]
    evidence = judge.Evidence({})
    text = tables.report(rows, evidence, misses_too=True)
    assert "preceptor            50.0%" in text
    assert "overfitting 1" in text
    assert "(silence) 1" in text
    summary = tables.summary(rows, evidence)
    assert summary["false alarms"]["contestants"]["preceptor"]["values"] == [1.0]
    assert all(fault.name in tables.faults() for fault in FAULTS)


def test_numbers_of_codes_keep_their_order_and_know_strangers():
    assert numbers_of(["row-leak", "shuffled-labels-learnt", "of-no-catalogue", "uphill"]) == [8, 0, 44]


@pytest.mark.slow
def test_a_small_bench_runs_from_end_to_end(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "KEPT", tmp_path / "harm.json")
    monkeypatch.setattr(bench, "RUNS", tmp_path)
    options = bench.Options(programs="wine-tanh", only="saturated tanh", rows=tmp_path / "rows.jsonl")
    rows, evidence = bench.bench(options)
    assert evidence.hurts(rows[0]) is not None
    assert len(read(tmp_path / "rows.jsonl")) >= 12
    assert "Watching costs" in tables.report(rows, evidence, misses_too=False)


@pytest.mark.slow
def test_the_scores_that_are_kept_are_those_of_the_programs_and_faults_of_today():
    kept = json.loads(bench.KEPT.read_text("utf-8")) if bench.KEPT.exists() else {}
    quick = [place for place in kept if place.startswith(("wine-tanh", "cancer-logistic"))]
    for place in quick[:: max(1, len(quick) // 20)]:
        program, change, level, seed = place.split("|")
        score = Score(**run(Job("score", program, change, int(level), int(seed)))["score"])
        metric, loss, dumb = kept[place]
        assert score.metric == pytest.approx(metric, abs=0.03), place
        assert min(score.share, 3) == pytest.approx(min(loss / dumb, 3), abs=0.1), place
