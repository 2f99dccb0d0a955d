"""Does the answer depend on the question? (diagnosis 20)

    max |f(x) - f(0)| > 1e-6 · max |f(x)|     for each tensor of the inputs, after a rehearsal

A net whose output stays the same when an input is replaced by zeros has lost that input on the way.
It is tried after the rehearsal, since an output layer that starts at zero ignores everything before
its first step. Source: Karpathy (2019), "input-independent baseline"; TheDeepChecker.
"""

import torch

from preceptor.diagnose.check import Check, undisturbed
from preceptor.diagnose.one_batch import Rehearsal
from preceptor.finding import Finding

NOTHING = 1e-6


@undisturbed()
def check_ignored_input(rehearsal: Rehearsal) -> Check:
    """Whether zeroing any one of the input tensors leaves the output as it was."""
    with torch.no_grad():
        change = {
            str(place): _change(rehearsal, place)
            for place, x in enumerate(rehearsal.inputs)
            if bool((x != x[:1]).any())
        }
    ignored = [place for place, size in change.items() if size <= NOTHING]
    evidence = {"change": change}
    if not ignored:
        return Check("ignored-input", "answers depend on the inputs", evidence)
    which = "its inputs" if len(ignored) == len(change) else f"input {' and '.join(ignored)} of {len(change)}"
    finding = Finding(
        "input-ignored",
        "warning",
        f"The net ignores {which}: with zeros in their place the output stays the same.",
        evidence=evidence,
        remedy="Follow the tensor through forward(): it is dropped, overwritten or multiplied by zero.",
    )
    return Check("ignored-input", f"ignores {which}", evidence, finding)


def _change(rehearsal: Rehearsal, place: int) -> float:
    """The largest change of the output, as a share of its size, when one input is zeroed."""
    inputs = list(rehearsal.inputs)
    inputs[place] = torch.zeros_like(inputs[place])
    size = rehearsal.output.abs().max().clamp(min=1e-12)
    return float((rehearsal.net(*inputs) - rehearsal.output).abs().max() / size)
