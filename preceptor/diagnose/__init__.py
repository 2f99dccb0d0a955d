"""What goes wrong in training, one symptom a file: evidence, name, remedy.

For a training loop of your own, on any `nn.Module`, with any optimiser:

    doctor = preceptor.diagnose.watch(
        net, loss=loss_fn, probe=(x_few, y_few), optimiser=optimiser,
        train=(x, y), validation=(x_held_out, y_held_out), steps=planned_steps,
    )
    for finding in doctor.before():                # what can be named before the first step
        print(finding.code, finding.text, finding.remedy)
    for x_batch, y_batch in batches:
        optimiser.zero_grad()
        value = loss_fn(net(x_batch), y_batch)
        value.backward()
        optimiser.step()
        doctor(value, batch=(x_batch, y_batch))    # gradients still in place; `batch` may be left out
        ...
        doctor.validated(train_loss, validation_loss, metric)      # at an epoch's end, if you like: what is
                                                                   # certain by then is told in one line
    doctor.findings()                              # at any time: the likeliest cause first

Everything but `net`, `loss` and `probe` may be left out; what is not given is not judged. An alarm is a
finding of severity "warning" or "error"; a "note" is a symptom without harm. `CATALOGUE` is the table of all
faults: code, number, name, when they can be named, whether one key is enough. `doctor.share` is the share of
the loop's time that looking has cost. Inputs may be (x₁, x₂) where the net takes several.

For preceptor's own recipe:

    for check in before_training(net, inputs, goal, loss, held_out=(inputs, goal)):
        print(check.text)
    findings = diagnose(history, baseline_loss, rival_loss)

Symptoms share causes, so they are asked in the order in which they explain each other: numbers that are
none, then the learning rate, then the labels, then the fit. The first that fits is named, and the others
that would fit stand beside it in its evidence as `also`. A warning takes two keys, symptom and harm; the
numbers are shares of the dumb predictor's loss.
"""

from dataclasses import replace

import polars as pl

from preceptor.diagnose.before_training import before_training
from preceptor.diagnose.catalogue import CATALOGUE, Fault
from preceptor.diagnose.chance import chance
from preceptor.diagnose.check import Check
from preceptor.diagnose.curve import Curve, PerFold, curves
from preceptor.diagnose.divergence import divergence
from preceptor.diagnose.doctor import Doctor, watch
from preceptor.diagnose.learning_rate_high import learning_rate_high
from preceptor.diagnose.learning_rate_low import learning_rate_low
from preceptor.diagnose.overfitting import overfitting
from preceptor.diagnose.too_few_epochs import too_few_epochs
from preceptor.diagnose.underfitting import underfitting
from preceptor.finding import Finding

__all__ = ["CATALOGUE", "Check", "Doctor", "Fault", "before_training", "diagnose", "watch"]


def diagnose(
    history: pl.DataFrame,
    baseline_loss: PerFold,
    rival_loss: PerFold | None = None,
    *,
    kept_best: bool = True,
) -> list[Finding]:
    """Name what went wrong in the training that `history` records, in the order of explanation.

    `history` has the columns fold, epoch, step, learning_rate, train_loss, validation_loss and
    gradient_norm, a row an epoch. `baseline_loss` is the dumb predictor's validation loss, `rival_loss`
    the best rival's, for all folds or {fold: loss}, in the units of the validation loss (without label
    smoothing); without a rival fewer faults are certain enough to be named. A finding is named when more
    than half of the folds show it (an error: when any does); its numbers are those of the first such fold.
    """
    named = [_named(curve) for curve in curves(history, baseline_loss, rival_loss, kept_best=kept_best)]
    found: list[Finding] = []
    for code in dict.fromkeys(finding.code for finding in named if finding):
        same = [finding for finding in named if finding and finding.code == code]
        if 2 * len(same) > len(named) or same[0].severity == "error":
            of_folds = {"folds": f"{len(same)} of {len(named)}"} if len(named) > 1 else {}
            found.append(replace(same[0], evidence={**same[0].evidence, **of_folds}))
    return found


def _named(curve: Curve) -> Finding | None:
    """The first symptom of the cascade that one fold shows, with those after it as `also`."""
    if wrong := divergence(curve):
        return wrong
    cascade = [
        learning_rate_low(curve),
        learning_rate_high(curve),
        too_few_epochs(curve),
        chance(curve),
        underfitting(curve),
        overfitting(curve),
    ]
    seen = [finding for finding in cascade if finding]
    if not seen:
        return None
    also = {"also": [finding.code for finding in seen[1:]]} if seen[1:] else {}
    return replace(seen[0], evidence={**seen[0].evidence, **also})
