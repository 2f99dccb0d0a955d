"""One look at a net in training: losses, gradients, updates, and how its units fare on the probe rows.

    dead        a rectifier's unit that is 0 for every probe row, and every place of it
    saturated   a tanh or sigmoid unit that lies at the edge (|tanh| > 0.97) in 85 % of its places and more
    U           ‖W_after - W_before‖ / ‖W_before‖ of the last step, by parameter tensor
    uphill      cos(ΔW, ∇L_probe): above zero, the step climbs

Units are counted, not elements: a healthy rectifier is 0 half of the time. Sources: TheDeepChecker (dead,
saturated), Cockpit (update sizes). All is computed in the case's mirror.
"""

import torch
from torch import Tensor, nn

from preceptor.diagnose.case import Case
from preceptor.diagnose.check import undisturbed
from preceptor.diagnose.record import Look, Unit
from preceptor.diagnose.trace import RECTIFIERS, SQUASHERS, Applied, Trace, by_unit

EDGE, MOSTLY, FEWEST = 0.97, 0.85, 6
Glance = list[Tensor]
"""The weights a step ago, so that a look can tell what the step did."""


def first_look(case: Case) -> Look:
    """What a look at the untrained net shows."""
    return case.once("first look", lambda: look(case, first=True))


def look(case: Case, before: Glance | None = None, *, first: bool = False) -> Look:
    """Look at the net as it is now, or as it was at first."""
    net = case.reflect(first=first)
    with undisturbed():
        trace = Trace()
        with trace.of(net):
            output = case.answer(net, case.probe)
        value = case.loss(output, case.probe.goal)
        torch.autograd.backward(value)
        held, accuracy = _held_out(case, net)
    named = dict(net.named_parameters())
    weights, steps = _moved(case.net, before)
    return Look(
        step=0 if first else case.record.step,
        train=float(value.detach()) / case.dumb,
        validation=held,
        accuracy=None if not case.classifies else (_accuracy(case, output, case.probe.goal), accuracy),
        gradients=_norms({name: p.grad for name, p in case.net.named_parameters()}),
        fresh=_norms({name: p.grad for name, p in named.items()}),
        updates={name: size for name, (size, _) in steps.items()},
        uphill=_uphill({name: move for name, (_, move) in steps.items()}, named),
        units=units(trace),
        weights=weights,
    )


@torch.no_grad()
def _held_out(case: Case, net: nn.Module) -> tuple[float | None, float | None]:
    """Loss, as a share, and accuracy on a few validation rows."""
    if case.validation is None:
        return None, None
    rows = case.validation.few()
    output = case.answer(net, rows)
    accuracy = _accuracy(case, output, rows.goal) if case.classifies else None
    return case.loss_of(output, rows.goal) / case.dumb_held_out, accuracy


def both_modes(case: Case) -> tuple[float, float] | None:
    """The validation loss of the net as it is now, in evaluation and in training mode."""
    if case.validation is None:
        return None
    net, rows, losses = case.reflect(), case.validation.few(2_000), []
    with undisturbed(), torch.no_grad():
        for training in (False, True):
            losses.append(case.loss_of(case.answer(net.train(training), rows), rows.goal))
    net.eval()
    return losses[0], losses[1]


def _accuracy(case: Case, output: Tensor, goal: Tensor) -> float:
    return float(case.right(output, goal).float().mean())


def _norms(tensors: dict[str, Tensor | None]) -> dict[str, float]:
    """The norm of each tensor that is there."""
    found = {name: tensor.detach() for name, tensor in tensors.items() if tensor is not None}
    if not found:
        return {}
    norms = torch.stack(list(torch._foreach_norm(list(found.values())))).tolist()
    return dict(zip(found, norms, strict=True))


@torch.no_grad()
def _moved(net: nn.Module, before: Glance | None) -> tuple[float, dict[str, tuple[float, Tensor]]]:
    """‖W‖ of all weights, and of each tensor U and the step itself."""
    parameters = dict(net.named_parameters())
    norms = _norms({name: p.detach() for name, p in parameters.items()})
    total = sum(norm**2 for norm in norms.values()) ** 0.5
    if before is None:
        return total, {}
    steps = {
        name: p.detach() - old for (name, p), old in zip(parameters.items(), before, strict=True)
    }  # fmt: skip
    sizes = _norms(dict(steps))
    return total, {name: (sizes[name] / max(norms[name], 1e-12), step) for name, step in steps.items()}


@torch.no_grad()
def _uphill(steps: dict[str, Tensor], named: dict[str, nn.Parameter]) -> float | None:
    """The cosine between the last step and the probe's gradient."""
    pairs = [(step, grad) for name, step in steps.items() if (grad := named[name].grad) is not None]
    if not pairs:
        return None
    dot = sum(float((step * grad).sum()) for step, grad in pairs)
    size = sum(float(step.square().sum()) for step, _ in pairs) ** 0.5
    slope = sum(float(grad.square().sum()) for _, grad in pairs) ** 0.5
    return dot / (size * slope) if size * slope > 0 else None


def units(trace: Trace) -> list[Unit]:
    """How each hidden activation's units fare; the output's own activation is left out by `last`."""
    return [
        _unit(step)
        for step in trace.activations
        if step.op in RECTIFIERS | SQUASHERS and by_unit(step.made).shape[1] >= FEWEST
    ]


def _unit(step: Applied) -> Unit:
    made = by_unit(step.made)
    if step.op in RECTIFIERS:
        silent = by_unit(step.given) <= 0
        return Unit(step.layer, step.op, dead=float(silent.all(0).float().mean()), units=silent.shape[1])
    edge = made.abs() > EDGE if step.op == "tanh" else (2 * made - 1).abs() > EDGE
    return Unit(
        step.layer,
        step.op,
        saturated=float((edge.float().mean(0) > MOSTLY).float().mean()),
        units=edge.shape[1],
    )
