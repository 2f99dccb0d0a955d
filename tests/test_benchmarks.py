"""The benchmarks' arithmetic, their form and their manners; nothing is timed."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import chart, contest, roster, tables
from benchmarks.__main__ import workloads
from benchmarks.tasks import Task
from benchmarks.venvs import LISTS

FITS = {"tabular", "mlp", "cnn"}


def table(ours: float, theirs: float | None, target: dict, better: str = "less") -> dict:
    other = {"absent": "it would not be installed"} if theirs is None else {"values": [theirs, theirs, 1e9]}
    contestants = {"preceptor": {"values": [ours, 1e9, ours]}, "peer": other}
    return {
        "title": "a fit",
        "unit": "s",
        "better": better,
        "contestants": contestants,
        "targets": [{"ours": "preceptor", **target}],
    }


@pytest.mark.parametrize(
    ("ours", "theirs", "target", "met"),
    [
        (1.0, 4.0, {"theirs": "peer", "at_least": 4.0}, True),
        (1.0, 3.9, {"theirs": "peer", "at_least": 4.0}, False),
        (1.5, 1.0, {"theirs": "peer", "within": 1.2, "plus": 0.3}, True),
        (1.6, 1.0, {"theirs": "peer", "within": 1.2, "plus": 0.3}, False),
        (0.3, None, {"at_most": 0.3}, True),
        (0.3, None, {"at_least": 0.4}, False),
        (1.0, None, {"theirs": "peer", "at_least": 4.0}, None),
        (1.0, 1.0, {"theirs": "nobody", "within": 1.2}, None),
    ],
)
def test_a_target_is_met_missed_or_not_judged(ours, theirs, target, met):
    (verdict,) = tables.judged(table(ours, theirs, target))
    assert verdict["met"] is met


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
@settings(max_examples=30)
def test_a_ratio_above_one_is_in_our_favour_whichever_way_is_better(ours, theirs):
    less = tables.ratio(table(ours, theirs, {}), "preceptor", "peer")
    more = tables.ratio(table(ours, theirs, {}, "more"), "preceptor", "peer")
    assert less == pytest.approx(theirs / ours)
    assert more == pytest.approx(ours / theirs)


def test_a_printed_table_leaves_nobody_out():
    text = tables.printed("fits", table(1.0, None, {"theirs": "peer", "at_least": 4.0}))
    assert "absent: it would not be installed" in text
    assert "not judged" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.01234, "0.0123"), (0.5, "0.500"), (1.234, "1.23"), (12.34, "12.3"), (1234.5, "1,234")],
)
def test_numbers_are_written_with_three_digits_that_count(value, text):
    assert tables.written(value) == text


def test_workloads_are_found_without_being_imported():
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--list"], capture_output=True, text=True, check=True
    ).stdout
    assert {line.split()[0] for line in told.splitlines()} == set(workloads()) >= {*FITS, "knn", "latency"}
    assert all(not title.startswith("Any") and len(title) > 10 for title in workloads().values())


def test_an_unknown_workload_is_refused():
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks", "nothing"], capture_output=True, text=True, check=False
    )
    assert told.returncode == 2
    assert "no workload nothing" in told.stderr


def test_every_peer_has_its_list_of_pinned_packages():
    everyone = [*roster.KERAS_JAX, *roster.TRAINERS, *roster.ACCELERATE, *roster.AUTOGLUON]
    for peer in everyone:
        lines = (LISTS / f"{peer.venv}.txt").read_text().splitlines()
        assert lines
        assert all("==" in line for line in lines)
        assert not any(line.startswith(("torch==", "torchvision", "torchaudio")) for line in lines)


def small(regression: bool) -> Task:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 3)).astype(np.float32)
    y = x[:, :1] if regression else (x[:, 0] > 0).astype(np.int64)
    return Task(x, y, (3, 4, 1 if regression else 2), batch=8, epochs=16, validation=(x, y), quality=0.5)


@pytest.mark.parametrize("regression", [True, False])
def test_a_task_is_the_same_in_every_process(regression, tmp_path):
    task = small(regression)
    again = Task.load(task.save(tmp_path / "task"))
    assert np.array_equal(task.x, again.x)
    assert np.array_equal(task.y, again.y)
    assert (again.sizes, again.batch, again.epochs, again.quality) == (task.sizes, 8, 16, 0.5)
    assert again.good_enough(lambda x: task.y if regression else np.eye(2)[task.y] * 9)
    assert not again.good_enough(lambda x: task.y + 9 if regression else np.eye(2)[1 - task.y] * 9)


def test_the_loss_is_that_of_the_textbook():
    assert small(True).loss(np.array([[1.0], [4.0]]), np.array([[1.0], [2.0]])) == 2.0
    assert small(False).loss(np.zeros((4, 2)), np.zeros(4, dtype=int)) == pytest.approx(np.log(2))


def test_a_brief_task_is_an_eighth_of_the_work():
    task = small(True)
    brief = task.brief()
    assert len(brief.x) * brief.epochs == len(task.x) * task.epochs // 8


def test_the_better_number_of_threads_is_the_one_that_was_once_the_faster():
    taken = iter([9.0, 2.0, 1.0, 2.0, 9.0, 2.0])  # one thread, two threads, and so on: one is disturbed twice
    assert contest.better(lambda threads: next(taken)) == 1


def test_a_contestant_that_fails_is_told_with_its_last_words():
    rows = contest.contest(small(True), [contest.Contestant("ghost", "nowhere")], rounds=1)
    assert "No module named 'benchmarks.peers.nowhere'" in rows["ghost"]["absent"]


def test_all_ways_to_fit_reach_the_same_loss():
    from benchmarks.peers import handmade, indexed, loader, own, scikit_learn

    task = small(True)
    losses = [task.loss(one.fit(task)(task.x), task.y) for one in (handmade, indexed, loader, own)]
    assert losses == pytest.approx([losses[0]] * 4, rel=0.1)
    assert scikit_learn.fit(task)(task.x).shape == (64,)


def test_a_backward_pass_by_hand_has_the_gradients_of_autograd():
    import torch

    from benchmarks.peers import handmade, nets

    for task in (small(True), small(False)):
        model, (x, y) = nets.net(task), nets.tensors(task)
        nets.loss_of(task)(model(x), y).backward()
        truth = torch.cat([weight.grad.flatten() for weight in model.parameters()])
        _, gradients, layers = handmade._flattened(model)
        handmade._gradients(layers, x, y)
        torch.testing.assert_close(gradients, truth)


def test_the_picture_names_every_contestant_once(tmp_path):
    rows = {"preceptor": 1.0, "preceptor, lean": 1.0, "Lightning": 5.0, "Lightning, lean": 4.0, "skorch": 2.0}
    for name in FITS:
        made = {
            "contestants": {peer: {"values": [seconds]} for peer, seconds in rows.items()},
            "targets": roster.faster(3, [roster.Contestant("skorch", "skorch")]),
        }
        (tmp_path / f"{name}.json").write_text(json.dumps({"tables": {name: made}}))
    chart.write_chart(tmp_path, tmp_path / "picture.svg")
    drawn = (tmp_path / "picture.svg").read_text()
    assert drawn.count(">4.0×<") == len(FITS)
    assert ">5.0×<" not in drawn
