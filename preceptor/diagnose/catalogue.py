"""Every fault that can be named, in one table: the bench, `preceptor explain` and the docs draw from it.

    [fault.code for fault in CATALOGUE if fault.when == "before"]

Rows stand in the order in which faults explain each other: what the loader and the labels do, then the
wiring, then the scale of inputs and first weights, then the learning rate, then what the layers show, then
the fit. Of several that fit, the earlier is the likelier cause. `number` is the fault's row in the
catalogue of training faults; two codes may share a row. A `certain` fault needs one key, every other
needs two: a symptom, and evidence of harm.
"""

from typing import Literal, NamedTuple

When = Literal["before", "during", "reserved"]


class Fault(NamedTuple):
    """One row: its stable code, its number in the catalogue, its name, when it can be named first."""

    code: str
    number: int
    name: str
    when: When
    certain: bool = False


# fmt: off
CATALOGUE = (
    # what the loader and the labels do
    Fault("data-not-finite", 3, "NaN or infinity in the data", "before", True),
    Fault("constant-target", 4, "constant target", "before", True),
    Fault("uphill", 44, "flipped sign, rising loss", "before", True),
    Fault("target-leak", 9, "a feature that gives the answer away", "before", True),
    Fault("row-leak", 8, "training rows among the validation rows", "before", True),
    Fault("shuffled-labels-learnt", 8, "shuffled answers carry over", "before"),
    Fault("conflicting-labels", 10, "equal rows with different answers", "before", True),
    Fault("duplicate-rows", 7, "duplicate rows", "before", True),
    Fault("labels-misaligned", 37, "answers that do not belong to their rows", "before"),
    Fault("label-noise", 36, "wrong labels among the right ones", "before"),
    Fault("preprocessing-leak", 12, "preprocessing fitted on all data", "before", True),
    Fault("split-shift", 11, "training and validation rows differ", "before"),
    Fault("rows-in-order", 35, "rows visited in order, not shuffled", "during"),
    Fault("class-imbalance", 6, "class imbalance", "before"),
    Fault("constant-feature", 4, "constant feature", "before"),
    Fault("input-layout", 5, "integer or wrong-axis input", "before", True),
    # the wiring
    Fault("wrong-loss", 17, "wrong loss for the task", "before", True),
    Fault("output-mismatch", 16, "last activation does not fit the loss", "before", True),
    Fault("batch-mixed", 21, "rows of a batch are mixed", "before", True),
    Fault("input-ignored", 20, "the net ignores its input", "before", True),
    Fault("future-seen", 21, "the future is visible", "before", True),
    Fault("parameters-unmoved", 22, "frozen, or not in the optimiser", "before", True),
    Fault("symmetric-start", 15, "symmetric or constant first weights", "before", True),
    Fault("nonlinearity-missing", 18, "missing nonlinearity", "before", True),
    Fault("memory-cut", 46, "gradient cut off through time", "before", True),
    Fault("padding-attended", 46, "padding is read as if it were text", "before", True),
    Fault("gradients-accumulate", 39, "missing zero_grad", "during", True),
    Fault("wrong-mode", 40, "training in evaluation mode, or the reverse", "during", True),
    Fault("schedule-collapsed", 41, "the schedule has reached zero too early", "during"),
    Fault("clipping-always", 42, "clipping is always active", "during"),
    Fault("harmful-augmentation", 45, "harmful augmentation", "during"),
    # the scale of inputs and first weights
    Fault("inputs-unnormalised", 1, "unnormalised inputs", "before"),
    Fault("normalised-twice", 2, "double normalisation", "before"),
    Fault("signal-scale", 14, "bad scale of the first weights", "before"),
    Fault("dead-units", 28, "dead ReLUs", "before"),
    Fault("saturated-units", 29, "saturated sigmoid or tanh", "before"),
    Fault("starting-loss", 13, "wrong initial loss", "before"),
    # the learning rate, and what holds the net down
    Fault("over-regularised", 32, "over-regularised", "during"),
    Fault("batch-too-small", 38, "batch too small, gradient too noisy", "during"),
    Fault("learning-rate-too-high", 23, "learning rate too high", "during"),
    Fault("learning-rate-too-low", 24, "learning rate too low", "during"),
    # what the layers show
    Fault("not-finite", 25, "divergence: NaN or infinity", "during"),
    Fault("vanishing-gradient", 26, "vanishing gradient", "before"),
    Fault("exploding-gradient", 27, "exploding gradient", "during"),
    Fault("plateau", 30, "plateau or saddle", "during"),
    # the fit
    Fault("no-better-than-chance", 37, "no better than chance on unseen rows", "during"),
    Fault("underfitting", 31, "underfitting", "during"),
    Fault("overfitting", 33, "overfitting", "during"),
    Fault("too-few-epochs", 34, "too few epochs", "during"),
    Fault("metric-apart", 43, "the loss does not stand for the metric", "during"),
    Fault("one-batch", 19, "cannot fit one batch", "before"),
    # kept for generators of pictures
    Fault("generator-collapsed", 47, "a generator that repeats itself", "reserved"),
    Fault("discriminator-wins", 48, "a discriminator that wins, a generator that blows up", "reserved"),
)
# fmt: on

RANK = {fault.code: place for place, fault in enumerate(CATALOGUE)}
"""Each code's place in the order of explanation."""
