"""What a lent encoder is worth where there are few labels: from scratch, lent and frozen, lent and learning.

Pictures: an encoder learns the first five classes of Fashion-MNIST, and is lent to the other five. Texts:
one learns from SST-2, and is lent to rt-polarity; both are made of the same reviews, so the lender reads
no sentence that its borrower learns from or is marked on. Accuracy on rows held out of training; in each
round other rows have labels, and the first way is the first contestant. No test file is opened.
"""

import itertools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from benchmarks.tasks import DATA
from preceptor.augmentation.inputs import InputAugmenter, good_changes
from preceptor.data.read import read
from preceptor.data.table import Table
from preceptor.kinds.category import Category
from preceptor.kinds.registry import kind_named
from preceptor.net import Net, ensemble_loss, new_net
from preceptor.plan import Plan
from preceptor.problem import Loan, Problem
from preceptor.recipe import settle
from preceptor.training import Training, train

HELD_OUT = 2_000
LABELS = {"pictures": (10, 50, 200), "texts": (100, 500)}
"""How many labels each class has."""
WAYS = {"from scratch": None, "lent, frozen": True, "lent, learning": False}


def taught(rows: Table, kind: str, loans: Mapping[str, Loan], seed: int, **choices) -> tuple[Problem, Net]:
    """A problem fitted on the rows, and a net that has learnt them by the recipe, to the last epoch."""
    (column,) = (name for name in rows.frame.columns if name != "class")
    target = Category("class").fit(rows.frame["class"])
    problem = Problem([kind_named(kind)(column)], target, loans).fit(rows)
    inputs, answers = problem.encode(rows), rows.frame["class"]
    goal, truth = target.goal(answers), target.truth(answers)
    lent = {name: loan.options for name, loan in loans.items()}
    changes = good_changes(problem.shapes, inputs.further)
    further = {column: problem.shapes[0]}
    plan = settle(Plan.of(**choices), target.task, len(rows), 0, further, lent, changes)
    net = new_net(plan.net, problem, inputs, goal, truth, seed)
    training = Training(net.module, plan.training, epochs=plan.training.epochs, seed=seed)
    augment = InputAugmenter(problem.shapes, changes, seed, inputs.further) if changes else None
    loss = ensemble_loss(target, plan.training.label_smoothing)
    for _ in train(training, inputs.tensors, goal, loss, augment=augment):
        pass
    training.adopt_best()
    return problem, net


def loan(problem: Problem, net: Net) -> dict[str, Loan]:
    """What the net lends to a column of the same name."""
    (kind,) = problem.further
    made = net.configuration["encoders"][kind.column]
    options = {name: value for name, value in made.items() if name not in ("family", "sizes")}
    return {kind.column: Loan(kind, options, net.module.encoders[0].state_dict())}


def accuracy(problem: Problem, net: Net, rows: Table) -> float:
    truth = problem.target.truth(rows.frame["class"])
    return float((net.predict(problem.encode(rows)).argmax(1) == truth).mean())


def pictures(data: Path) -> tuple[Table, Table]:
    """Rows of the lender and of the borrower."""
    table = read(data / "fashion_mnist" / "train-images-idx3-ubyte.gz")
    first = table.frame["class"].cast(pl.Int64).to_numpy() < 5
    return table.take(np.flatnonzero(first)[:10_000]), table.take(np.flatnonzero(~first)[:20_000])


def texts(data: Path) -> tuple[Table, Table]:
    """Rows of the lender and of the borrower."""
    theirs, ours = read(data / "sst2" / "stsa.binary.train"), read(data / "rt_polarity")
    some = ours.take(np.sort(np.random.default_rng(0).permutation(len(ours))[: HELD_OUT + 2_000]))
    known = {_letters(text) for text in some.frame["text"]}
    apart = [row for row, text in enumerate(theirs.frame["text"]) if _letters(text) not in known]
    return theirs.take(np.array(apart)), some


def _letters(text: str) -> str:
    """The first letters of a sentence: what stays the same however it is punctuated."""
    return re.sub("[^a-z]", "", text.lower())[:40]


def few(rows: Table, each: int, seed: int) -> Table:
    """So many rows of each class, drawn by lot."""
    drawn = np.random.default_rng(seed).permutation(len(rows))
    classes = rows.frame["class"].to_numpy()[drawn]
    return rows.take(np.concatenate([drawn[classes == one][:each] for one in np.unique(classes)]))


TASKS = {"pictures": (pictures, "image", {"encoder": "small-conv-16"}), "texts": (texts, "text", {})}
NEEDED = {"pictures": ("fashion_mnist",), "texts": ("sst2", "rt_polarity")}
LENDER_EPOCHS = 4


def run(rounds: int, quick: bool = False) -> dict[str, Any]:
    torch.set_num_threads(1)
    tables = {}
    for name in TASKS:
        lacking = [one for one in NEEDED[name] if not (DATA / one).exists()]
        tables |= _absent(name, lacking) if lacking else compared(name, rounds, quick)
    return tables


def compared(name: str, rounds: int, quick: bool) -> dict[str, Any]:
    """The tables of one task: one for each number of labels; `quick`, for the fewest."""
    prepare, kind, choices = TASKS[name]
    lender, ours = prepare(DATA)
    drawn = np.random.default_rng(1).permutation(len(ours))
    held_out, open_rows = ours.take(drawn[:HELD_OUT]), ours.take(drawn[HELD_OUT:])
    lender = lender.take(np.arange(1_000)) if quick else lender
    problem, net = taught(lender, kind, {}, 0, training={"epochs": LENDER_EPOCHS}, **choices)
    tables = {}
    for labels in LABELS[name][: 1 if quick else None]:
        marks: dict[str, list[float]] = {way: [] for way in WAYS}
        for seed, (way, freeze) in itertools.product(range(rounds), WAYS.items()):
            lent = {} if freeze is None else loan(problem, net)
            made = taught(few(open_rows, labels, seed), kind, lent, seed, freeze=bool(freeze), **choices)
            marks[way].append(100 * accuracy(*made, held_out))
            print(".", end="", flush=True)
        rows = {way: {"values": values} for way, values in marks.items()}
        tables[f"{name}, {labels} labels"] = _table(labels, rows)
    print()
    return tables


def _absent(name: str, lacking: list[str]) -> dict[str, Any]:
    rows = {way: {"absent": f"the data are not at hand: {', '.join(lacking)}"} for way in WAYS}
    return {f"{name}, {labels} labels": _table(labels, rows) for labels in LABELS[name]}


def _table(labels: int, rows: dict[str, Any]) -> dict[str, Any]:
    return {"title": f"{labels} labels a class", "unit": "%", "better": "more", "contestants": rows}
