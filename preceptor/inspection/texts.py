"""Columns of free text: how long, how empty, in which scripts, and what in them is no language."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.sampling import thinned
from preceptor.inspection.wording import percent
from preceptor.kinds.text import MOST_TOKENS
from preceptor.kinds.tokenizers import Words

ROWS, FEWEST, RARE, COMMON = 5_000, 20, 0.01, 0.5
"""How many texts are looked at; below how many, and below what share, a finding would be chance; and from
what share on something is common to the texts."""

SCRIPTS = {
    "Latin": r"\p{Latin}",
    "Cyrillic": r"\p{Cyrillic}",
    "Greek": r"\p{Greek}",
    "Arabic": r"\p{Arabic}",
    "Hebrew": r"\p{Hebrew}",
    "Indian": r"[\p{Devanagari}\p{Bengali}\p{Tamil}\p{Telugu}\p{Gujarati}]",
    "Thai": r"\p{Thai}",
    "Korean": r"\p{Hangul}",
    "Chinese or Japanese": r"[\p{Han}\p{Hiragana}\p{Katakana}]",
}
MARKUP = r"</?[a-zA-Z][^<>]{0,200}>|&(?:[a-z]{2,6}|#\d{2,5});"
FIRST, LAST = r"^\W*((?:\S+\s+){3}\S+)", r"((?:\S+\s+){3}\S+)\s*$"


def texts(table: Table, roles: Roles) -> list[Finding]:
    """What there is to know of every input that is free text."""
    inputs = [name for name in roles.inputs if roles.kinds[name] == "text"]
    some = thinned(table.frame.select(inputs), ROWS)
    return [finding for name in inputs for finding in _of_column(some[name], roles)]


def _of_column(column: pl.Series, roles: Roles) -> Iterator[Finding]:
    column = column.cast(pl.String).drop_nulls()
    owners, _ = Words().number(column)
    lengths = np.bincount(owners, minlength=len(column))
    yield _free(column, lengths, roles)
    if len(column) < FEWEST:
        return
    yield from _empty(column.name, lengths)
    yield from _long(column.name, lengths)
    yield from _scripts(column)
    yield from _markup(column)
    yield from _boilerplate(column)


def _free(column: pl.Series, lengths: np.ndarray, roles: Roles) -> Finding:
    typical = int(np.median(lengths)) if len(lengths) else 0
    return Finding(
        "free-text",
        "note",
        f"'{column.name}' is free text of {typical} words, as a rule: they are read in their order.",
        column=column.name,
        evidence={"distinct": column.n_unique(), "rows": len(column), "median_tokens": typical},
        done=roles.fate(column.name),
        remedy=f"If it names one of a few things: --kind {column.name}=category.",
    )


def _empty(name: str, lengths: np.ndarray) -> Iterator[Finding]:
    empty = int((lengths == 0).sum())
    if empty:
        yield Finding(
            "texts-empty",
            "warning" if empty > 5 * RARE * len(lengths) else "note",
            f"{empty:,} texts of '{name}' ({percent(empty / len(lengths))}) have no word in them.",
            column=name,
            evidence={"empty": empty, "looked_at": len(lengths)},
            done="read as 'no text', which is an input too",
            remedy="Look whether the text was lost on the way.",
        )


def _long(name: str, lengths: np.ndarray) -> Iterator[Finding]:
    long = int((lengths > MOST_TOKENS).sum())
    if long:
        yield Finding(
            "texts-cut",
            "note",
            f"{percent(long / len(lengths))} of the texts of '{name}' are longer than {MOST_TOKENS} words.",
            column=name,
            evidence={"long": long, "looked_at": len(lengths), "longest": int(lengths.max())},
            done=f"of those, the first and the last {MOST_TOKENS // 2} words are read",
            remedy="If what matters stands in the middle, give each paragraph a row, and name the text "
            "that it is from with --group.",
        )


def _scripts(column: pl.Series) -> Iterator[Finding]:
    """Texts by the script of most of their letters."""
    letters = np.column_stack([column.str.count_matches(shape).to_numpy() for shape in SCRIPTS.values()])
    counts = np.bincount(letters.argmax(axis=1)[letters.any(axis=1)], minlength=len(SCRIPTS))
    found = {name: int(count) for name, count in zip(SCRIPTS, counts, strict=True)}
    found = {name: count for name, count in found.items() if count > max(2, RARE * len(column))}
    if len(found) > 1:
        told = ", ".join(f"{name} {percent(count / len(column))}" for name, count in found.items())
        yield Finding(
            "texts-in-several-scripts",
            "note",
            f"The texts of '{column.name}' are in several scripts: {told}.",
            column=column.name,
            evidence={"texts": found, "looked_at": len(column)},
            done="read as they are; each script has to be learnt from its own texts",
            remedy="If one of them is rare, bring more texts of it.",
        )


def _markup(column: pl.Series) -> Iterator[Finding]:
    marked = column.filter(column.str.contains(MARKUP))
    if len(marked) > RARE * len(column):
        example = str(marked.str.extract(f"({MARKUP})")[0])
        yield Finding(
            "texts-with-markup",
            "note",
            f"{percent(len(marked) / len(column))} of the texts of '{column.name}' hold rests of a web page, "
            f"such as {example!r}.",
            column=column.name,
            evidence={"texts": len(marked), "looked_at": len(column), "example": example},
            done="read as if it were language",
            remedy="Take the marks out; if only one class has them, they give the answer away.",
        )


def _boilerplate(column: pl.Series) -> Iterator[Finding]:
    """Four words with which most texts begin, or end."""
    for where, shape in (("begin", FIRST), ("end", LAST)):
        phrases = column.str.to_lowercase().str.extract(shape).drop_nulls()
        if phrases.is_empty() or column.n_unique() < FEWEST:
            continue
        phrase, count = phrases.value_counts(sort=True, name="count").row(0)
        if count > COMMON * len(column):
            yield Finding(
                "texts-alike",
                "note",
                f"{percent(count / len(column))} of the texts of '{column.name}' {where} alike: '{phrase}'.",
                column=column.name,
                evidence={"phrase": phrase, "texts": count, "looked_at": len(column)},
                done="read with the rest",
                remedy="What all texts share tells nothing: leave it out, and more of each text is read.",
            )
