"""What could be reached: a forest and a linear model on the same rows, without a net.

A rival is the second key of many symptoms: a net that is poor is only alarming where more was to be had. It
costs about a second, once, and knows nothing but the training rows; its answers on those are out of bag, so
that they tell which answers are surprising and not which were learnt by heart.

Shapes: N rows, D features, C classes.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from preceptor.diagnose.case import Case, Rows, labels_of
from preceptor.diagnose.check import sample
from preceptor.diagnose.loss_shape import asked

MOST, TREES, HASHED, WIDEST, OUTPUTS = 2_000, 60, 512, 4_096, 16
HELD_OUT = 512
"""So many rows held out at most does it answer."""


@dataclass(frozen=True)
class Rival:
    """Its answers: class probabilities (N, C), or numbers (N, K), for training rows `rows` and validation.

    `train` and `validation` are its losses as shares of the best constant answer's, in the user's loss;
    `told` is what it says to the validation rows as a net would say it.
    """

    rows: np.ndarray
    answers: np.ndarray
    held: np.ndarray | None
    train: float
    validation: float | None
    told: Tensor | None = None


def features(rows: Rows, like: Rows | None = None) -> np.ndarray:
    """The inputs as numbers (N, D): flattened, some of very many, and tokens as counts (hashed where many).

    With `like`, as many numbers as those rows have.
    """
    parts = []
    for x, known in zip(rows.inputs, (like or rows).inputs, strict=True):
        flat = x.detach().cpu().reshape(len(x), -1)
        flat = flat[:, :: max(1, -(-flat.shape[1] // WIDEST))]
        counted = not x.is_floating_point() and flat.shape[1] > 1
        parts.append(_counts(flat, int(known.max()) + 1) if counted else flat.float())
    return np.nan_to_num(torch.cat(parts, 1).numpy(), posinf=0, neginf=0)


def _counts(tokens: Tensor, words: int) -> Tensor:
    counts = torch.zeros(len(tokens), min(words, HASHED))
    return counts.scatter_add_(1, tokens.long() % counts.shape[1], torch.ones(tokens.shape))


def compete(case: Case) -> Rival | None:
    """Fit the rival; None where the task is none that it can answer, or there are too few rows."""
    rows = case.train
    kept = sample(rows.number, MOST)
    labels = labels_of(rows)
    numbers = rows.goal if rows.goal.is_floating_point() and rows.goal.ndim <= 2 else None
    if rows.number < 40 or (labels is None and (numbers is None or numbers[0].numel() > OUTPUTS)):
        return None
    few, held = rows.take(kept), case.validation.few(HELD_OUT) if case.validation else None
    if not bool(few.goal.isfinite().all()):
        return None
    x, further = features(few), None if held is None else features(held, few)
    if labels is not None:
        answers, told = _classes(x, labels[kept].cpu().numpy(), further, case.classes or 2)
    else:
        assert numbers is not None
        answers, told = _numbers(x, numbers[kept].detach().cpu().reshape(len(kept), -1).numpy(), further)
    loss, _ = _share(case, answers, few)
    further_loss, output = (None, None) if told is None or held is None else _share(case, told, held)
    return Rival(kept.numpy(), answers, told, loss, further_loss, output)


def _classes(
    x: np.ndarray, y: np.ndarray, further: np.ndarray | None, classes: int
) -> tuple[np.ndarray, np.ndarray | None]:
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(TREES, oob_score=True, random_state=0, max_features="sqrt").fit(x, y)
    own = np.nan_to_num(forest.oob_decision_function_, nan=1 / classes)

    def spread(some: np.ndarray) -> np.ndarray:
        full = np.zeros((len(some), classes))
        full[:, forest.classes_.astype(int)] = some
        return (full + 0.5 / TREES) / (full + 0.5 / TREES).sum(1, keepdims=True)

    return spread(own), None if further is None else spread(forest.predict_proba(further))


def _numbers(
    x: np.ndarray, y: np.ndarray, further: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(TREES, oob_score=True, random_state=0, max_features=0.5).fit(
        x, y.squeeze(-1) if y.shape[1] == 1 else y
    )
    own = np.nan_to_num(forest.oob_prediction_.reshape(len(x), -1), nan=float(y.mean()))
    return own, None if further is None else forest.predict(further).reshape(len(further), -1)


def _share(case: Case, answers: np.ndarray, rows: Rows) -> tuple[float, Tensor | None]:
    """The loss of the answers, told as logits, probabilities or numbers, whichever it takes, and these."""
    constant, shape = case.dumb_on(rows), (len(rows.goal), *case.output.shape[1:])
    tried = [
        (case.share(asked(case, told, rows), constant), told)
        for told in _tellings(answers, shape, rows, case.output.dtype)
    ]
    sound = [pair for pair in tried if np.isfinite(pair[0])]
    return min(sound, key=lambda pair: pair[0], default=(float("inf"), None))


def _tellings(answers: np.ndarray, shape: tuple[int, ...], rows: Rows, kind: torch.dtype) -> list[Tensor]:
    p = torch.tensor(answers, dtype=kind, device=rows.goal.device)
    classes = labels_of(rows) is not None
    if classes and shape[1:] in ((), (1,)):
        one = p[:, 1].reshape(shape)
        return [one.logit(eps=1e-4), one]
    if p.numel() != torch.Size(shape).numel():
        return []
    if classes:
        return [p.log().reshape(shape)]
    return [form(p).reshape(shape) for form in (torch.clone, torch.log, torch.logit)]
