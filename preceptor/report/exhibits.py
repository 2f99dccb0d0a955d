"""Pictures and words on the page: what the exam's exhibits (`figures/examples.json`) show, as blocks.

    blocks = exhibits(record, "fails")          # the worst and best pictures, or sentences with shaded words

Each exhibit is of one column; where there are several, each is told under its own name.
"""

from collections.abc import Callable
from typing import Any

from preceptor.report.blocks import Block
from preceptor.report.galleries import augmented, confusions, glance, looked, mistakes, near, sizes
from preceptor.report.passages import lengths, near_texts, shaded, telling, text_glance
from preceptor.report.record import Record

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


def exhibits(record: Record, part: str) -> list[Block]:
    """The blocks for a part of the page: "answers", "data", "why" or "fails"; empty without exhibits."""
    return [
        block
        for exhibit in record.exhibits
        for maker in _SHOWN.get((str(exhibit.get("kind")), part), [])
        for block in maker(record, exhibit)
    ]
