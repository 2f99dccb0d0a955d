"""What an earlier run lends to a new one: its kind and its encoder, together or not at all."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from preceptor.data.read import read
from preceptor.errors import Mistake
from preceptor.kinds.category import Category
from preceptor.kinds.number import Number
from preceptor.kinds.text import Text
from preceptor.net import new_net
from preceptor.plan import NetPlan, Plan
from preceptor.predictor import Predictor
from preceptor.problem import Problem
from preceptor.recipe import settle
from preceptor.transfer import loans

WORDS = ["good", "bad", "fine", "poor", "great", "awful", "nice", "dull", "warm", "cold", "bright", "dark"]


def table(seed: int, column: str = "review"):
    draw = np.random.default_rng(seed)
    texts = [" ".join(draw.choice(WORDS, 6)) for _ in range(60)]
    return read(
        pl.DataFrame(
            {
                column: texts,
                "stars": draw.normal(size=60),
                "class": ["yes" if "good" in t else "no" for t in texts],
            }
        )
    )


def made(rows, inputs, lent=None, **plan):
    target = Category("class").fit(rows.frame["class"])
    problem = Problem(inputs, target, lent).fit(rows)
    inputs = problem.encode(rows)
    answers = rows.frame["class"]
    net = NetPlan(**plan)
    return problem, inputs, new_net(net, problem, inputs, target.goal(answers), target.truth(answers), seed=0)


@pytest.fixture
def earlier(tmp_path: Path):
    """A run whose net has read reviews."""
    problem, _, net = made(table(0), [Text("review")], members=1, depth=0)
    with torch.no_grad():
        for parameter in net.module.parameters():
            parameter.add_(0.1)
    Predictor([problem], {"net": [net]}, {"net": 1.0}).save(tmp_path / "model")
    return tmp_path, problem, net


def test_kind_and_encoder_are_lent_together_also_to_a_column_of_another_name(earlier):
    folder, lender, net = earlier
    lent = loans(folder, {"comment": "text", "stars": "number"})
    assert set(lent) == {"comment"}
    rows = table(1, "comment")
    problem, inputs, pupil = made(
        rows, [Text("comment")], lent, encoders={"comment": lent["comment"].options}
    )
    renamed = table(1, "review")
    assert torch.equal(inputs.further[0], lender.encode(renamed).further[0])
    assert torch.equal(pupil.features(inputs), net.features(lender.encode(renamed)))
    assert problem.inputs[0].column == "comment"


def test_what_is_frozen_does_not_learn_and_the_rest_does(earlier):
    folder, _, _ = earlier
    lent = loans(folder, {"review": "text"})
    for frozen in (True, False):
        options = {"review": {**lent["review"].options, "frozen": frozen}}
        _, _, pupil = made(table(1), [Text("review"), Number("stars")], lent, encoders=options)
        pupil.module.train()
        learning = {name for name, one in pupil.module.named_parameters() if one.requires_grad}
        assert any(name.startswith("encoders") for name in learning) is not frozen
        assert any(name.startswith("head") for name in learning)
        assert pupil.module.encoders[0].training is not frozen


def test_a_plan_takes_the_lent_encoder_as_it_was_made(earlier):
    folder, problem, _ = earlier
    lent = {name: loan.options for name, loan in loans(folder, {"review": "text"}).items()}
    further = {"review": problem.shapes[0]}
    plan = settle(Plan.of(freeze=True), "two-class", 500, 0, further, lent)
    assert plan.net.encoders == {"review": {**lent["review"], "frozen": True}}


def test_nothing_to_lend_is_said_in_words(earlier, tmp_path: Path):
    folder, _, _ = earlier
    with pytest.raises(Mistake, match="nothing of that kind"):
        loans(folder, {"stars": "number"})
    with pytest.raises(Mistake, match="holds no model"):
        loans(tmp_path / "nowhere", {"review": "text"})
    problem, _, net = made(
        table(0), [Number("stars")], members=2, width=4, depth=1, embedding=2, neighbours=0
    )
    Predictor([problem], {"net": [net]}, {"net": 1.0}).save(tmp_path / "plain" / "model")
    with pytest.raises(Mistake, match="no encoder to lend"):
        loans(tmp_path / "plain", {"review": "text"})
