"""The fit: under- and overfitting (31, 33), too few epochs (34), no better than chance (37).

    underfitting       after half of the plan, training and validation losses are within 0.15 of each other,
                       and a rival's validation loss is lower by 0.15 and a fifth; going on does not help
    overfitting        the validation loss lies above its lowest by more than 3 · noise, a fifth of what had
                       been gained, and 0.1, and the training loss below half of it; or, of fewer than 500
                       training rows, a tenth of it
    too few epochs     at nine tenths of the plan, going on at the present rate for as many steps, 200 at
                       most, lowers the validation loss (the training loss where there is none) by 0.07 of the
                       constant answer's and a fifth; and a rival's is lower already, or it is by 0.2
    chance             after a quarter of the plan the validation loss has not come below 0.97 of the
                       constant answer's, and training has (below 0.9), or a rival finds nothing either

Source: CS231n; tuning playbook; Karpathy (2019). What "noise" is, see `curve`.
"""

import numpy as np

from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import beyond, held_out, now, onward, reached, rival
from preceptor.finding import Finding

GAP, MARGIN, PART, LEARNT, CHANCE, HEART, FEW, GAIN = 0.15, 0.1, 0.2, 0.5, 0.97, 0.1, 500, 0.07


def too_few_epochs(case: Case) -> Finding | None:
    """Training that ends while it is going well."""
    if not case.steps or not beyond(case, 0.9, 0):
        return None
    look, later = now(case), onward(case)
    before = look.train if look.validation is None else look.validation
    after = later.train if later.validation is None else later.validation
    other, gain = rival(case), before - after
    beaten = other is None or other.validation is None or before > other.validation
    if gain <= max(GAIN, PART * before) or not (beaten or gain > PART):
        return None
    return Finding(
        "too-few-epochs",
        "warning",
        f"Training ends at step {case.record.step} with a loss of {before:.2f} of the constant answer's on"
        " rows held out;"
        f" as many again (200 at most) bring {after:.2f}. It stops while it is still going well.",
        evidence={"step": case.record.step, "now": before, "later": after},
        remedy="Train for at least twice as many epochs.",
    )


def underfitting(case: Case) -> Finding | None:
    """A net too simple for what there is to learn."""
    look, other = now(case), rival(case)
    if look.validation is None or other is None or other.validation is None or not beyond(case, 0.5, 300):
        return None
    lost = look.validation - other.validation
    if (
        lost < max(1.5 * MARGIN, PART * look.validation)
        or look.validation - look.train > GAP
        or look.train < MARGIN
    ):
        return None
    later = onward(case).validation
    if later is not None and look.validation - later > lost / 3:
        return None
    return Finding(
        "underfitting",
        "warning",
        f"After {case.record.step} steps the loss is {look.train:.2f} of the constant answer's on training"
        " rows and"
        f" {look.validation:.2f} on rows held out, while a forest reaches {other.validation:.2f}. The net"
        " fails on its own exercises: it is too simple.",
        evidence={"train": look.train, "validation": look.validation, "rival": other.validation},
        remedy="Make it wider or deeper: double the hidden width, or add a layer.",
    )


def overfitting(case: Case) -> Finding | None:
    """A net that learns by heart."""
    seen = held_out(case)
    if len(seen) < 4:
        return None
    losses = np.array([value for _, value in seen])
    lowest, place, end = float(losses.min()), int(losses.argmin()), float(np.median(losses[-2:]))
    rises = _rises(losses) and reached(case) < LEARNT * end
    few = case.train.number < FEW and beyond(case, 0.5, 300)
    if not rises and not (few and end > 2 * MARGIN and reached(case) < HEART * end):
        return None
    told = f"has risen from {lowest:.2f} to {end:.2f}" if rises else f"stays at {end:.2f}"
    return Finding(
        "overfitting",
        "warning",
        f"Since step {seen[place][0]} the loss on rows held out {told} of the constant answer's, while"
        f" that of the {case.train.number} training rows is {reached(case):.3f}. They are learnt by heart.",
        evidence={"step": seen[place][0], "lowest": lowest, "now": end, "train": reached(case)},
        remedy="Keep the weights of the best epoch (early stopping); more rows, dropout, or weight decay.",
    )


def _rises(losses: np.ndarray) -> bool:
    """Whether the last losses lie above the lowest by more than noise, and by an amount that matters."""
    lowest, end = float(losses.min()), float(np.median(losses[-2:]))
    noise = 1.4826 * float(np.median(np.abs(np.diff(losses, n=2)))) / 6**0.5
    return bool(end - lowest >= max(3 * noise, PART * max(1 - lowest, 0.0), MARGIN))


def no_better_than_chance(case: Case) -> Finding | None:
    """Nothing that carries over."""
    seen, other = held_out(case), rival(case)
    if len(seen) < 2 or not beyond(case, 0.1, 100):
        return None
    lowest, later = min(value for _, value in seen), min(value for _, value in seen[1:])
    alike = other is not None and other.validation is not None and other.validation > CHANCE
    by_heart = reached(case) < 0.9 and lowest > CHANCE
    if later <= CHANCE or not (by_heart or alike):
        return None
    return Finding(
        "no-better-than-chance",
        "warning",
        f"After {case.record.step} steps the best loss on rows held out is {lowest:.2f} times that of always"
        f" the same answer, on training rows {reached(case):.2f}. Nothing that it learns carries over.",
        evidence={
            "validation": lowest,
            "train": min(reached(case), 1e9),
            "rival": None if other is None else other.validation,
        },
        remedy="See whether each answer still belongs to its row; then look for inputs that know more.",
    )
