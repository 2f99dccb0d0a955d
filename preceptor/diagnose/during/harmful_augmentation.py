"""Augmentation that changes rows into something else (45).

    symptom   none of the first batches' rows stands among the training rows, and they lie further from their
              nearest training row than 1.3 times what training rows lie from each other; or, of tokens, more
              than 0.3 of a row's are others than in the nearest training row
    harm      after a tenth of the plan (50 steps) the same net, optimiser and rows, unchanged, come lower by
              0.1 in a trial (`progress.behind`), and gain twice what the run has gained in all; or
              from half of the plan on they come lower by 0.05

Augmentation that helps costs a little at first. Source: TheDeepChecker (clean against augmented
activations); Karpathy (2019).
"""

import numpy as np
import torch

from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import MARGIN, behind, beyond, plain, reached, so_long, start
from preceptor.finding import Finding

APART, CHANGED, HARM, TWICE, ROWS, ASKED, WHOLE = 1.3, 0.3, 0.05, 2.0, 64, 2_000, 20_000


def harmful_augmentation(case: Case) -> Finding | None:
    """Rows that training never shows as they are, in a run that suffers."""
    told = [batch.inputs[0] for batch in case.record.batches if batch.inputs]
    if not told or case.given_train is None:
        return None
    tokens = not told[0].is_floating_point()
    measure = _changed if tokens else _apart
    apart = case.once("augmented", lambda: measure(case, torch.cat(told[:8])[:ROWS]))
    if apart <= (CHANGED if tokens else APART) or not beyond(case, 0.1, 50):
        return None
    clean, gained = plain(case), start(case) - reached(case)
    lost = behind(case, clean)
    early = lost > MARGIN and start(case) - clean.train > TWICE * gained
    harmed = early or (lost > HARM and beyond(case, 0.5, 300))
    return Finding(
        "harmful-augmentation",
        "warning" if harmed else "note",
        (
            f"Of the batches' rows {apart:.0%} of the tokens are others than in the nearest training row"
            if tokens
            else f"The rows of the batches lie {apart:.1f} times as far from the nearest training row as"
            " training rows from each other"
        )
        + f", up to step {case.record.step}. Augmented like this they are other rows;"
        f" unchanged, {so_long(case)} bring a loss lower by {lost:.2f} of the constant answer's.",
        evidence={"changed" if tokens else "apart": apart, "lost": lost, "step": case.record.step},
        remedy="Soften it until an augmented row is still the same thing to the eye; check that labels go"
        " along.",
        change={"training": {"augment": ()}},
    )


def _changed(case: Case, batch: torch.Tensor) -> float:
    """Which share of a row's tokens differs from the nearest training row, padding left out; the median."""
    x = case.train.inputs[0][:WHOLE]
    if batch.ndim != 2 or batch.shape[1:] != x.shape[1:]:
        return 0.0
    padding = x.flatten().mode().values
    shares = []
    for row in batch:
        held = (x != padding).sum(1).clamp(min=1)
        shares.append(float((((x != row) & (x != padding)).sum(1) / held).min()))
    return float(np.median(shares))


def _apart(case: Case, batch: torch.Tensor) -> float:
    """How far batch rows lie from training rows, by how far these lie from each other; 0 if they are the
    same.
    """
    x = case.train.few(ASKED).inputs[0].flatten(1).double()
    whole = case.train.inputs[0].flatten(1).double()
    rows = batch.flatten(1).double()
    if rows.shape[1] != x.shape[1]:
        return 0.0
    nearest = torch.cdist(rows, whole[:WHOLE]).min(1).values
    if float((nearest < 1e-6 * x.std()).double().mean()) > 0.2:
        return 0.0
    among = torch.cdist(x[:ROWS], x)
    among[among < 1e-9] = torch.inf
    return float(nearest.median() / among.min(1).values.median().clamp(min=1e-12))
