"""The answer does not depend on the question (20). Certain.

    max |f(x) - f(x')| <= 1e-6 · max |f(x)|, after a rehearsal, where x' holds another row's value of one
    input

A net whose output stays the same when rows exchange an input has lost that input on the way. It is tried
after the rehearsal, since an output layer that starts at zero ignores everything before its first step; and
with other rows' values, which the net is known to take. Layers at rest or alike keep the input back too, and
are named themselves. Source: Karpathy (2019), "input-independent baseline"; TheDeepChecker.
"""

from preceptor.diagnose.before.dead_units import dead_units
from preceptor.diagnose.before.saturated_units import saturated_units
from preceptor.diagnose.before.symmetric_start import symmetric_start
from preceptor.diagnose.before.vanishing_gradient import vanishing_gradient
from preceptor.diagnose.case import Case
from preceptor.finding import Finding

NOTHING = 1e-6


def input_ignored(case: Case) -> Finding | None:
    """An input that does not matter."""
    inputs = case.rehearsal.inputs
    change = {str(place): _change(case, place) for place, x in enumerate(inputs) if bool((x != x[:1]).any())}
    ignored = [place for place, size in change.items() if size <= NOTHING]
    if not ignored or symmetric_start(case) or _at_rest(case):
        return None
    which = "its inputs" if len(ignored) == len(change) else f"input {' and '.join(ignored)} of {len(change)}"
    return Finding(
        "input-ignored",
        "warning",
        f"The net ignores {which}: with other rows' values in their place the output stays the same."
        " It can learn no more than the commonest answer.",
        evidence={"change": change},
        remedy="Follow the tensor through forward(): it is dropped, overwritten or multiplied by zero.",
    )


def _change(case: Case, place: int) -> float:
    """The largest change of the output, as a share of its size, when rows exchange one input."""
    rehearsal = case.rehearsal
    inputs = list(rehearsal.inputs)
    inputs[place] = inputs[place].roll(1, 0)
    size = rehearsal.output.abs().max().clamp(min=1e-12)
    return float((rehearsal.answer(inputs) - rehearsal.output).abs().max() / size)


def _cut(case: Case) -> bool:
    """Whether a layer is given the same for all rows, though no activation before it has made it so."""
    for step in case.trace.steps:
        if bool((step.given == step.given[:1]).all()):
            return len(step.given) == case.probe.number
        if step.weight is None and bool((step.made == step.made[:1]).all()):
            return False
    return False


def _at_rest(case: Case) -> bool:
    """Whether the input arrives at the first layer, and layers at rest keep it back."""
    first = next((step.given for step in case.trace.weighted), None)
    arrives = first is not None and bool((first != first[:1]).any())
    if arrives and _cut(case):
        return False
    return arrives and any(at_rest(case) for at_rest in (dead_units, saturated_units, vanishing_gradient))
