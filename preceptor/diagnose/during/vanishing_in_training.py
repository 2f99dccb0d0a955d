"""A gradient that does not reach the first layers while training runs (26).

    symptom   the first weight layer's gradient, per root of its size, < 1e-3 of the last one's; tables of
              embeddings do not count, since a batch asks for few of their rows
    harm      after a tenth of the plan (50 steps) less than 0.1 of the constant answer's loss has been
              gained, going on for a while gains no more, and a rival is better on rows held out by 0.1

Source: AutoTrainer (‖g₁‖ / ‖g_L‖ < 1e-3, and poor progress).
"""

from torch import nn

from preceptor.diagnose.before.vanishing_gradient import faded, vanishing
from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import MARGIN, beyond, lead, now, onward, reached, start
from preceptor.finding import Finding

FADED = 1e-3


def vanishing_in_training(case: Case) -> Finding | None:
    """First layers that stay as they were drawn, in a net that does not learn."""
    tables = {
        f"{name}.weight" for name, module in case.net.named_modules() if isinstance(module, nn.Embedding)
    }
    ratio = faded(case, {name: norm for name, norm in now(case).fresh.items() if name not in tables})
    if ratio is None or ratio[1] >= FADED or not beyond(case, 0.1, 50):
        return None
    if start(case) - min(reached(case), onward(case).train) > MARGIN or lead(case) < MARGIN:
        return None
    return vanishing(ratio, now(case).step, {"loss": reached(case), "onward": onward(case).train})
