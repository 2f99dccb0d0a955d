"""Pictures and words on the page: what the exam's exhibits (`figures/examples.json`) show, as blocks.

    blocks = exhibits(record, "fails")          # the worst and best pictures, or sentences with shaded words

Each exhibit is of one column; where there are several, each is told under its own name.
"""

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from preceptor.report.blocks import Block
from preceptor.report.galleries import augmented, confusions, glance, looked, mistakes, near, sizes
from preceptor.report.passages import lengths, near_texts, shaded, telling, text_glance
from preceptor.report.record import Record
from preceptor.report.sentences import joined, name, say

Exhibit = dict[str, Any]
Maker = Callable[[Record, Exhibit], list[Block]]

_SHOWN: dict[tuple[str, str], list[Maker]] = {
    ("picture", "answers"): [confusions],
    ("picture", "data"): [glance, sizes],
    ("picture", "why"): [looked, near, augmented],
    ("picture", "fails"): [mistakes],
    ("text", "data"): [text_glance, lengths],
    ("text", "why"): [telling, near_texts],
    ("text", "fails"): [shaded],
}


def leaning(record: Record) -> Markup:
    """What answers lean on that have a picture or a text to go by: words that decide, places to see."""
    telling = [one for exhibit in record.exhibits for one in exhibit.get("telling") or []]
    strongest = sorted(telling, key=lambda one: -one["effect"])
    groups: dict[str, list[Markup]] = {}
    for one in strongest:
        groups.setdefault(str(one["name"]), []).append(say("“{word}”", word=one["word"]))
    if groups:
        parts = [say("{words} for {name}", words=joined(words[:3]), name=name(label))
                 for label, words in list(groups.items())[:3]]  # fmt: skip
        return say("The words that argue most: {parts}.", parts=Markup("; ").join(parts))
    if any(exhibit.get("looked") for exhibit in record.exhibits):
        return say("It has the picture alone to go by; the warm places below show where it looked.")
    if any(row.get("pieces") for exhibit in record.exhibits for row in exhibit.get("worst") or []):
        return say("It has the text alone to go by; the shaded words in the next section decided.")
    return say("{why}", why=record.lacks("What the answers lean on is"))


def exhibits(record: Record, part: str) -> list[Block]:
    """The blocks for a part of the page: "answers", "data", "why" or "fails"; empty without exhibits."""
    return [
        block
        for exhibit in record.exhibits
        for maker in _SHOWN.get((str(exhibit.get("kind")), part), [])
        for block in maker(record, exhibit)
    ]
