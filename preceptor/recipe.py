"""Good choices for what a plan leaves open, by the task and the size of the data.

    plan = settle(Plan(target="price"), task="number", rows=13_209, features=9)
    plan.net.width, plan.training.epochs

Each rule was measured on rows held out (see LOG.md); what a person has chosen is never changed.
"""

from typing import Any, TypeVar

from pydantic import BaseModel

from preceptor.plan import NetPlan, Plan

FEW_ROWS, MANY_ROWS = 5_000, 10_000
NEIGHBOURS = 32
NEIGHBOURS_A_MINUTE = 100_000
"""Beyond so many rows for each minute, looking up neighbours costs more epochs than it is worth."""
Part = TypeVar("Part", bound=BaseModel)


def settle(plan: Plan, task: str, rows: int, features: int) -> Plan:
    """The plan with good values for every choice of net and training that nobody has made.

    `rows` are the training rows of a fold, `features` the columns of numbers after encoding.
    """
    net, training = (
        _filled(plan.net, _net(task, rows, features, plan.minutes)),
        _filled(plan.training, _training(task, rows)),
    )
    return plan.model_copy(update={"net": net, "training": training})


def _filled(part: Part, good: dict[str, Any]) -> Part:
    """`part` with good values where nobody chose; what was chosen still counts as chosen, nothing else."""
    chosen = part.model_fields_set
    filled = part.model_copy(update={name: good[name] for name in good.keys() - chosen})
    return type(part).model_construct(_fields_set=set(chosen), **dict(filled))


def other_way(net: NetPlan) -> NetPlan | None:
    """The same net with neighbours instead of without, or without instead of with; None if that is set.

    Which is better depends on the data (neighbours tell prices and phonemes, and mislead on small sets),
    so the first fold decides where there is time to try both.
    """
    if "neighbours" in net.model_fields_set:
        return None
    return net.model_copy(update={"neighbours": 0 if net.neighbours else NEIGHBOURS})


def _net(task: str, rows: int, features: int, minutes: float) -> dict[str, Any]:
    """Neighbours for numbers, where there is time to look them up; few wide members read them best."""
    number, near = task == "number", FEW_ROWS <= rows <= NEIGHBOURS_A_MINUTE * minutes
    wide = number and rows >= MANY_ROWS
    sizes = ((64, 16), (256, 8), (1000, 4), (features, 0))
    return {
        "neighbours": NEIGHBOURS if number and near else 0,
        "members": 4 if wide else 8,
        "width": 256 if wide else 128,
        "depth": 2,
        "dropout": 0.3 if rows < FEW_ROWS else 0.1,
        "embedding": next(size for most, size in sizes if features <= most),
    }


def _training(task: str, rows: int) -> dict[str, Any]:
    """The cosine must end before classes are learnt by heart; few rows want small batches, gently."""
    batch = next(size for least, size in ((8_000, 512), (2_000, 256), (1_000, 128), (0, 64)) if rows >= least)
    short = 12 if rows < 2_000 else 8 if rows < MANY_ROWS else 6
    fast = 2e-2 if task == "number" and rows >= MANY_ROWS else 1e-2
    return {
        "learning_rate": 5e-3 if rows < FEW_ROWS else fast,
        "batch_size": batch,
        "epochs": 20 if task == "number" else short,
    }
