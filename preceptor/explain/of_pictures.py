"""What there is to see of a picture column: examples, mistakes, where the net looked, what is alike.

exhibit = picture_exhibit(subject, "photo", purse)
"""

from collections import Counter
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from preceptor.augmentation.choice import strip
from preceptor.augmentation.picture import Augmenter
from preceptor.data.pictures import pixels
from preceptor.data.table import Table
from preceptor.explain.likeness import nearest_learnt
from preceptor.explain.looking import first_filters, looked_at
from preceptor.explain.purse import Purse
from preceptor.explain.subject import CLASSES, Subject, at_a_glance, joined
from preceptor.explain.tiles import heated, sheet, tile, upright

Array = np.ndarray
EACH, SHOWN, LOOKED, MOST_FILTERS = 8, 12, 4, 64
"""How many pictures of a class, of best and worst answers, of these with what was looked at; filters."""

MOST_CLASSES, SIZED, MIXED = 12, 2_000, 64
"""How many classes are shown, of how many pictures the sizes are told, how many may be mixed into one."""


def picture_exhibit(subject: Subject, column: str, purse: Purse) -> dict[str, Any]:
    """The column's exhibit, as JSON values."""
    look = partial(_tiles, subject.table, column)
    worst, best = subject.worst(SHOWN, column), subject.best(SHOWN, column)
    return {
        "kind": "picture",
        "column": column,
        "glance": [
            {"name": name, "rows": many, "tiles": _tiles(subject.learnt, column, rows, 64)}
            for name, many, rows in at_a_glance(subject, MOST_CLASSES, EACH)
        ],
        "sizes": _sizes(subject.learnt.frame[column]),
        "worst": joined(subject.told(worst), tile=look(worst)),
        "best": joined(subject.told(best), tile=look(best)),
        "confused": _confused(subject, look),
        **_of_the_net(subject, column, worst, best, purse),
        "near": _near(subject, column, worst[:LOOKED], purse),
    }


def augmented(subject: Subject, column: str, changes: tuple[str, ...], seed: int) -> list[dict[str, Any]]:
    """Some learnt pictures as they are, and as the net saw them in its first epochs: {tile, changed}."""
    places = [kind.column for kind in subject.problem.further]
    if not changes or subject.net is None or column not in places:
        return []
    few = np.linspace(0, len(subject.learnt) - 1, min(MIXED, len(subject.learnt))).astype(np.int64)
    pictures = subject.problem.encode(subject.learnt.take(few)).further[places.index(column)]
    changing = Augmenter(tuple(pictures.shape[1:]), changes, seed, pictures=pictures)
    shown = [[tile(upright(one)) for one in row] for row in strip(changing, pictures).numpy()]
    return [{"tile": first, "changed": changed} for first, *changed in shown]


def _tiles(table: Table, column: str, rows: Array, side: int = 96) -> list[str | None]:
    """The rows' pictures; None where there is none."""
    keys = table.frame[column].gather(rows)
    found = iter(pixels(keys.drop_nulls()))
    return [None if key is None else tile(next(found), side) for key in keys]


def _sizes(keys: pl.Series) -> dict[str, Any]:
    """How many pictures are how wide and high, of at most SIZED of them; and how many rows have none."""
    present = keys.drop_nulls()
    some = present.gather_every(max(1, len(present) // SIZED))
    counted = Counter((picture.shape[1], picture.shape[0]) for picture in pixels(some))
    return {"pictures": [[*size, many] for size, many in counted.most_common()], "missing": keys.null_count()}


def _confused(subject: Subject, look: Any) -> list[dict[str, Any]]:
    """For each true class and each answer: how many rows, and the picture that it was surest of."""
    if subject.target.task not in CLASSES:
        return []
    sure = subject.scores[np.arange(len(subject.chosen)), subject.chosen]
    pairs = subject.truth * len(subject.names) + subject.chosen
    found = []
    for pair, many in Counter(pairs.tolist()).most_common(MOST_CLASSES**2):
        rows = np.flatnonzero(pairs == pair)
        surest = rows[sure[rows].argmax()]
        truth, answer = divmod(pair, len(subject.names))
        shown = look(np.array([surest]), 56)[0]
        found.append(
            {"truth": subject.names[truth], "answer": subject.names[answer], "rows": many, "tile": shown}
        )
    return found


def _of_the_net(subject: Subject, column: str, worst: Array, best: Array, purse: Purse) -> dict[str, Any]:
    """Where the net looked in some of the best and worst pictures, as time allows, and its first filters."""
    net, places = subject.net, [kind.column for kind in subject.problem.further]
    if net is None or column not in places:
        return {}
    place = places.index(column)
    rows = np.stack([best[:LOOKED], worst[:LOOKED]], axis=1).ravel()  # in turn, should time be short
    many = purse.rows("looks", len(rows), 0.5, lambda: len(_looked(subject, place, rows[:1])) or 1)
    shown: dict[str, Any] = {"looked": _looked(subject, place, rows[:many])} if many else {}
    filters = first_filters(net.module.encoders[place])
    if filters is not None:
        some = filters[:MOST_FILTERS].numpy()
        shown["filters"] = {"tile": tile(sheet(some), 10_000), "shape": list(some.shape), "of": len(filters)}
    return shown


def _looked(subject: Subject, place: int, rows: Array) -> list[dict[str, Any]]:
    """Each row's picture as the net takes it, laid over with what it looked at; empty where none is known."""
    assert subject.net is not None
    inputs, module = subject.encoded(rows), subject.net.module
    answer = partial(subject.explained, rows)
    heat = looked_at(module, module.encoders[place], inputs.tensors, answer)
    if heat is None:
        return []
    seen = [upright(picture) for picture in inputs.further[place].numpy()]
    layers = {name: [tile(heated(*pair)) for pair in zip(seen, layer.numpy(), strict=True)]
              for name, layer in zip(("saliency", "grad_cam"), heat, strict=True)}  # fmt: skip
    return joined(subject.told(rows), tile=[tile(picture) for picture in seen], **layers)


def _near(subject: Subject, column: str, rows: Array, purse: Purse) -> list[dict[str, Any]]:
    """Beside some of the worst answers the learnt pictures that are most like them for the net."""
    near = nearest_learnt(subject, rows, purse, lambda table, own: _tiles(table, column, own))
    told = subject.told(rows[: len(near)])
    return joined(told, shown=_tiles(subject.table, column, rows[: len(near)]), near=near)
