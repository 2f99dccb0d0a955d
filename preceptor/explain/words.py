"""Which words an answer hangs on: each word left out in turn, and the answer asked for again.

    effects = word_effects(["so very good"], score)          # [(3, K)]: one row a word
    telling_words(texts, effects, classes)                   # over many texts, the words of each class

What is removed is one word at a time ("occlusion", Zeiler & Fergus, 2014; for text Li et al., 2016). It
works for whatever answers: a net, a classical method, a blend. Two words that say the same shield each
other: with one of them left out, the other still speaks.

Shapes: P pieces (words and marks) of a text, K scores of a row.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray

MOST_PIECES = 80
"""So many words of a text are looked at, its first ones."""

FEWEST_TEXTS = 3
"""A word that fewer texts hold could be luck."""

PIECE = re.compile(r"[぀-ヿ㐀-鿿가-힣]|\w+(?:['’]\w+)*|[^\w\s]+")
"""A word, a run of marks, or one character of a script that parts no words."""


def pieces(text: str) -> list[tuple[int, int]]:
    """Where the words and marks of a text begin and end; at most the first MOST_PIECES of them."""
    found = PIECE.finditer(text)
    return [one.span() for one, _ in zip(found, range(MOST_PIECES), strict=False)]


def without(text: str, span: tuple[int, int]) -> str:
    """The text with one piece left out."""
    return f"{text[: span[0]].rstrip()} {text[span[1] :].lstrip()}".strip()


def word_effects(texts: Sequence[str], score: Callable[[list[str], Array], Array]) -> list[Array]:
    """For each text (P, K): how much each score falls when the piece is left out; above 0 it argues for it.

    `score(texts, owners)` answers changed texts; `owners` says of which row each one is a copy. Single
    numbers as scores count as K = 1.
    """
    spans = [pieces(text) for text in texts]
    changed = [without(text, span) for text, own in zip(texts, spans, strict=True) for span in own]
    owners = np.repeat(np.arange(len(texts)), [len(own) for own in spans])
    whole = _columns(score(list(texts), np.arange(len(texts))))
    fall = whole[owners] - _columns(score(changed, owners)) if changed else np.zeros((0, whole.shape[1]))
    return np.split(fall, np.cumsum([len(own) for own in spans])[:-1])


def _columns(scores: Array) -> Array:
    return scores.reshape(len(scores), -1)


def telling_words(
    texts: Sequence[str], effects: Sequence[Array], names: Sequence[str], most: int = 8
) -> list[dict[str, Any]]:
    """The words that argue most for each of the K `names`: {name, word, effect, texts}, strongest first.

    The effect is the mean over the texts that hold the word, drawn towards 0 where they are few.
    """
    seen: dict[str, list[Array]] = defaultdict(list)
    for text, fall in zip(texts, effects, strict=True):
        own: dict[str, Array] = {}
        for (begin, end), effect in zip(pieces(text), fall, strict=True):
            word = text[begin:end].casefold()
            own[word] = own.get(word, 0) + effect
        for word, effect in own.items():
            seen[word].append(effect)
    kept = {word: each for word, each in seen.items() if len(each) >= FEWEST_TEXTS}
    if not kept:
        return []
    words, many = list(kept), np.array([len(each) for each in kept.values()])
    total = np.stack([np.sum(each, axis=0) for each in kept.values()])
    shrunk = total / (many + FEWEST_TEXTS)[:, None]
    return [
        {
            "name": name,
            "word": words[row],
            "effect": float(total[row, k] / many[row]),
            "texts": int(many[row]),
        }
        for k, name in enumerate(names)
        for row in np.argsort(-shrunk[:, k], kind="stable")[:most]
        if total[row, k] > 0
    ]
