import json

import pytest

from preceptor.errors import Mistake, nearest
from preceptor.finding import Finding
from preceptor.ledger import Ledger
from preceptor.plan import Plan


def test_every_event_is_one_line_that_is_there_at_once(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.write("split", train=3, test=1)
    ledger.find(Finding("code", "note", "text", column="line\u2028break"))
    lines = (tmp_path / "ledger.jsonl").read_text(encoding="utf-8").rstrip("\n").split("\n")
    assert [json.loads(line)["event"] for line in lines] == ["split", "finding"]
    assert Ledger(tmp_path / "ledger.jsonl").events == ledger.events


def test_a_decision_is_measured_once_and_then_remembered(tmp_path):
    path = tmp_path / "ledger.jsonl"
    assert Ledger(path).decide("epochs", lambda: 7, why="the clock") == 7
    assert Ledger(path).decide("epochs", lambda: pytest.fail("measured twice")) == 7


def test_a_pinned_decision_is_taken_as_it_stands():
    ledger = Ledger(pinned={"epochs": 3})
    assert ledger.decide("epochs", lambda: pytest.fail("measured")) == 3
    assert ledger.decisions() == {"epochs": 3}


@pytest.mark.parametrize("torn", ['{"event": "tr', '{"event": "train", "seconds": 1}', "\x00\x00"])
def test_a_line_torn_by_a_kill_is_cut_off_and_the_rest_kept(tmp_path, torn):
    path = tmp_path / "ledger.jsonl"
    Ledger(path).write("read", rows=5)
    whole = path.read_bytes()
    path.write_bytes(whole + torn.encode())
    assert [event["event"] for event in Ledger(path).events] == ["read"]
    assert path.read_bytes() == whole


def test_a_ledger_changed_in_the_middle_is_a_named_mistake(tmp_path):
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"event": "read", "seconds": 1}\nnonsense\n{"event": "split", "seconds": 2}\n')
    with pytest.raises(Mistake) as caught:
        Ledger(path)
    assert caught.value.code == "ledger-damaged"


def test_a_resumed_run_hears_known_events_again_but_does_not_write_them_twice(tmp_path):
    path, heard = tmp_path / "ledger.jsonl", []
    first = Ledger(path)
    first.write("read", rows=5, took=1.0)
    first.write("rival", name="mean", score=2.0)
    again = Ledger(path, listen=heard.append)
    again.write("read", rows=5, took=9.0)
    again.write("rival", name="mean", score=3.0)
    assert [event["event"] for event in heard] == ["read", "rival"]
    assert [event.get("score") for event in Ledger(path).of("rival")] == [2.0, 3.0]
    assert len(Ledger(path).of("read")) == 1


def test_time_goes_on_from_where_an_earlier_sitting_stopped(tmp_path):
    path = tmp_path / "ledger.jsonl"
    Ledger(path, head_start=100.0).write("read")
    assert 100 <= Ledger(path).seconds < 130


def test_a_mistake_says_what_where_why_and_what_to_do():
    told = str(Mistake("some-code", "What.", where="here", why="since", todo="do this"))
    assert told.split("\n")[0] == "What."
    assert all(part in told for part in ("here", "since", "do this", "preceptor explain some-code"))


def test_the_nearest_names_are_suggested_whatever_their_case():
    assert nearest("Prise", ["price", "rooms"]) == "Did you mean 'price'?"
    assert nearest("zzz", ["price", "rooms"]) == ""


@pytest.mark.parametrize(
    ("choice", "value"), [("minutes", 0.1), ("seed", -1), ("test_fraction", 2), ("prise", 1)]
)
def test_a_choice_out_of_range_is_a_mistake_that_names_it(choice, value):
    with pytest.raises(Mistake, match=choice):
        Plan.of(**{choice: value})


def test_a_plan_survives_its_file_and_cannot_be_changed():
    plan = Plan.of(target="price", minutes=2, kinds={"zip": "category"}, decisions={"epochs": 4})
    assert Plan.of(**json.loads(plan.model_dump_json())) == plan
    with pytest.raises(ValueError, match="frozen"):
        plan.seed = 3
