"""The terminal is calm: what is certain about a net in training is told at once, all else in its turn."""

from typing import Any

import pytest

from preceptor.screen import Screen

DIVERGED = {
    "event": "finding",
    "code": "training-diverged",
    "severity": "warning",
    "text": "The loss of fold 1 stopped being a number in epoch 3 at learning rate 10.",
    "done": "begun again with learning rate 1",
}
LIKELY = {"event": "finding", "code": "overfitting", "severity": "warning", "text": "It overfits."}
SPLIT = {"event": "split", "train": 60, "validation": 20, "test": 20}


def told(capsys: pytest.CaptureFixture[str], *events: dict[str, Any]) -> list[str]:
    """The lines that each event prints, before the next one comes."""
    screen, lines = Screen(), []
    for event in events:
        screen.event(event)
        lines.append(capsys.readouterr().err)
    return lines


def test_what_is_certain_is_said_at_once_on_one_line_and_each_kind_once(capsys):
    second = {**DIVERGED, "text": "The loss of fold 2 stopped being a number in epoch 1."}
    _, first, again = told(capsys, SPLIT, DIVERGED, second)
    assert first == ("  doctor    The loss of fold 1 stopped being a number in epoch 3 at learning rate 10\n")
    assert again == ""


def test_what_is_only_likely_waits_for_the_end_of_the_stage(capsys):
    _, likely, end = told(capsys, SPLIT, LIKELY, {"event": "train", "fold": 0, "epochs": 3, "took": 1.0})
    assert likely == ""
    assert end == "  doctor    It overfits\n"


def test_a_fault_of_the_wiring_is_certain_and_one_of_the_data_waits(capsys):
    wiring = {**LIKELY, "code": "parameters-unmoved", "text": "2 of 8 parameters do not learn. They stay."}
    early, _, late = told(capsys, {**wiring, "code": "row-leak"}, SPLIT, wiring)
    assert early == ""
    assert late == "  doctor    2 of 8 parameters do not learn\n"


def test_a_certain_fault_is_not_told_twice(capsys):
    *_, end = told(capsys, SPLIT, DIVERGED, LIKELY, {"event": "train", "fold": 0, "epochs": 3, "took": 1.0})
    assert "stopped being a number" not in end
    assert "It overfits" in end
