"""Pictures of the fit: learnt too little, by heart, too briefly. A drawer's parameters are evidence by name.

still_falling(now=0.5, later=0.3).title           # "Going on pays"
"""

from collections.abc import Sequence

from preceptor.figures.drawing import DASHED, SHARE_OF_DUMB, Bar, Drawer, Line, Points, bars, lines
from preceptor.figures.figure import Figure
from preceptor.figures.words import known, plural

CHANCE = 0.97
"""A loss above it is no better than always the same answer."""


def overfit(
    validation_losses: Points, train_losses: Points = (), step: int | None = None, epoch: int | None = None
) -> Figure | None:
    """Training and validation loss, with the best step or epoch marked."""
    axis, best = ("epoch", epoch) if step is None else ("step", step)
    told = " The dashed line is where the validation loss was lowest."
    return _both("Training and validation rows part", told, axis, train_losses, validation_losses, best)


def falling(validation_losses: Points, train_losses: Points = (), epochs: int | None = None) -> Figure | None:
    """Losses that fall to the end."""
    axis = "step" if epochs is None else "epoch"
    return _both("The loss falls to the end", "", axis, train_losses, validation_losses)


def _both(
    title: str, reading: str, axis: str, train: Points, validation: Points, best: float | None = None
) -> Figure | None:
    told = "The loss on rows that the net learns from and on rows held out; 1 is always the same answer."
    pairs = [
        Line("rows it learns from", train, "train"),
        Line("validation rows", validation, "validation"),
    ]
    return lines(title, told + reading, (axis, SHARE_OF_DUMB), pairs, mark=best)


def parted(lowest: float, now: float, train: float) -> Figure:
    """Validation loss at its lowest and now, beside the training loss."""
    told = [
        Bar("training, now", train, "train"),
        Bar("validation, lowest", lowest, "validation"),
        Bar("validation, now", now, "wrong"),
    ]
    return bars(
        "Training and validation rows part",
        "The loss on both kinds of rows. " + DASHED,
        SHARE_OF_DUMB,
        told,
        line=1.0,
        cut=True,
    )


def risen(best_validation: float, rise: float) -> Figure:
    """Validation loss at its best epoch and in the end."""
    told = [
        Bar("best epoch", best_validation, "validation"),
        Bar("last epochs", best_validation + rise, "wrong"),
    ]
    reading = "The loss on validation rows, at the best epoch and in the end. " + DASHED
    return bars("After its best epoch it gets worse", reading, SHARE_OF_DUMB, told, line=1.0)


def still_falling(now: float, later: float) -> Figure:
    """Where going on would lead."""
    told = [Bar("where training ends", now, "wrong"), Bar("going on as long", later, "train")]
    reading = "The loss on rows held out, now and after a trial that goes on, 200 steps at most. " + DASHED
    return bars("Going on pays", reading, SHARE_OF_DUMB, told, line=1.0)


def beside_rival(
    train: float | None = None,
    validation: float | None = None,
    best_train: float | None = None,
    best_validation: float | None = None,
    rival: float | None = None,
) -> Figure | None:
    """The net on both kinds of rows, a rival, and the constant answer."""
    held = validation if known(validation) else best_validation
    told = [
        Bar("the net, training", train if known(train) else best_train, "train"),
        Bar("the net, validation", held, "validation"),
        Bar("a rival, validation", rival, "rival"),
    ]
    told = [bar for bar in told if known(bar.value)]
    if len(told) < 2:
        return None
    chance = known(held) and held > CHANCE
    beaten = known(rival) and known(held) and rival < held - 0.02
    poor = "A rival does better" if beaten else "Poor on the rows it has learnt and on others alike"
    title = "On new rows no better than always the same answer" if chance else poor
    return bars(title, "The loss of each. " + DASHED, SHARE_OF_DUMB, told, line=1.0, cut=True)


def narrow(width: int, share: float) -> Figure:
    """What a net with a narrow layer makes of a handful of rows."""
    return bars(
        f"Through {plural(width, 'unit')} not even a handful of rows can be learnt",
        "The loss after a while on a handful of rows alone; a net that is wide enough gets below a fifth "
        "(dashed).",
        SHARE_OF_DUMB,
        [Bar("this net", share, "wrong"), Bar("constant answer", 1.0)],
        line=0.2,
    )


def by_heart(losses: Sequence[float]) -> Figure | None:
    """The loss while a handful of rows is learnt by heart."""
    reading = (
        "The loss while a copy of the net learns a few dozen rows and nothing else. It ought to fall "
        "close to zero."
    )
    points = list(enumerate(losses))
    return lines(
        "It does not learn a handful of rows",
        reading,
        ("step", "loss"),
        [Line("a few rows", points, "wrong")],
    )


def not_by_heart(first: float, last: float, share: float) -> Figure | None:
    """The loss on a handful of rows before and after they were to be learnt by heart."""
    if isinstance(last, str) or isinstance(first, str) or not share:
        return None
    return bars(
        "It does not learn a handful of rows",
        "The loss before and after a copy of the net has learnt a few dozen rows and nothing else; it "
        "should end below the dashed line, a fifth of what always the same answer has.",
        "loss",
        [Bar("before", first), Bar("after", last, "wrong"), Bar("constant answer", last / share)],
        line=0.2 * last / share,
        cut=True,
    )


def apart(losses: Sequence[float], metric: Sequence[float]) -> Figure | None:
    """Loss and metric over the epochs, each from its worst to its best."""
    return lines(
        "The metric does not go with the loss",
        "Each from its worst value, 0, to its best, 1, over the epochs. If both measured the same they "
        "would rise together.",
        ("epoch", "from worst to best"),
        [
            Line("loss, turned over", _scaled([-loss for loss in losses]), "validation"),
            Line("metric", _scaled(metric), "wrong"),
        ],
    )


def _scaled(values: Sequence[float]) -> list[tuple[int, float]]:
    low, wide = min(values), max(values) - min(values)
    return [(epoch, (value - low) / (wide or 1.0)) for epoch, value in enumerate(values, start=1)]


DRAWERS: dict[str, tuple[Drawer, ...]] = {
    "no-better-than-chance": (beside_rival,),
    "underfitting": (beside_rival, narrow),
    "overfitting": (overfit, parted, risen),
    "too-few-epochs": (falling, still_falling, beside_rival),
    "metric-apart": (apart,),
    "one-batch": (by_heart, not_by_heart),
}
