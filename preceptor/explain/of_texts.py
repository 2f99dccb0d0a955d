"""What there is to see of a text column: examples, mistakes, the words that decide, what is alike.

exhibit = text_exhibit(subject, "message", purse)
"""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from preceptor.explain.likeness import nearest_learnt
from preceptor.explain.purse import Purse
from preceptor.explain.subject import Subject, at_a_glance, joined
from preceptor.explain.words import pieces, telling_words, word_effects

Array = np.ndarray
EACH, SHOWN, ALIKE_SHOWN, MOST_CLASSES = 3, 6, 3, 12
"""How many texts of a class, of the best and worst answers, with similar ones; and of how many classes."""

CERTAIN = 1e-6
"""Probabilities nearer than this to 0 or 1 count as that near."""

LETTERS, MEASURED, DECIDING = 1_000, 5_000, 300
"""How much of a text is kept, of how many the length is told, and on how many words are left out."""


def text_exhibit(subject: Subject, column: str, purse: Purse) -> dict[str, Any]:
    """The column's exhibit, as JSON values."""
    worst, best = subject.worst(SHOWN, column), subject.best(SHOWN, column)
    shown = np.concatenate([worst, best])
    told = joined(subject.told(shown), **_shaded(subject, column, shown, purse))
    return {
        "kind": "text",
        "column": column,
        "glance": [
            {"name": name, "rows": many, "texts": _texts(subject.learnt.frame[column], rows)}
            for name, many, rows in at_a_glance(subject, MOST_CLASSES, EACH)
        ],
        "lengths": _lengths(subject.learnt.frame[column]),
        "worst": told[: len(worst)],
        "best": told[len(worst) :],
        **_telling(subject, column, purse),
        "near": _near(subject, column, worst[:ALIKE_SHOWN], purse),
    }


def _texts(column: pl.Series, rows: Array) -> list[str]:
    return column.gather(rows).fill_null("").str.slice(0, LETTERS).to_list()


def _lengths(column: pl.Series) -> list[int]:
    """Words in each of at most MEASURED texts."""
    some = column.gather_every(max(1, len(column) // MEASURED))
    return some.fill_null("").str.count_matches(r"\S+").to_list()


def _answered(subject: Subject, column: str, rows: Array, texts: list[str], owners: Array) -> Array:
    """Whoever answers, asked about rows whose text was changed: in log-odds where there are classes or tags.

    Among answers that are almost certain probabilities hardly move; log-odds still do.
    """
    copies = subject.table.take(rows[owners])
    changed = copies.frame.with_columns(pl.Series(column, texts, dtype=pl.String))
    scores = subject.predictor.scores(replace(copies, frame=changed))
    if not subject.names:
        return scores
    sure = scores.clip(CERTAIN, 1 - CERTAIN)
    return np.log(sure / (1 - sure))


def _effects(subject: Subject, column: str, rows: Array) -> list[Array]:
    return word_effects(_texts(subject.table.frame[column], rows), partial(_answered, subject, column, rows))


def _shaded(subject: Subject, column: str, rows: Array, purse: Purse) -> dict[str, list[Any]]:
    """Each row's text, and its pieces as [begin, end, how much the answer hangs on it] while time allows."""
    texts = _texts(subject.table.frame[column], rows)

    def once() -> int:
        return len(_effects(subject, column, rows[:1]))

    many = purse.rows("texts to shade", len(rows), 0.4, once)
    spread = np.linspace(0, len(rows) - 1, many).astype(np.int64)
    shades: list[list[Any]] = [[] for _ in texts]
    for place, own in zip(spread, _effects(subject, column, rows[spread]) if many else [], strict=True):
        falls = own[:, subject.chosen[rows[place]]].tolist()
        shades[place] = [[*span, fall] for span, fall in zip(pieces(texts[place]), falls, strict=True)]
    return {"shown": texts, "pieces": shades}


def _near(subject: Subject, column: str, rows: Array, purse: Purse) -> list[dict[str, Any]]:
    """Beside some of the worst answers the learnt texts that are most like them for the net."""
    near = nearest_learnt(subject, rows, purse, lambda table, own: _texts(table.frame[column], own))
    shown = _texts(subject.table.frame[column], rows[: len(near)])
    return joined(subject.told(rows[: len(near)]), shown=shown, near=near)


def _telling(subject: Subject, column: str, purse: Purse) -> dict[str, Any]:
    """The words that argue most for each class or tag, or for a higher number, over many texts."""
    order = np.random.default_rng(0).permutation(len(subject.table))[:DECIDING]

    def once() -> int:
        return len(_effects(subject, column, order[:4]))

    rows = order[: purse.rows("texts with words left out", len(order), 0.6, once)]
    if not len(rows):
        return {}
    effects = _effects(subject, column, rows)
    names, texts = subject.names, _texts(subject.table.frame[column], rows)
    if not names:
        names, effects = ["higher", "lower"], [np.hstack([own[:, :1], -own[:, :1]]) for own in effects]
    return {"telling": telling_words(texts, effects, names), "telling_texts": len(rows)}
