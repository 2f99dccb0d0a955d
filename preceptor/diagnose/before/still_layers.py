"""Layers that are at rest before training has begun: dead (28), saturated (29), or without gradient (26).

    dead        more than half of a rectifier's units are 0 for every probe row
    saturated   more than half of a tanh's or sigmoid's units lie at the edge in 85 % of their places
    vanishing   the first weight layer's gradient, per weight's size, is < 1e-4 of the last one's
    harm        the net cannot learn a handful of rows by heart (loss > 0.5 of the constant answer's); for
                dead and saturated layers also: 19 of 20 and more of them are so

Units are counted, not elements: that half of all outputs of a ReLU are 0 is as it should be, which is what
other tools alarm at. Sources: TheDeepChecker; SageMaker (active < 1 % of rows); AutoTrainer (the ratio,
1e-3).
"""

from preceptor.diagnose.case import Case
from preceptor.diagnose.look import first_look
from preceptor.diagnose.record import Unit
from preceptor.finding import Finding

HALF, MOST, FADED, POOR = 0.5, 0.95, 1e-4, 0.5


def dead_units(case: Case) -> Finding | None:
    """Rectifiers that are silent from the start."""
    worst = max(first_look(case).units, key=lambda unit: unit.dead, default=None)
    if worst is None or worst.dead <= HALF or not _harmed(case, worst.dead):
        return None
    return dead(worst, 0, {"learnt_by_heart": case.rehearsal.share})


def dead(unit: Unit, step: int, harm: dict[str, float]) -> Finding:
    """The finding, at whatever step."""
    return Finding(
        "dead-units",
        "warning",
        f"In layer {unit.layer!r} {unit.dead:.0%} of the ReLU units are 0 for every probe row at step {step}."
        " No gradient passes through a dead unit, so it never comes back.",
        layer=unit.layer,
        evidence={"step": step, "dead": unit.dead, **harm},
        remedy="Lower the learning rate, start biases at 0 (nn.init.zeros_(layer.bias)), or take"
        " nn.LeakyReLU.",
    )


def saturated_units(case: Case) -> Finding | None:
    """Squashed units that stand at the edge from the start."""
    units = [unit for unit in first_look(case).units if not _makes_output(case, unit)]
    worst = max(units, key=lambda unit: unit.saturated, default=None)
    if worst is None or worst.saturated <= HALF or not _harmed(case, worst.saturated):
        return None
    return saturated(worst, 0, {"learnt_by_heart": case.rehearsal.share})


def saturated(unit: Unit, step: int, harm: dict[str, float]) -> Finding:
    """The finding, at whatever step."""
    return Finding(
        "saturated-units",
        "warning",
        f"In layer {unit.layer!r} {unit.saturated:.0%} of the {unit.op} units stand at the edge of their"
        " range for"
        f" nearly all probe rows at step {step}. There the curve is flat and the gradient next to nothing.",
        layer=unit.layer,
        evidence={"step": step, "saturated": unit.saturated, **harm},
        remedy="Draw smaller weights (nn.init.xavier_uniform_), standardise the inputs, or put a LayerNorm"
        " before it.",
    )


def vanishing_gradient(case: Case) -> Finding | None:
    """Gradients that fade on their way to the first layer."""
    ratio = faded(case, first_look(case).fresh)
    if ratio is None or not 0 < ratio[1] < FADED or case.rehearsal.share <= POOR:
        return None
    return vanishing(ratio, 0, {"learnt_by_heart": case.rehearsal.share})


def vanishing(ratio: tuple[str, float], step: int, harm: dict[str, float]) -> Finding:
    """The finding, at whatever step."""
    return Finding(
        "vanishing-gradient",
        "warning",
        f"At step {step} the gradient of {ratio[0]!r} is {ratio[1]:.1e} of the last layer's. The error fades"
        " on its way back, so that the first layers stay as they were drawn.",
        layer=ratio[0],
        evidence={"step": step, "ratio": ratio[1], **harm},
        remedy="Take ReLU in place of sigmoid or tanh, residual connections, or a normalisation between"
        " layers.",
    )


def faded(case: Case, gradients: dict[str, float]) -> tuple[str, float] | None:
    """The first weight layer that learns, and its gradient over the last one's, each per root of its size."""
    weights = {
        name: p for name, p in case.net.named_parameters() if p.ndim > 1 and gradients.get(name) is not None
    }
    if len(weights) < 3:
        return None
    sizes = {name: gradients[name] / p.numel() ** 0.5 for name, p in weights.items()}
    first, last = next(iter(sizes)), list(sizes)[-1]
    return (first, sizes[first] / sizes[last]) if sizes[last] > 0 else None


def _harmed(case: Case, share: float) -> bool:
    return case.rehearsal.share > POOR or share > MOST


def _makes_output(case: Case, unit: Unit) -> bool:
    """Whether this is the activation that makes the output, which may stand at its edge by right."""
    return bool(case.last) and unit.op == case.last and unit.layer == case.trace.activations[-1].layer
