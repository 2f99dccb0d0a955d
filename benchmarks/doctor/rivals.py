"""Rivals on the same runs, written from their published formulas; no line of their code.

Each is a function of a `Trace` that yields (epoch, number of the catalogue) in the order in which it would
speak; epoch 0 is before the first step. Where a rule speaks of accuracy and the answer is a number, R² stands
in for it. What cannot be asked in plain PyTorch (a Keras loss that wants a softmax) is left out, in the
rival's favour: it cannot cry wolf.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.doctor.trace import Layer, Moment, Trace

Said = Iterator[tuple[int, int]]


def umlaut(trace: Trace) -> Said:
    """UMLAUT (CHI 2021): eleven checks, each epoch by itself."""
    if not trace.whole_numbers and (trace.low < -1 or trace.high > 1):
        yield 0, 1
    if not trace.inputs_finite:
        yield 0, 3
    if trace.oblong:
        yield 0, 5
    if trace.learning_rate > 1e-2:
        yield 0, 23
    if trace.learning_rate < 1e-7:
        yield 0, 24
    if trace.last_activation in ("ReLU", "Tanh"):
        yield 0, 16
    if trace.linear_pair:
        yield 0, 18
    if trace.dropout > 0.5:
        yield 0, 32
    for epoch, now in enumerate(trace.moments, start=1):
        yield from ((epoch, number) for number in _umlaut_epoch(trace, epoch, now))


def _umlaut_epoch(trace: Trace, epoch: int, now: Moment) -> Iterator[int]:
    if not now.finite:
        yield 25
    before = trace.moments[epoch - 2] if epoch > 1 else None
    if before and now.held_loss > before.held_loss and now.train_loss < before.train_loss:
        yield 33
    if trace.classes and (now.held_score > 0.95 or now.held_score > now.train_score + 0.05):
        yield 8


def autotrainer(trace: Trace) -> Said:
    """AutoTrainer (ICSE 2021): every third epoch; layers are blamed only where the accuracy is poor."""
    scores = [moment.train_score for moment in trace.moments]
    for epoch in range(3, len(scores) + 1, 3):
        now, so_far = trace.moments[epoch - 1], scores[:epoch]
        gains = np.diff(so_far)
        if not now.finite:
            yield epoch, 25
            continue
        if max(so_far) < 0.6 or not (gains >= 0.01).any():
            yield from ((epoch, number) for number in _autotrainer_layers(now.layers))
        if (gains <= -0.03).mean() >= 0.2:
            yield epoch, 23
        if not (gains >= 0.01).any() and max(so_far) < 0.6:
            yield epoch, 24


def _autotrainer_layers(layers: list[Layer]) -> Iterator[int]:
    first, last = layers[0].gradient_norm, layers[-1].gradient_norm
    if first < 1e-4 and first < 1e-3 * last:
        yield 26
    if first > 70 * max(last, 1e-30):
        yield 27
    if any(layer.gradient_zeros >= 0.7 for layer in layers):
        yield 28


def deepdiagnosis(trace: Trace) -> Said:
    """DeepDiagnosis (ICSE 2022): eight symptoms, no second key."""
    for epoch, now in enumerate(trace.moments, start=1):
        if not now.finite:
            yield epoch, 25
        if any(one.at_most_zero >= 0.7 for one in now.activations if one.relu):
            yield epoch, 28
        if any(one.beyond_5 > 0.5 for one in now.activations):
            yield epoch, 29
        if any(layer.change_mean < 1e-7 for layer in now.layers):
            yield epoch, 26
        if any(not 1e-5 <= layer.variance <= 10 for layer in now.layers):
            yield epoch, 14
        ratios = [trace.learning_rate * layer.change_ratio for layer in now.layers]
        if any(ratio > 1e-1 for ratio in ratios):
            yield epoch, 23
        if all(ratio < 1e-5 for ratio in ratios) or _flat(trace.moments[:epoch]):
            yield epoch, 24


def _flat(moments: list[Moment]) -> bool:
    """Neither loss nor accuracy has moved in three epochs."""
    if len(moments) < 4:
        return False
    old, now = moments[-4], moments[-1]
    return now.train_loss >= old.train_loss and now.train_score <= old.train_score


def sagemaker(trace: Trace) -> Said:
    """SageMaker Debugger's built-in rules on layers."""
    if trace.start_ratio > 10:
        yield 0, 14
    for epoch, now in enumerate(trace.moments, start=1):
        if not now.finite:
            yield epoch, 25
        if any(one.dead_units > 0.5 for one in now.activations if one.relu):
            yield epoch, 28
        if any(layer.gradient_mean < 1e-7 for layer in now.layers):
            yield epoch, 26
        if any(one.beyond_tanh > 0.5 for one in now.activations):
            yield epoch, 29


def loss_curve(trace: Trace) -> Said:
    """What one may say from the two curves alone."""
    train = np.array([moment.train_loss for moment in trace.moments])
    held = np.array([moment.held_loss for moment in trace.moments])
    for epoch in range(1, len(train) + 1):
        if not math.isfinite(train[epoch - 1] + held[epoch - 1]):
            yield epoch, 25
            return
        lowest = train[:epoch].min()
        if train[epoch - 1] > 2 * lowest > 0:
            yield epoch, 23
        best = int(held[:epoch].argmin())
        if epoch - 1 - best >= 3 and held[epoch - 1] > 1.1 * held[best] and train[epoch - 1] < train[best]:
            yield epoch, 33
    if len(train) > 2 and train[-1] > 0.95 * train[0]:
        yield len(train), 24
    elif len(train) > 2 and train[-1] < 0.95 * train[-2] and held[-1] < 0.95 * held[-2]:
        yield len(train), 34


RIVALS: dict[str, Callable[[Trace], Said]] = {
    "UMLAUT": umlaut,
    "AutoTrainer": autotrainer,
    "DeepDiagnosis": deepdiagnosis,
    "SageMaker Debugger": sagemaker,
    "loss curve": loss_curve,
}


def said(trace: Trace) -> dict[str, list[tuple[float, int]]]:
    """What each rival says first of each number: (share of the epochs, number)."""
    epochs = max(len(trace.moments), 1)
    told = {}
    for name, rival in RIVALS.items():
        first: dict[int, float] = {}
        for epoch, number in rival(trace):
            first.setdefault(number, epoch / epochs)
        told[name] = [(share, number) for number, share in first.items()]
    return told
