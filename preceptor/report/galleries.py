"""A picture column on the page: classes, mistakes, what is confused, where the net looked, what is alike."""

from collections.abc import Sequence
from typing import Any

import polars as pl
from markupsafe import Markup

from preceptor.figures.material import picture_sizes
from preceptor.figures.words import count, number, plural, quoted, share, shortened, spelt
from preceptor.report.blocks import Block, Crossing, Fold, Gallery, Strip, Text, Tile, pictures
from preceptor.report.evidence import Classes
from preceptor.report.record import Record
from preceptor.report.sentences import name, say

Exhibit = dict[str, Any]
Row = dict[str, Any]
MOST_CLASSES, MOST_PAIRS = 12, 8


def told(row: Row, task: str) -> Markup:
    """What a row truly was and what was answered: "cat, taken for dog, 97 % sure"."""
    truth, answer = name(_said(row.get("truth"))), name(_said(row.get("answer")))
    if task == "number":
        return say("{truth}, answered {answer}", truth=truth, answer=answer)
    sure = f", {_sure(row['sure'])} sure" if "sure" in row else ""
    if row.get("truth") == row.get("answer"):
        return say("{truth}, rightly{sure}", truth=truth, sure=sure)
    return say("{truth}, taken for {answer}{sure}", truth=truth, answer=answer, sure=sure)


def _sure(probability: float) -> str:
    """In whole percent, but never quite certain."""
    return "over\u00a099\u00a0%" if probability > 0.995 else share(probability, (0, 0.1))


def gravest(caption: Markup, task: str) -> str:
    """A title that names the row that went worst."""
    first = "Farthest off: " if task == "number" else "Its gravest mistake: "
    return first + str(caption.striptags())


def _said(value: object) -> str:
    if value is None or value == "":
        return "nothing"
    return number(value) if isinstance(value, float) else shortened(value, 40)


def _tile(source: str | None, caption: Markup, says: str = "") -> Tile | None:
    return Tile(source, says or str(caption.striptags()), caption) if source else None


def _tiles(rows: Sequence[Row], task: str) -> list[Tile]:
    made = (_tile(row.get("tile"), told(row, task)) for row in rows)
    return [tile for tile in made if tile]


def mistakes(record: Record, exhibit: Exhibit) -> list[Block]:
    """The pictures that went worst, and those that went best."""
    blocks: list[Block] = []
    worst, best = (_tiles(exhibit.get(side) or [], record.task) for side in ("worst", "best"))
    if worst:
        title = gravest(worst[0].caption, record.task)
        reading = "The sealed pictures that went worst, the worst first. A wrong label shows up here."
        blocks.append(Gallery(title, [Strip(worst)], reading))
    if best:
        reading = "The sealed pictures that went best, from every answer some."
        blocks.append(Gallery("What it knows best", [Strip(best)], reading))
    return blocks


def glance(record: Record, exhibit: Exhibit) -> list[Block]:
    """Some examples of every class, as they are in the data."""
    groups = [group for group in exhibit.get("glance") or [] if any(group.get("tiles") or [])]
    strips = []
    for group in groups:
        heading = say("{name} {rows}", name=name(group["name"]), rows=count(group["rows"]))
        says = f"an example of {group['name'] or exhibit['column']}"
        tiles = [Tile(source, says) for source in group["tiles"] if source]
        strips.append(Strip(tiles, heading if group["name"] else Markup("")))
    if not strips:
        return []
    many = [group["rows"] for group in groups]
    if len(groups) == 1:
        title = "Some of the pictures, from the least to the greatest answer"
    elif max(many) <= 1.3 * min(many):
        title = f"{spelt(len(groups), 'class', 'classes').capitalize()}, all about equally frequent"
    else:
        title = f"The most frequent class is {quoted(shortened(groups[0]['name'], 40))}"
    reading = "Examples among the pictures that were learnt from; the number counts all of them."
    return [Gallery(title, strips, reading, "small")]


def sizes(record: Record, exhibit: Exhibit) -> list[Block]:
    """How large the pictures are: one sentence where all are alike."""
    found = (exhibit.get("sizes") or {}).get("pictures") or []
    if len(found) == 1:
        wide, high, _ = found[0]
        return [Text(f"Every picture is {wide} pixels wide and {high} high.")]
    return pictures(picture_sizes(found))


def confusions(record: Record, exhibit: Exhibit) -> list[Block]:
    """What is taken for what, with pictures: a whole matrix, or the most frequent pairs of many classes."""
    pairs, rows = exhibit.get("confused") or [], record.evidence
    if not pairs or not isinstance(rows, Classes):
        return []
    wrong = [pair for pair in pairs if pair["truth"] != pair["answer"]]
    worst = max(wrong, key=lambda pair: pair["rows"], default=None)
    title = "It never took one class for another"
    if worst:
        title = f"Its most frequent mistake: {quoted(worst['truth'])} taken for {quoted(worst['answer'])}"
    if len(rows.names) > MOST_CLASSES:
        return _pairs(title, pairs, wrong)
    cells = {}
    for pair in pairs:
        says = f"{pair['truth']} answered as {pair['answer']}: {plural(pair['rows'], 'picture')}"
        if pair["tile"]:
            cells[pair["truth"], pair["answer"]] = (pair["rows"], Tile(pair["tile"], says))
    reading = (
        "Each line holds the pictures that truly are of one class: framed blue those answered rightly, "
        "orange those taken for another. A cell shows the one it was surest of, and counts them all."
    )
    table = pl.DataFrame(pairs).select(truly="truth", answered="answer", pictures="rows")
    return [Crossing(title, rows.names, cells, reading, table)]


def _pairs(title: str, pairs: list[Row], wrong: list[Row]) -> list[Block]:
    """Beside what was mistaken, what it was mistaken for."""
    typical = {pair["truth"]: pair["tile"] for pair in pairs if pair["truth"] == pair["answer"]}
    strips = []
    for pair in wrong[:MOST_PAIRS]:
        heading = say(
            "{truth} taken for {answer}, {rows} times",
            truth=name(pair["truth"]),
            answer=name(pair["answer"]),
            rows=count(pair["rows"]),
        )
        caption = (say("mistaken"), say("a true {name}", name=pair["answer"]))
        shown = (pair["tile"], typical.get(pair["answer"]))
        strips.append(Strip([t for t in map(_tile, shown, caption) if t], heading))
    reading = "On the left the picture that it was surest of, on the right one that it answered rightly."
    return [Gallery(title, strips, reading)] if strips else []


def looked(record: Record, exhibit: Exhibit) -> list[Block]:
    """Where the net looked, and the patterns that its first layer looks for."""
    blocks: list[Block] = []
    strips = []
    for row in exhibit.get("looked") or []:
        shown = [
            (row.get("tile"), "picture"),
            (row.get("grad_cam"), "regions"),
            (row.get("saliency"), "pixels"),
        ]
        what = str(told(row, record.task).striptags())
        tiles = [_tile(source, say(label), f"{label} of: {what}") for source, label in shown]
        strips.append(Strip([tile for tile in tiles if tile], told(row, record.task)))
    if strips:
        reading = (
            "Regions: where the net’s last features argue for its answer (Grad-CAM). Pixels: where a small "
            "change would move the answer most (saliency). Where it looks at the background, mistrust it."
        )
        reading += " All grey: no region argued for the answer." + _of_another(record)
        blocks.append(Gallery("Where the net looked for its answer", strips, reading, "trio", legend=True))
    return [*blocks, *_filters(exhibit)]


def _of_another(record: Record) -> str:
    """Said where the net is looked at, but a classical method answers."""
    shipped = record.last("candidates").get("shipped")
    answers_itself = shipped in (None, "net", "blend")
    return (
        ""
        if answers_itself
        else " The answers come from another method; this is where the net looks for them."
    )


def _filters(exhibit: Exhibit) -> list[Block]:
    found = exhibit.get("filters")
    if not found:
        return []
    many, _, high, wide = found["shape"]
    title = f"What its first layer looks for: {many} patterns of {wide} × {high} pixels"
    says = f"{many} filters of {wide} times {high} pixels, those of the first layer"
    reading = (
        "Each square is a filter that came out of these pictures. It answers where the picture looks "
        "like it: half light and half dark finds an edge, a plain colour finds that colour."
    )
    some = f" {count(many)} of {count(found['of'])}." if many < found["of"] else ""
    return [Gallery(title, [Strip([Tile(found["tile"], says)])], reading + some, "whole")]


def augmented(record: Record, exhibit: Exhibit) -> list[Block]:
    """Some pictures as they are, and as the net saw them while it learnt."""
    strips = []
    for row in exhibit.get("augmented") or []:
        changed = [Tile(source, "the same picture, changed for an epoch") for source in row["changed"]]
        strips.append(Strip([Tile(row["tile"], "a picture as it is"), *changed], apart=True))
    reading = (
        "First a picture as it is, then as the net saw it in its first epochs. Pictures that are changed a "
        "little each time teach it what does not matter; at the exam none was changed."
    )
    title = "How pictures were changed while it learnt"
    return [Fold(title, [Gallery(title, strips, reading, "small")])] if strips else []


def near(record: Record, exhibit: Exhibit) -> list[Block]:
    """Beside some mistakes, the most similar pictures that were learnt."""
    strips, misled, all_near = [], 0, 0
    for row in exhibit.get("near") or []:
        own = _tile(row.get("shown"), told(row, record.task))
        others = [
            _tile(one.get("shown"), say("{truth}", truth=one["truth"]), f"learnt as {one['truth']}")
            for one in row["near"]
        ]
        misled += sum(one["truth"] == str(row["answer"]) for one in row["near"])
        all_near += len(row["near"])
        if own:
            strips.append(Strip([own, *(tile for tile in others if tile)], apart=True))
    if not strips:
        return []
    return [Gallery(misled_title(misled, all_near, record.task), strips, NEAR_READING)]


NEAR_READING = (
    "First an answer that went wrong, then the examples most like it, for the net, among those it learnt "
    "from, each with its true answer. Where they are of another class, more examples like the first help."
)


def misled_title(misled: int, of: int, task: str) -> str:
    """How many of the learnt examples nearest to mistakes are of the class that was answered."""
    if task == "number" or not of or misled < 0.3 * of:
        return "What it had learnt that is most like its mistakes"
    return f"Its mistakes resemble what it learnt: {misled} of {of} nearest examples are of the class it said"
