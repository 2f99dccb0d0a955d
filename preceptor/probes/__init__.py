"""Probes: questions put to a net and its data by trying, one a file; none leaves a trace.

    find_learning_rate(net, inputs, goal, loss)          # how large may the steps be?
    probe_batch_size(net, inputs, goal, loss)            # how many rows at once, and what do they cost?
    learning_curve(teach, rows=..., mark=...)            # would more data help?
    bias_variance(teach, rows=..., answer=..., truth=...)  # too stiff, or too nervous?
    landscape(net, inputs, goal, loss)                   # is the minimum sharp or flat?
    backpropagation(net, inputs, goal, loss)             # every node's value and gradient

`inputs` are the tensors that `net(*inputs)` takes, `loss(output, goal)` is a scalar.
"""

from preceptor.probes.backpropagation import Passes, backpropagation
from preceptor.probes.batch_size import BatchSizes, probe_batch_size
from preceptor.probes.landscape import Landscape, landscape, sharpness
from preceptor.probes.learning_rate import RateRange, find_learning_rate
from preceptor.probes.resampling import BiasVariance, LearningCurve, bias_variance, learning_curve

__all__ = [
    "BatchSizes",
    "BiasVariance",
    "Landscape",
    "LearningCurve",
    "Passes",
    "RateRange",
    "backpropagation",
    "bias_variance",
    "find_learning_rate",
    "landscape",
    "learning_curve",
    "probe_batch_size",
    "sharpness",
]
