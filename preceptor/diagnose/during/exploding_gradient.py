"""The gradient explodes (27).

    symptom   of the norms seen, the highest is more than 10 times the 90th percentile, or the norm grows
              more than a hundredfold over its first, or recurrent weights amplify (largest singular value of
              a recurrent matrix above 1.5)
    harm      the same net with gradients clipped to norm 1, or a tenth of it, comes lower by 0.1 in half of
              the steps

Source: Pascanu et al. (2013); AutoTrainer (ratio > 70); tuning playbook (clip at the 90th percentile).
"""

import numpy as np
import torch

from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import half, poor, reached
from preceptor.diagnose.trial import tried
from preceptor.finding import Finding

SPIKE, GROWN, GAIN, HARM, STEPS = 10.0, 100.0, 1.5, 0.1, 16


def exploding_gradient(case: Case) -> Finding | None:
    """Norms that leap, in a run that clipping helps."""
    norms = case.record.norm
    if len(norms) < STEPS:
        return None
    finite = norms[np.isfinite(norms)]
    spike = float(finite.max() / max(np.quantile(finite, 0.9), 1e-30)) if len(finite) else 0.0
    grown = float(finite.max() / max(finite[0], 1e-30)) if len(finite) else 0.0
    gain = _gain(case)
    if spike <= SPIKE and grown <= GROWN and gain <= GAIN and len(finite) == len(norms):
        return None
    clipped = min(tried(case, half(case), clip=level).train for level in (1.0, 0.1))
    lost = reached(case) - clipped
    if not lost > HARM or not poor(case):
        return None
    return Finding(
        "exploding-gradient",
        "warning",
        f"Up to step {case.record.step} the gradient's norm leaps to"
        f" {float(finite.max()) if len(finite) else np.inf:.3g},"
        f" {spike:.0f} times its 90th percentile; recurrent weights amplify up to {gain:.1f}-fold a step."
        f" Clipped, half of the steps bring the loss to {clipped:.2f} of the constant answer's.",
        evidence={"spike": spike, "grown": grown, "gain": gain, "clipped": clipped},
        remedy="nn.utils.clip_grad_norm_(net.parameters(), 1.0) before optimiser.step(); orthogonal recurrent"
        " weights.",
    )


@torch.no_grad()
def _gain(case: Case) -> float:
    """The largest singular value of the first recurrent matrices, by gate."""
    case.reflect(first=True)
    gains = [0.0]
    for name, weight in case.mirror.named_parameters():
        if "weight_hh" in name:
            gains += [
                float(torch.linalg.matrix_norm(part, 2)) for part in torch.split(weight, weight.shape[1])
            ]
    return max(gains)
