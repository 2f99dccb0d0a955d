"""The gradient explodes (27).

    symptom   of the norms seen, the highest is more than 10 times the 90th percentile, or one is not finite,
              or the norm grows more than a hundredfold over its first, or recurrent weights amplify (largest
              singular value of a recurrent matrix above 1.5)
    harm      the same net, with gradients clipped to norm 1 or 0.1, or with its recurrent weights scaled to
              singular values of at most 1, comes lower in a trial by 0.1 (`progress.behind`), still
              after the run has gone on; and by 0.05 lower than the net as it is, in the same trial

Rows that are hard now and then make norms leap in healthy runs: only what the remedy mends is an alarm.
Source: Pascanu et al. (2013); AutoTrainer (ratio > 70); tuning playbook (clip at the 90th percentile).
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import MARGIN, again, behind, paced, plain, poor, so_long
from preceptor.diagnose.trial import Outcome, trial
from preceptor.finding import Finding

SPIKE, GROWN, GAIN, STEPS, LEVELS = 10.0, 100.0, 1.5, 8, (1.0, 0.1)


class _Leaps(NamedTuple):
    highest: float
    spike: float
    grown: float
    gain: float


def exploding_gradient(case: Case) -> Finding | None:
    """Norms that leap, in a run that calming helps."""
    leaps = _leaps(case)
    if leaps is None or not poor(case):
        return None
    ways = {f"clipped to {level:g}": again(case, clip=level) for level in LEVELS}
    if leaps.gain > GAIN:
        ways["with recurrent weights that do not amplify"] = _steadied(case)
    way = min(ways, key=lambda each: ways[each].train)
    if plain(case).train - ways[way].train < MARGIN / 2 or behind(case, ways[way], lasting=True) <= MARGIN:
        return None
    level = next((level for level in LEVELS if way.endswith(f" {level:g}")), LEVELS[0])
    return Finding(
        "exploding-gradient",
        "warning",
        f"Up to step {case.record.step} the gradient's norm leaps to {leaps.highest:.3g}, {leaps.spike:.0f}"
        f" times its 90th percentile; recurrent weights amplify up to {leaps.gain:.1f}-fold a step. A single"
        f" such step undoes many: {way}, {so_long(case)} bring the loss to {ways[way].train:.2f} of the"
        " constant answer's.",
        evidence={
            "step": case.record.step,
            "spike": leaps.spike,
            "grown": leaps.grown,
            "gain": leaps.gain,
            "calmed": ways[way].train,
        },
        remedy=f"nn.utils.clip_grad_norm_(net.parameters(), {level:g}) before optimiser.step(); orthogonal"
        " recurrent weights.",
        change={"training": {"clip": level}},
    )


def _leaps(case: Case) -> _Leaps | None:
    """How the norms leap, if they do."""
    norms = case.record.norm
    finite, gain = norms[np.isfinite(norms)], _gain(case)
    if len(norms) < STEPS or not len(finite):
        return None
    highest = float(finite.max())
    spike, grown = (highest / max(float(low), 1e-30) for low in (np.quantile(finite, 0.9), finite[0]))
    found = _Leaps(highest, spike, grown, gain)
    return found if spike > SPIKE or grown > GROWN or gain > GAIN or len(finite) < len(norms) else None


@torch.no_grad()
def _gain(case: Case) -> float:
    """The largest singular value of the first recurrent matrices, by gate."""
    recurrent = _recurrent(case.reflect(first=True))
    return max((_largest(part) for weight in recurrent for part in _gates(weight)), default=0.0)


def _recurrent(net: nn.Module) -> list[Tensor]:
    return [weight for name, weight in net.named_parameters() if "weight_hh" in name]


def _gates(weight: Tensor) -> tuple[Tensor, ...]:
    return torch.split(weight, weight.shape[1])


def _largest(part: Tensor) -> float:
    return float(torch.linalg.matrix_norm(part, 2))


def _steadied(case: Case) -> Outcome:
    """The trial with recurrent weights that do not amplify."""

    @torch.no_grad()
    def steady(net: nn.Module) -> nn.Module:
        for weight in _recurrent(net):
            for part in _gates(weight):
                part.mul_(min(1.0, 1 / max(_largest(part), 1e-12)))
        return net

    pace = paced(case)
    outcome: Outcome = case.once(f"steadied {pace}", lambda: trial(case, **pace, edit=steady))
    return outcome
