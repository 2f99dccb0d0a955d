"""The gradient is cut off on its way back through time (46). Certain.

    changing step t changes the answer's loss (forward), and yet ∂ loss / ∂ x_t is exactly 0 (backward),
    for more than half of the steps that are read, and three at least

A state was detached, or passed through no_grad: the net remembers, and cannot learn what to remember. It is
not the gradient that fades (that is small and not zero). Source: DEFault++; the length of truncated BPTT.
"""

import torch
from torch import Tensor, nn

from preceptor.diagnose.case import Case
from preceptor.diagnose.check import undisturbed
from preceptor.finding import Finding

MOSTLY, MOVED, FEWEST = 0.5, 1e-5, 3


def memory_cut(case: Case) -> Finding | None:
    """Steps that are read and never learnt from."""
    x = case.probe.inputs[0]
    long_enough = (x.ndim == 3 and x.is_floating_point()) or (x.ndim == 2 and not x.is_floating_point())
    if not long_enough or x.shape[1] < 4:
        return None
    rows = case.probe.take(slice(16))
    slopes, moves = _slopes(case, rows.inputs), _moves(case, rows.inputs)
    if slopes is None:
        return None
    read = moves > MOVED
    cut = (slopes == 0) & read
    if int(cut.sum()) < FEWEST or int(cut.sum()) <= MOSTLY * int(read.sum()):
        return None
    return Finding(
        "memory-cut",
        "warning",
        f"The last answer depends on {int((moves > MOVED).sum())} of {len(moves)} steps, but no gradient"
        f" reaches {int(cut.sum())} of them. The net cannot learn what it should remember from them.",
        evidence={"steps": len(moves), "cut": torch.nonzero(cut).flatten().tolist()[:100]},
        remedy="Do not detach the state within a sequence (no .detach(), no torch.no_grad()); truncate after"
        " more steps.",
    )


def _last(output: Tensor, steps: int) -> Tensor:
    """The answer after the last step."""
    return output[:, -1] if output.ndim == 3 and output.shape[1] == steps else output


def _slopes(case: Case, inputs: list[Tensor]) -> Tensor | None:
    """The size of the last answer's gradient at each step (T,); tokens by their embedding."""
    net, made, x = case.copy(), [], inputs[0]
    net.requires_grad_(True)

    def keep(_: nn.Module, __: object, output: Tensor) -> Tensor:
        made.append(output.detach().requires_grad_())
        return made[-1]

    with undisturbed(), torch.backends.cudnn.flags(enabled=False):
        if x.is_floating_point():
            made.append(x.detach().clone().requires_grad_())
            output = net(made[0], *inputs[1:])
        else:
            for module in net.modules():
                if isinstance(module, nn.Embedding):
                    module.register_forward_hook(keep)
            output = net(*inputs)
        if not made or made[0].shape[1] != x.shape[1] or not output.requires_grad:
            return None
        slope = torch.autograd.grad(_last(output, x.shape[1]).square().sum(), made[0], allow_unused=True)[0]
    return None if slope is None else slope.abs().flatten(2).sum(2).sum(0)


@torch.no_grad()
def _moves(case: Case, inputs: list[Tensor]) -> Tensor:
    """How far the last answer moves, as a share of its size, when one step is another row's (T,)."""
    net, x = case.reflect(first=True), inputs[0]
    with undisturbed(), torch.no_grad():
        usual = _last(net(*inputs), x.shape[1])
        moves = []
        for step in range(x.shape[1]):
            other = x.clone()
            other[:, step] = x[:, step].roll(1, dims=0)
            moved = _last(net(other, *inputs[1:]), x.shape[1]) - usual
            moves.append(float(moved.abs().max() / usual.abs().max().clamp(min=1e-12)))
    return torch.tensor(moves)
