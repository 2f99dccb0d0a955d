"""One look at a net in training: losses, gradients, the last step, and how its units fare on the probe rows.

    dead        a rectifier's unit that is 0 for every probe row, and every place of it
    saturated   a tanh or sigmoid unit that lies at the edge (|tanh| > 0.97) in 85 % of its places and more
    uphill      cos(ΔW, ∇L_probe): above zero, the step climbs

Units are counted, not elements: a healthy rectifier is 0 half of the time. Source: TheDeepChecker (dead,
saturated). All is computed in the case's mirror.
"""

import torch
from torch import Tensor, nn

from preceptor.diagnose.case import Case
from preceptor.diagnose.check import undisturbed
from preceptor.diagnose.record import Look, Moment, Unit, Weights
from preceptor.diagnose.trace import RECTIFIERS, SQUASHERS, Applied, Trace, by_unit

EDGE, MOSTLY, FEWEST = 0.97, 0.85, 6


def first_look(case: Case) -> Look:
    """What a look at the untrained net shows."""
    return case.once("first look", lambda: look(case, first=True))


def look(case: Case, moment: Moment | None = None, *, first: bool = False) -> Look:
    """Look at the net as it is now, as it was at a moment that was kept, or as it was at first."""
    net = case.reflect(first=first, weights=moment.after if moment else None)
    with undisturbed():
        trace = Trace()
        with trace.of(net):
            output = case.answer(net, case.probe)
        value = case.loss(output, case.probe.goal)
        torch.autograd.backward(value)
        held, accuracy = _held_out(case, net)
    return Look(
        step=moment.step if moment else 0 if first else case.record.step,
        train=case.share(case.by_row(float(value.detach()), case.probe.number)),
        validation=held,
        accuracy=None if not case.classifies else (_accuracy(case, output, case.probe.goal), accuracy),
        fresh=_norms({name: p.grad for name, p in net.named_parameters()}),
        uphill=None if moment is None else _uphill(moment, list(net.parameters())),
        units=units(trace),
    )


@torch.no_grad()
def _held_out(case: Case, net: nn.Module) -> tuple[float | None, float | None]:
    """Loss, as a share, and accuracy on a few validation rows."""
    if case.validation is None:
        return None, None
    rows = case.validation.few()
    output = case.answer(net, rows)
    accuracy = _accuracy(case, output, rows.goal) if case.classifies else None
    return case.share(case.loss_of(output, rows.goal), case.dumb_held_out), accuracy


def both_modes(case: Case, weights: Weights) -> tuple[float, float] | None:
    """The validation loss of the net with these weights, in evaluation and in training mode."""
    if case.validation is None:
        return None
    net, rows, losses = case.reflect(weights=weights), case.validation.few(2_000), []
    with undisturbed(), torch.no_grad():
        for training in (False, True):
            losses.append(case.loss_of(case.answer(net.train(training), rows), rows.goal))
    net.eval()
    return losses[0], losses[1]


def _accuracy(case: Case, output: Tensor, goal: Tensor) -> float:
    return float(case.right(output, goal).float().mean())


def _norms(tensors: dict[str, Tensor | None]) -> dict[str, float]:
    """The norm of each tensor that is there."""
    found = {name: tensor.detach().to_dense() for name, tensor in tensors.items() if tensor is not None}
    if not found:
        return {}
    norms = torch.stack(list(torch._foreach_norm(list(found.values())))).tolist()
    return dict(zip(found, norms, strict=True))


@torch.no_grad()
def _uphill(moment: Moment, parameters: list[nn.Parameter]) -> float | None:
    """The cosine between the step to this moment and the probe's gradient."""
    steps = [after - before for after, before in zip(moment.after, moment.before, strict=True)]
    pairs = [(step, p.grad) for step, p in zip(steps, parameters, strict=False) if p.grad is not None]
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
