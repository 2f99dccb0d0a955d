"""Good choices for what a plan leaves open, by the task, the size and the kinds of the data.

    plan = settle(Plan(target="price"), task="number", rows=13_209, features=9)
    plan.net.width, plan.training.epochs

Each rule was measured on rows held out (see LOG.md); what a person has chosen is never changed.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from preceptor.errors import Mistake, nearest
from preceptor.models.mixed import Options, encoder_for
from preceptor.plan import NetPlan, Plan
from preceptor.shapes import Shape

FEW_ROWS, MANY_ROWS = 5_000, 10_000
NEIGHBOURS = 32
NEIGHBOURS_A_MINUTE = 100_000
"""Beyond so many rows for each minute, looking up neighbours costs more epochs than it is worth."""
CHOSEN = {"optimiser": "adamw", "learning_rate": 1e-3}
"""How an architecture of somebody's choice learns: gently, as most do."""
Part = TypeVar("Part", bound=BaseModel)


def settle(
    plan: Plan,
    task: str,
    rows: int,
    features: int,
    further: Mapping[str, Shape] | None = None,
    lent: Mapping[str, Options] | None = None,
    changes: tuple[str, ...] = (),
    horizon: int = 0,
) -> Plan:
    """The plan with good values for every choice of net and training that nobody has made.

    `rows` are the training rows of a fold, `features` the columns of numbers and codes after encoding,
    `further` the columns of pictures, words or series with their shapes, `lent` the options of encoders
    that an earlier run lends, `changes` the augmentation that the rows can bear. With a
    `horizon` the rows are forecasts so many steps ahead.
    """
    net, training = _net(task, rows, features, plan.minutes), _training(task, rows)
    if plan.encoder:
        _refuse_unknown(plan.encoder, further or {})
    if horizon and not plan.encoder:
        net |= {"forecast": horizon, "width": 128, "depth": 2, "dropout": 0.3, "embedding": 16}
        training |= {"learning_rate": 1e-3, "batch_size": 256, "epochs": 20}
    elif further:
        net |= _mixed(plan, rows, features, further, lent or {}, mirrored="flip" in changes)
        training["augment"] = changes
        for shape in reversed(list(further.values())):
            training |= encoder_for(shape.family).good_training(rows)
        training |= CHOSEN if plan.encoder else {}
    return plan.model_copy(
        update={"net": _filled(plan.net, net), "training": _filled(plan.training, training)}
    )


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
    if "neighbours" in net.model_fields_set or net.encoders:
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


def _mixed(
    plan: Plan,
    rows: int,
    features: int,
    further: Mapping[str, Shape],
    lent: Mapping[str, Options],
    *,
    mirrored: bool,
) -> dict[str, Any]:
    """An encoder for each further column; alone it needs no layers over it."""
    alone = len(further) == 1 and not features

    def options(name: str, shape: Shape) -> dict[str, Any]:
        if name in lent:
            return {**lent[name], "frozen": plan.freeze}
        looks = {"mirrored": mirrored} if shape.family == "picture" else {}
        if plan.encoder in encoder_for(shape.family).trunks:
            return {"trunk": plan.encoder, **looks}
        return {**encoder_for(shape.family).good_options(shape.sizes, rows, plan.minutes), **looks}

    encoders = {name: options(name, shape) for name, shape in further.items()}
    return {"encoders": encoders, "neighbours": 0, **({"members": 1, "depth": 0} if alone else {})}


def _refuse_unknown(encoder: str, further: Mapping[str, Shape]) -> None:
    known = [name for shape in further.values() for name in encoder_for(shape.family).trunks]
    if encoder not in known:
        raise Mistake(
            "architecture-unknown",
            f"There is no architecture {encoder!r} for these inputs.",
            why=f"There are: {', '.join(known)}." if known else "They are numbers and categories alone.",
            todo=nearest(encoder, known) or "Leave --encoder out: the default is the one that measured best.",
        )


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
