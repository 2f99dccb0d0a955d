"""Pictures of what is wrong with the net, its loss and its loop. A drawer's parameters are evidence by name.

unmoved(parameters=8, unmoved=["0.weight"]).title      # "1 of 8 parameters does not learn"
"""

import math
from collections.abc import Mapping, Sequence

from preceptor.figures.drawing import SHARE_OF_DUMB, Bar, Drawer, Line, bars, brief, lines, percent, strip
from preceptor.figures.figure import Figure
from preceptor.figures.words import count, plural

POINTS = 61


def upside_down(right: float, wrong: float) -> Figure:
    """What the loss says of right and of wrong answers."""
    return bars(
        "Wrong answers cost less than right ones",
        "The loss of made-up outputs that answer every row rightly, and of others that answer every row "
        "wrongly. Training makes the loss small, whatever it stands for.",
        "loss",
        [Bar("right answers", right, "train"), Bar("wrong answers", wrong, "wrong")],
    )


def climbing(losses: Sequence[Sequence[float]]) -> Figure | None:
    """The loss step by step."""
    reading = "The loss of each mini-batch. Steps that go down the slope make it fall; here they go up."
    return lines("The loss climbs", reading, ("step", "loss"), [Line("mini-batches", losses, "wrong")])


def climbed(first: float, now: float | None = None) -> Figure:
    """The loss before training and now."""
    return bars(
        "The loss climbs",
        "The loss on the same few rows before the first step and now, as shares of what always the same "
        "answer has.",
        SHARE_OF_DUMB,
        [Bar("before the first step", first), Bar("now", now, "wrong")],
        cut=True,
    )


def unpleased(losses: Mapping[str, float]) -> Figure:
    """What the loss says of right answers, and of always the same one."""
    told = [Bar(name, loss, "other" if n else "wrong") for n, (name, loss) in enumerate(losses.items())]
    reading = (
        "The loss of made-up outputs. A loss that fits the task is far lower for the first than for the "
        "second."
    )
    return bars("Right answers hardly please this loss", reading, "loss", told)


def squeezed(activation: str, lowest: float, highest: float) -> Figure | None:
    """The curve of the last activation, with the part of it that the outputs fill."""
    raw = [12 * n / (POINTS - 1) - 6 for n in range(POINTS)]
    points = [[z, _squeeze(activation, z)] for z in raw]
    used = [[z, made] for z, made in points if lowest <= made <= highest]
    return lines(
        f"The last {activation} leaves outputs between {brief(lowest)} and {brief(highest)}",
        "What the last activation makes of each raw output. Where the curve is flat, the gradient is next "
        "to nothing.",
        ("raw output", "output"),
        [Line(activation, points, "other"), Line("where the outputs lie", used, "wrong")],
        even=True,
    )


def _squeeze(activation: str, z: float) -> float:
    """The activation's output; a softmax of two is a sigmoid."""
    if activation == "tanh":
        return math.tanh(z)
    return max(z, 0.0) if activation == "relu" else 1 / (1 + math.exp(-z))


def unheard(change: Mapping[str, float] | float) -> Figure | None:
    """How much the output changes when an input is replaced by zeros."""
    if not isinstance(change, Mapping):
        return None
    return bars(
        "The answer stays the same without its input",
        "By how much the outputs change, as a share of their size, when an input is replaced by zeros.",
        "change of the output",
        [Bar(f"input {place}", size, "wrong" if size < 1e-6 else "other") for place, size in change.items()],
        say=percent,
    )


def overheard(change: float) -> Figure:
    """How much a row's answer changes with its neighbours in the mini-batch."""
    return bars(
        "A row's answer changes with its neighbours",
        "By how much the answers of one half of a mini-batch change, as a share of their size, when only "
        "the rows of the other half are exchanged.",
        "change of the answer",
        [Bar("as measured", change, "wrong"), Bar("rows on their own", 0.0, "train")],
        say=percent,
    )


def foreseen(changes: Sequence[float], place: int) -> Figure | None:
    """By place, how much the outputs change when what comes later is exchanged."""
    return lines(
        "Outputs change with what is yet to come",
        "By how much each place's output changes when all tokens from the dashed line on are exchanged. "
        "Left of the line nothing may change.",
        ("place in the text", "change of the output"),
        [Line("change", list(enumerate(changes)), "ours")],
        mark=place,
    )


def foreseen_at_all(change: float) -> Figure:
    """How much earlier outputs change with later tokens."""
    return bars(
        "Outputs change with what is yet to come",
        "By how much earlier outputs change, as a share of their size, when only later tokens are exchanged.",
        "change of the output",
        [Bar("as measured", change, "wrong"), Bar("future masked", 0.0, "train")],
        say=percent,
    )


def unmoved(parameters: int, unmoved: Sequence[str]) -> Figure:
    """How many parameters learn and how many do not."""
    still = len(unmoved)
    return bars(
        f"{count(still)} of {plural(parameters, 'parameter')} {'does' if still == 1 else 'do'} not learn",
        "Weight matrices and biases, by whether training can move them.",
        "parameters",
        [Bar("learning", parameters - still, "train"), Bar("as they were drawn", still, "wrong")],
        say=count,
    )


def one_unit(units: Mapping[str, int]) -> Figure:
    """How many units a layer has, and how many of them are different."""
    layer, many = next(iter(units.items()))
    return bars(
        f"{plural(many, 'unit')} do the work of one",
        f"Units of {layer}, and how many of them differ in their first weights. Equal units get equal "
        "gradients.",
        "units",
        [Bar("units", many), Bar("different ones", 1, "wrong")],
        say=count,
    )


def straight(layers: Sequence[str], none_at_all: bool) -> Figure:
    """How many layers there are, and how many they amount to."""
    left = 1 if none_at_all else len(layers) - 1
    return bars(
        f"{plural(len(layers), 'layer')} do the work of {count(left)}",
        "Layers with weights, and how many of them are left when those that follow one another without an "
        "activation are multiplied out.",
        "layers",
        [Bar("layers", len(layers)), Bar("what they amount to", left, "wrong")],
        say=count,
    )


def cut_off(steps: int, cut: Sequence[int]) -> Figure:
    """Which steps of a series the gradient reaches."""
    return strip(
        f"No gradient reaches {count(len(cut))} of {plural(steps, 'step')}",
        "The steps of a series from the first to the last. Those set apart change the answer, and yet the "
        "error never comes back to them.",
        "step of the series",
        steps,
        cut,
        ("read, never learnt from", "the gradient arrives"),
    )


def padded(change: float) -> Figure:
    """How much an answer changes without its padding."""
    return bars(
        "The answer depends on the padding",
        "By how much a row's answer changes when only its padding is taken away, as a share of what rows "
        "differ by.",
        "change of the answer",
        [Bar("without the padding", change, "wrong"), Bar("padding masked", 0.0, "train")],
        say=percent,
    )


def left_over(left_over: Sequence[float]) -> Figure | None:
    """How much of earlier steps' gradients lies in place, step by step."""
    return lines(
        "Old gradients pile up",
        "At each of the first steps: how large the rest of earlier steps is beside the step's own "
        "gradient, which is 1. After zero_grad it would be 0.",
        ("step", "what is left of earlier steps"),
        [Line("left over", list(enumerate(left_over, start=2)), "wrong")],
    )


def in_evaluation(steps: int, in_evaluation: int) -> Figure:
    """How many training steps were done in evaluation mode."""
    return bars(
        f"{percent(in_evaluation / steps)} of the training steps ran in evaluation mode",
        "Training steps by the mode that the net was in.",
        "training steps",
        [
            Bar("training mode", steps - in_evaluation, "train"),
            Bar("evaluation mode", in_evaluation, "wrong"),
        ],
        say=count,
    )


def validated_in_training(told: float, evaluation: float, training: float) -> Figure:
    """The validation loss told, and that of both modes."""
    return bars(
        "The validation loss is that of training mode",
        "The loss on the validation rows as it was told, and as the same net has it in each of its two "
        "modes.",
        "validation loss",
        [
            Bar("as told", told, "wrong"),
            Bar("in training mode", training),
            Bar("in evaluation mode", evaluation, "validation"),
        ],
    )


def exchanged(changed: float) -> Figure:
    """How many of an augmented row's tokens are others."""
    return bars(
        "Little is left of augmented rows",
        "Which share of a row's tokens is as in its nearest training row, and which is gone or another.",
        "share of the tokens",
        [Bar("as they were", 1 - changed, "train"), Bar("others", changed, "wrong")],
        say=percent,
    )


def farther(apart: float) -> Figure:
    """How far augmented rows lie from the training rows."""
    return bars(
        "Augmented rows are farther off than other rows",
        "How far a row lies from its nearest training row; 1 is how far training rows lie from one another.",
        "distance",
        [Bar("augmented rows", apart, "wrong"), Bar("training rows", 1.0, "train")],
    )


DRAWERS: dict[str, tuple[Drawer, ...]] = {
    "uphill": (upside_down, climbing, climbed),
    "wrong-loss": (unpleased,),
    "output-mismatch": (squeezed,),
    "input-ignored": (unheard,),
    "batch-mixed": (overheard,),
    "future-seen": (foreseen, foreseen_at_all),
    "parameters-unmoved": (unmoved,),
    "symmetric-start": (one_unit,),
    "nonlinearity-missing": (straight,),
    "memory-cut": (cut_off,),
    "padding-attended": (padded,),
    "gradients-accumulate": (left_over,),
    "wrong-mode": (in_evaluation, validated_in_training),
    "harmful-augmentation": (farther, exchanged),
}
