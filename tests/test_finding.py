"""A finding speaks: calm sentences in a terminal, one line beside a stage, and back again from JSON."""

import json
from dataclasses import replace

from preceptor.finding import WIDTH, Finding

LONG = Finding(
    "batch-too-small",
    "warning",
    "Batches hold 2 rows, and after 60 steps the loss is at 0.83 of the constant answer's; with 32 rows it is"
    " 0.21, with a tenth of the learning rate 0.30. The gradients are mostly noise.",
    evidence={"rows": 2, "also": ["learning-rate-too-high"]},
    remedy="Take batches of 32 rows and more, or a learning rate lower in proportion.",
)


def test_printed_it_says_what_was_seen_why_and_what_to_try():
    told = str(LONG).splitlines()
    assert told[0].startswith("Batches hold 2 rows")
    assert any("mostly noise." in line for line in told)
    assert told[-2] == "  try   Take batches of 32 rows and more, or a learning rate lower in proportion."
    assert told[-1] == "  more  preceptor explain batch-too-small"
    assert max(map(len, told)) <= WIDTH


def test_its_line_is_what_was_seen_and_fits_beside_a_stage():
    short = Finding("x", "error", "In layer 'a.b' 95 % are dead. No gradient passes.", done="Nothing yet.")
    assert short.line == "In layer 'a.b' 95 % are dead: Nothing yet"
    assert LONG.line == "The batches are too small for these steps"
    assert replace(LONG, layer="a").line.endswith(", in 'a'")


def test_it_comes_back_from_what_was_written_down():
    written = {**json.loads(json.dumps(LONG.as_dict())), "event": "finding", "seconds": 3.0}
    assert Finding.of(written) == LONG
    assert Finding.of({"event": "finding"}).severity == "note"
