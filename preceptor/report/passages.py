"""A text column on the page: sentences with the words shaded that decided, and what is alike."""

from typing import Any

import polars as pl
from markupsafe import Markup

from preceptor.figures.material import text_lengths
from preceptor.figures.words import count, listed, plural, quoted, shortened
from preceptor.report.blocks import Block, Passage, Passages, pictures
from preceptor.report.galleries import NEAR_READING, gravest, misled_title, told
from preceptor.report.record import Record
from preceptor.report.sentences import name, say

Exhibit = dict[str, Any]
STEPS = 5
"""Shades of a word, so that the page needs few rules for them."""

FAINT = 0.3
"""Effects on classes, in log-odds, are drawn on the scale of a text's strongest word, but of none weaker."""

MOST_LETTERS, WORDS_OF_A_CLASS = 420, 8
FOR, AGAINST = "argues for the answer", "argues against it"


def shaded(record: Record, exhibit: Exhibit) -> list[Block]:
    """The texts that went worst and best, their words shaded by what hangs on them."""
    blocks: list[Block] = []
    how = " A word is the darker, the more the answer changes when it is left out."
    legend = ("raises the answer", "lowers it") if record.task == "number" else (FOR, AGAINST)
    for side, reading in (
        ("worst", "The sealed texts that went worst, the worst first. A wrong label shows up here."),
        ("best", "The sealed texts that went best, from every answer some."),
    ):
        rows = exhibit.get(side) or []
        some = any(row.get("pieces") for row in rows)
        passages = [Passage(told(row, record.task), _colours(row, record.task)) for row in rows]
        if rows:
            title = gravest(passages[0].caption, record.task) if side == "worst" else "What it knows best"
            blocks.append(Passages(title, passages, reading + how * some, legend if some else ()))
    return blocks


def _colours(row: dict[str, Any], task: str) -> Markup:
    """A text with its shaded words; a long one is cut after what was looked at."""
    text, pieces = str(row.get("shown") or ""), row.get("pieces") or []
    if not text.strip():
        return say("{nothing}", nothing="(no text)")
    least = 1e-12 if task == "number" else FAINT
    scale = max([least, *(abs(effect) for *_, effect in pieces)])
    parts, reached = [], 0
    for begin, end, effect in pieces:
        if begin > MOST_LETTERS:
            break
        parts += [say("{plain}", plain=text[reached:begin]), _word(text[begin:end], effect, scale)]
        reached = end
    rest = text[reached:] if reached < MOST_LETTERS else ""
    shown = shortened_end(rest, MOST_LETTERS - reached) if rest else " …" if text[reached:].strip() else ""
    return Markup("").join([*parts, say("{rest}", rest=shown)])


def _word(word: str, effect: float, scale: float) -> Markup:
    step = round(STEPS * abs(effect) / scale)
    if not step:
        return say("{word}", word=word)
    side = "for" if effect > 0 else "against"
    return say('<mark class="{side} s{step}">{word}</mark>', side=side, step=step, word=word)


def shortened_end(text: str, most: int) -> str:
    """The beginning of a text, cut at a space."""
    return text if len(text) <= most else f"{text[:most].rsplit(' ', 1)[0]} …"


def telling(record: Record, exhibit: Exhibit) -> list[Block]:
    """For each class the words that argue most for it."""
    found = exhibit.get("telling") or []
    if not found:
        return []
    groups: dict[str, list[dict[str, Any]]] = {}
    for one in found:
        groups.setdefault(str(one["name"]), []).append(one)
    scale = max(one["effect"] for one in found)
    passages = []
    for label, words in groups.items():
        marked = [_word(one["word"], one["effect"], scale) for one in words[:WORDS_OF_A_CLASS]]
        passages.append(Passage(name(label), Markup("  ").join(marked)))
    strongest = max(found, key=lambda one: one["effect"])
    title = f"{quoted(strongest['word'])} argues most for {quoted(shortened(strongest['name'], 40))}"
    reading = (
        f"In {plural(exhibit.get('telling_texts') or 0, 'sealed text')} every word was left out once; "
        "without these words the answer fell most, on average. Words in one or two texts are not listed."
    )
    unit = "change of the answer" if record.task == "number" else "change in log-odds"
    table = pl.DataFrame(found).select("name", "word", "effect", "texts")
    table = table.rename({"name": "answer", "effect": unit})
    return [Passages(title, passages, reading, ("argues for it",), table)]


def near_texts(record: Record, exhibit: Exhibit) -> list[Block]:
    """Beside some mistakes, the most similar texts that were learnt."""
    passages, misled, of = [], 0, 0
    for row in exhibit.get("near") or []:
        passages.append(Passage(told(row, record.task), say("{text}", text=_cut(row.get("shown"), 240))))
        for one in row["near"][:2]:
            caption = say("learnt as {truth}", truth=name(one["truth"]))
            passages.append(Passage(caption, say("{text}", text=_cut(one.get("shown"), 160)), inner=True))
        misled += sum(one["truth"] == str(row["answer"]) for one in row["near"])
        of += len(row["near"])
    return [Passages(misled_title(misled, of, record.task), passages, NEAR_READING)] if passages else []


def _cut(text: object, most: int) -> str:
    return shortened_end(" ".join(str(text or "(no text)").split()), most)


def text_glance(record: Record, exhibit: Exhibit) -> list[Block]:
    """Some texts of every class, as they are in the data."""
    groups = [group for group in exhibit.get("glance") or [] if group.get("texts")]
    if not groups:
        return []
    passages = []
    for group in groups:
        label = say("{name} {rows}", name=name(group["name"]), rows=count(group["rows"]))
        for place, text in enumerate(group["texts"][: 3 if len(groups) <= 4 else 1]):
            caption = label if group["name"] and not place else Markup("")
            passages.append(Passage(caption, say("{text}", text=_cut(text, 140))))
    told_of = listed([quoted(shortened(group["name"], 30)) for group in groups], 4)
    title = f"How texts of {told_of} read" if len(groups) > 1 else "Some of the texts"
    reading = "Examples among the texts that were learnt from; the number counts all of them."
    return [Passages(title, passages, reading)]


def lengths(record: Record, exhibit: Exhibit) -> list[Block]:
    """How many words the texts have."""
    return pictures(text_lengths(exhibit.get("lengths") or [], str(exhibit.get("column"))))
