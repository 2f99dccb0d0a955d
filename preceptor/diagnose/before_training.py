"""The check-up of an untrained net in preceptor's own recipe: the same symptoms, each with what is said when
all is well.

for check in before_training(net, inputs, goal, loss, held_out=(inputs, goal)):
    print(check.text)
"""

from collections.abc import Callable, Collection, Sequence

from torch import Tensor, nn

from preceptor.diagnose.before.batch_mixed import batch_mixed
from preceptor.diagnose.before.input_ignored import input_ignored
from preceptor.diagnose.before.one_batch import one_batch
from preceptor.diagnose.before.parameters_unmoved import parameters_unmoved
from preceptor.diagnose.before.shuffled_labels import shuffled_labels
from preceptor.diagnose.before.signal_scale import signal_scale
from preceptor.diagnose.before.starting_loss import first_loss, starting_loss
from preceptor.diagnose.case import Case, Rows
from preceptor.diagnose.catalogue import CATALOGUE
from preceptor.diagnose.check import Check, Loss
from preceptor.finding import Finding

PROBED = 512
NAMES = {fault.code: fault.name for fault in CATALOGUE}

Symptom = Callable[[Case], Finding | None]
CHECKS: tuple[tuple[str, Symptom, Callable[[Case], str]], ...] = (
    ("starting-loss", starting_loss, lambda case: _start(case)),
    ("parameters", parameters_unmoved, lambda case: "gradients reach every layer"),
    ("ignored-input", input_ignored, lambda case: "answers depend on the inputs"),
    ("mixed-batch", batch_mixed, lambda case: "no mixing inside the batch"),
    ("signal-scale", signal_scale, lambda case: "the signal keeps its size through the layers"),
    ("one-batch", one_batch, lambda case: f"learns {len(case.rehearsal.goal)} rows by heart"),
    ("shuffled-labels", shuffled_labels, lambda case: "shuffled answers teach nothing"),
)


def before_training(
    net: nn.Module,
    inputs: Sequence[Tensor],
    goal: Tensor,
    loss: Loss,
    *,
    held_out: tuple[Sequence[Tensor], Tensor] | None = None,
    frozen: Collection[str] = (),
) -> list[Check]:
    """Every check of the untrained net on training rows, in the order in which they explain each other.

    `inputs` are what `net(*inputs)` takes, each (N, ...); `goal` (N, ...) and `loss(output, goal)` belong
    together. `held_out` is inputs and goal of validation rows; without it shuffled labels are not tried.
    `frozen` names parameters that are kept still on purpose. It costs a few hundred small steps at most,
    leaves weights and random generator as they were, and stops at an error: a loss that is not finite, or a
    net that has nothing to train.
    """
    rows = Rows(list(inputs), goal)
    held = None if held_out is None else Rows(list(held_out[0]), held_out[1])
    case = Case(net, loss, rows.few(PROBED), given_train=rows, validation=held, frozen=tuple(frozen))
    checks = []
    for name, symptom, well in CHECKS if held else CHECKS[:-1]:
        finding = symptom(case)
        text = NAMES[finding.code] if finding else well(case)
        checks.append(Check(name, text, finding.evidence if finding else {}, finding))
        if finding and finding.severity == "error":
            break
    return checks


def _start(case: Case) -> str:
    start, scale = first_loss(case)
    told = f"loss at start {start:.2f} (expected {scale.constant:.2f})"
    return f"{told}; a part was fitted before training" if getattr(case.net, "prepared", False) else told
