"""The gradient is cut off on its way back through time (46). Certain.

    a small change of step t changes the answer (forward), and yet ∂ answer / ∂ x_t is exactly 0 (backward),
    for more than half of the steps that are read, and three at least

A state was detached, or passed through no_grad: the net remembers, and cannot learn what to remember. It is
not the gradient that fades (that is small and not zero), nor a maximum over time, which a small change of
another step does not move. Source: DEFault++; the length of truncated BPTT.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from preceptor.diagnose.case import Case
from preceptor.diagnose.check import undisturbed
from preceptor.finding import Finding

MOSTLY, MOVED, SMALL, FEWEST, SHORTEST, ROWS, ASKED = 0.5, 1e-6, 1e-2, 3, 4, 16, 48


def memory_cut(case: Case) -> Finding | None:
    """Steps that are read and never learnt from."""
    x = case.probe.inputs[0]
    long_enough = (x.ndim == 3 and x.is_floating_point()) or (x.ndim == 2 and not x.is_floating_point())
    if not long_enough or x.shape[1] < SHORTEST:
        return None
    steps = torch.linspace(0, x.shape[1] - 1, min(ASKED, x.shape[1])).round().long()
    found = _slopes_and_moves(case, case.probe.take(slice(ROWS)).inputs, steps)
    if found is None:
        return None
    slopes, moves = found
    cut = (slopes == 0) & (moves > MOVED)
    read = cut | (slopes > 0)
    if int(cut.sum()) < FEWEST or int(cut.sum()) <= MOSTLY * int(read.sum()):
        return None
    return Finding(
        "memory-cut",
        "warning",
        f"The last answer depends on {int(read.sum())} of {len(steps)} steps asked, but no gradient"
        f" reaches {int(cut.sum())} of them. The net cannot learn what it should remember from them.",
        evidence={"steps": x.shape[1], "cut": steps[cut].tolist()[:100]},
        remedy="Do not detach the state within a sequence (no .detach(), no torch.no_grad()); truncate after"
        " more steps.",
    )


def _slopes_and_moves(case: Case, inputs: list[Tensor], steps: Tensor) -> tuple[Tensor, Tensor] | None:
    """By step (T,): the last answer's gradient, and how far a nudge moves it, as a share of its size."""
    net, x = case.copy().requires_grad_(True), inputs[0]
    embedded = _embedded(net, inputs, x)
    if embedded is None:
        return None
    start, answer = embedded
    with undisturbed(), torch.backends.cudnn.flags(enabled=False):
        leaf = start.clone().requires_grad_()
        usual = answer(leaf)
        if not usual.requires_grad:
            return None
        slope = torch.autograd.grad(usual.square().sum(), leaf, allow_unused=True)[0]
        if slope is None:
            return None
        nudge = SMALL * start.std() * torch.randn(start[:, 0].shape, device=start.device)
    usual, moves = usual.detach(), []
    for step in steps.tolist():
        nudged = start.clone()
        nudged[:, step] += nudge
        with undisturbed(), torch.no_grad():
            moves.append(float((answer(nudged) - usual).abs().max() / usual.abs().max().clamp(min=1e-12)))
    return slope.abs().flatten(2).sum(2).sum(0).cpu()[steps], torch.tensor(moves)


def _embedded(
    net: nn.Module, inputs: list[Tensor], x: Tensor
) -> tuple[Tensor, Callable[[Tensor], Tensor]] | None:
    """What the net makes of its steps first (B, T, F), numbers or embeddings, and its answer to others."""
    if x.is_floating_point():
        return x.detach(), lambda given: _last(net(given, *inputs[1:]), x.shape[1])
    given: list[Tensor] = []
    made: list[Tensor] = []

    def exchange(_: nn.Module, __: object, output: Tensor) -> Tensor:
        made.append(output)
        return given[0] if given and output.shape == given[0].shape else output

    embedding = next((module for module in net.modules() if isinstance(module, nn.Embedding)), None)
    if embedding is None:
        return None
    embedding.register_forward_hook(exchange)

    def answer(tokens: Tensor) -> Tensor:
        given[:] = [tokens]
        return _last(net(*inputs), x.shape[1])

    with undisturbed(), torch.no_grad():
        net(*inputs)
    if not made or made[0].ndim != 3 or made[0].shape[:2] != x.shape:
        return None
    return made[0].detach(), answer


def _last(output: Tensor, steps: int) -> Tensor:
    """The answer after the last step."""
    return output[:, -1] if output.ndim == 3 and output.shape[1] == steps else output
