"""First weights drawn far too small or far too large (14).

    symptom   s = std(W) · √inputs of a hidden weight matrix < 0.1 or > 4 (the usual recipes lie between 0.16,
              GPT-2's 0.02 at width 64, and 1.41, He)
    harm      with such layers drawn anew (He) the same net comes lower in 60 steps, or in a quarter of the
              plan (240 at most), by a twentieth of the dumb loss

It is the weights that are judged, not the signal, which the inputs' scale would change as well. Layers that
start silent are meant to, and so is the last one; frozen ones have not been drawn. Source: He et al. (2015);
Glorot & Bengio (2010); SageMaker.
"""

import torch
from torch import nn

from preceptor.diagnose.case import Case
from preceptor.diagnose.trial import STEPS, trial, tried
from preceptor.finding import Finding

SMALL, LARGE, GAIN, LONGEST = 0.1, 4.0, 0.05, 240


def signal_scale(case: Case) -> Finding | None:
    """Weights whose scale lets the signal fade or swell."""
    scales = _scales(case)
    odd = {name: scale for name, scale in scales.items() if not SMALL <= scale <= LARGE}
    if not odd:
        return None

    def anew(net: nn.Module) -> nn.Module:
        for name, weight in net.named_parameters():
            if name in odd:
                nn.init.kaiming_uniform_(weight, a=5**0.5)
        for module in net.modules():
            if isinstance(module, nn.Embedding) and float(module.weight.detach().std()) < SMALL:
                nn.init.normal_(module.weight)
        return net

    for steps in (STEPS, max(STEPS, min((case.steps or 0) // 4, LONGEST))):
        as_is, mended = tried(case, steps).train, trial(case, steps=steps, edit=anew).train
        if as_is - mended > GAIN:
            break
    worst = max(odd, key=lambda name: abs(torch.tensor(odd[name]).log().item()))
    return Finding(
        "signal-scale",
        "warning" if as_is - mended > GAIN else "note",
        f"The first weights of {worst!r} are {odd[worst]:.2g} / √inputs in size ({len(odd)} of {len(scales)}"
        " layers"
        f" like it), where 0.6 to 1.4 is usual. The signal {'fades' if odd[worst] < 1 else 'swells'} from"
        f" layer to layer: in {steps} steps the loss gets to {min(as_is, 1e9):.2f} of the constant answer's,"
        f" with weights drawn anew to {mended:.2f}.",
        layer=worst.rpartition(".")[0],
        evidence={"scales": scales, "loss_as_is": min(as_is, 1e9), "loss_drawn_anew": mended},
        remedy="Draw them anew: nn.init.kaiming_normal_(layer.weight) for ReLU, xavier_normal_ for tanh.",
    )


@torch.no_grad()
def _scales(case: Case) -> dict[str, float]:
    """std(W) · √inputs of every weight matrix that is not silent; a last one may be as small as it likes."""
    used = [step.weight.data_ptr() for step in case.trace.weighted if step.weight is not None]
    last = used[-1] if used else None
    found = {}
    for name, weight in case.mirror.named_parameters():
        if not weight.requires_grad or weight.data_ptr() not in used:
            continue
        if min(weight.shape[:2]) < 2 or not weight.any():
            continue
        scale = float(weight.std() * weight[0].numel() ** 0.5)
        if weight.data_ptr() != last or scale > LARGE:
            found[name] = scale
    return found
