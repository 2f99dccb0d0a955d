"""Pictures of what goes wrong while training runs. A drawer's parameters are evidence by name.

trials(trials=[[1.0, 3.1], [0.1, 0.2]], rate=1.0).title      # "At a learning rate of 0.1 it learns"

Losses are told as shares of the constant answer's, where nothing else is said.
"""

from preceptor.figures.drawing import (
    DASHED,
    SHARE_OF_DUMB,
    Bar,
    Drawer,
    Line,
    Points,
    bars,
    brief,
    dots,
    lines,
    percent,
)
from preceptor.figures.faults_of_fit import beside_rival
from preceptor.figures.figure import Figure
from preceptor.figures.words import count, known, plural

EQUAL = (
    "Where training stands, and where half of its steps lead from the same first weights with one thing "
    "changed. " + DASHED
)


def before_the_break(losses: Points, step: int) -> Figure | None:
    """The loss up to the step where it is no number any more."""
    return lines(
        f"At step {count(step)} the loss is no number any more",
        "The loss of each mini-batch, up to the dashed step where it, or its gradient, became infinite or "
        "NaN. A loss that rises before it breaks speaks of steps that are too long; one that breaks "
        "without warning, of an operation that knows no bounds.",
        ("step", "loss"),
        [Line("mini-batches", losses, "train")],
        mark=step,
    )


def broken_off(train_losses: Points, epoch: int) -> Figure | None:
    """The training loss, epoch by epoch, up to the one where it is no number any more."""
    return lines(
        f"In epoch {count(epoch)} the loss is no number any more",
        "The training loss; 1 is always the same answer. In the dashed epoch it, or its gradient, became "
        "infinite or NaN.",
        ("epoch", SHARE_OF_DUMB),
        [Line("rows it learns from", train_losses, "train")],
        mark=epoch,
    )


def trials(trials: Points, rate: float) -> Figure:
    """Where each learning rate that was tried comes."""
    tried = sorted((pair for pair in trials if known(pair[0])), key=lambda pair: pair[0] or 0.0)
    best = min((pair for pair in tried if known(pair[1])), key=lambda pair: pair[1] or 0.0, default=tried[0])
    shade = {rate: "wrong", best[0]: "train"}
    return bars(
        f"At a learning rate of {_rate(best[0])} it learns",
        "Where training stands, and where half of its steps lead from the same first weights at another "
        "learning rate. " + DASHED,
        SHARE_OF_DUMB,
        [
            Bar(f"{_rate(at)}{', as now' if at == rate else ''}", loss, shade.get(at, "other"))
            for at, loss in tried
        ],
        line=1.0,
        cut=True,
    )


def two_rates(rate: float, better_rate: float, trial: float, now: float | None = None) -> Figure:
    """Where the present learning rate comes, and a better one."""
    return trials([[rate, now], [better_rate, trial]], rate)


def gained(gained: float, trial_gains: float, rate: float, better_rate: float) -> Figure:
    """How much the present learning rate has gained, and a better one in half of the steps."""
    return bars(
        f"At a learning rate of {_rate(better_rate)} it learns",
        "By how much the loss has come down so far, and by how much in a trial of half as many steps from "
        "the same first weights, as shares of what always the same answer has.",
        "loss gained",
        [
            Bar(f"{_rate(rate)}, as now", max(gained, 0.0), "wrong"),
            Bar(_rate(better_rate), trial_gains, "train"),
        ],
        say=percent,
    )


def _rate(rate: float | None) -> str:
    """A learning rate as one types it."""
    return f"{rate:.2g}"


def leaping(train_losses: Points, epoch: int) -> Figure | None:
    """The training loss with its leap."""
    return lines(
        "The training loss leaps up",
        "The training loss; 1 is always the same answer. In the dashed epoch the steps jumped over the "
        "valley.",
        ("epoch", SHARE_OF_DUMB),
        [Line("rows it learns from", train_losses, "train")],
        mark=epoch,
    )


def crawling(validation_losses: Points) -> Figure | None:
    """A validation loss that comes down along a straight line."""
    return lines(
        "The loss comes down along a straight line",
        "The loss on validation rows; 1 is always the same answer. Training that is under way falls "
        "quickly at first and then bends.",
        ("epoch", SHARE_OF_DUMB),
        [Line("validation rows", validation_losses, "validation")],
    )


def leap(train: float, lowest_before: float, best_validation: float, rival: float | None = None) -> Figure:
    """How far the training loss leapt, beside what had been reached before."""
    told = [
        Bar("training, before", lowest_before, "train"),
        Bar("training, the leap", train, "wrong"),
        Bar("validation, best", best_validation, "validation"),
    ]
    told += [Bar("the best rival", rival, "rival")] if known(rival) else []
    reading = "The training loss before and at its leap, and what was reached on validation rows. " + DASHED
    return bars("The training loss leaps up", reading, SHARE_OF_DUMB, told, line=1.0, cut=True)


def with_and_without(now: float, without: float) -> Figure:
    """Where the net comes with its regularisation, and without."""
    told = [
        Bar("regularised, as now", now, "wrong"),
        Bar("without", without, "train"),
    ]
    return bars("Without regularisation it learns", EQUAL, SHARE_OF_DUMB, told, line=1.0, cut=True)


def larger_batches(
    rows: int, rows_32: float | None = None, slower: float | None = None, now: float | None = None
) -> Figure:
    """Where small mini-batches come, larger ones, and smaller steps."""
    told = [
        Bar(f"{plural(rows, 'row')}, as now", now, "wrong"),
        Bar("32 rows", rows_32, "train"),
        Bar("a tenth of the rate", slower, "train"),
    ]
    return bars("Larger mini-batches or smaller steps learn", EQUAL, SHARE_OF_DUMB, told, line=1.0, cut=True)


def leaps(norms: Points) -> Figure | None:
    """The gradient's norm, step by step, with its leaps."""
    return _norms("The gradient leaps", norms)


def one_length(norms: Points) -> Figure | None:
    """The gradient's norm, step by step, all alike."""
    return _norms("Every gradient is cut to one length", norms)


def _norms(title: str, norms: Points) -> Figure | None:
    reading = (
        "The norm of the gradient at the steps looked at: how steep the loss was, and how far the step "
        "would go."
    )
    return lines(title, reading, ("step", "gradient norm"), [Line("norm", norms, "wrong")])


def grown(spike: float, grown: float) -> Figure:
    """The largest gradient beside nine in ten, and beside the first one."""
    return bars(
        f"The gradient grows {brief(max(spike, grown))}-fold",
        "How many times as large the largest gradient is as the norm that nine in ten stay below, and as "
        "the first one.",
        "times as large as",
        [Bar("nine in ten of them", spike, "wrong"), Bar("the first one", grown, "wrong")],
        cut=True,
    )


def unclipped(now: float, trial: float) -> Figure:
    """Where the net comes with every gradient clipped, and without."""
    told = [Bar("clipped, as now", now, "wrong"), Bar("unclipped", trial, "train")]
    return bars("Without clipping it learns", EQUAL, SHARE_OF_DUMB, told, line=1.0, cut=True)


def stands_still(losses: Points) -> Figure | None:
    """The loss of a plateau."""
    reading = (
        "The loss of each mini-batch. Where the line lies flat, though there is much to gain, the ground "
        "is flat."
    )
    return lines("The loss stands still", reading, ("step", "loss"), [Line("mini-batches", losses, "wrong")])


def getting_off(now: float, trial: float) -> Figure:
    """Where longer steps lead from a plateau."""
    told = [Bar("now", now, "wrong"), Bar("after 64 longer steps", trial, "train")]
    return bars(
        "Longer steps lead off the plateau",
        "The loss now, and after a trial. " + DASHED,
        SHARE_OF_DUMB,
        told,
        line=1.0,
    )


def schedule(rates: Points) -> Figure | None:
    """The learning rate step by step."""
    reading = "The learning rate at each step. Once it is next to nothing, the weights no longer move."
    return lines(
        "The learning rate is gone early", reading, ("step", "learning rate"), [Line("rate", rates, "wrong")]
    )


def rates(rate: float, highest: float) -> Figure:
    """The learning rate now, beside its highest."""
    return dots(
        "The learning rate is gone early",
        "The learning rate at its highest and now, on a scale of powers of ten.",
        "learning rate",
        {"highest": highest, "now": rate},
        marked="now",
    )


DRAWERS: dict[str, tuple[Drawer, ...]] = {
    "not-finite": (before_the_break, broken_off),
    "over-regularised": (with_and_without,),
    "batch-too-small": (larger_batches,),
    "learning-rate-too-high": (trials, two_rates, leaping, leap),
    "learning-rate-too-low": (trials, gained, crawling, beside_rival),
    "exploding-gradient": (leaps, grown),
    "clipping-always": (one_length, unclipped),
    "plateau": (stands_still, getting_off),
    "schedule-collapsed": (schedule, rates),
}
