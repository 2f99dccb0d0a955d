"""Words that give the answer away: "label: spam" left in a text, or one class whose texts all end alike."""

import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.sampling import thinned
from preceptor.inspection.wording import percent
from preceptor.kinds.tokenizers import Words

ROWS, FEWEST = 3_000, 10
SURE, OFTEN = 0.99, 0.5
"""A phrase gives a class away if this share of the texts that have it are of the class, and this share of
the texts of the class have it. Honest words that tell a class are rarer, or less sure."""

HOLD, BEGIN, END = "hold", "begin with", "end with"


def giveaways(table: Table, roles: Roles) -> list[Finding]:
    """Text inputs in which a word, two neighbours, a first or a last word alone tell a class."""
    if roles.kinds[roles.target] != "category":
        return []
    found = []
    for name in roles.inputs:
        if roles.kinds[name] == "text":
            some = thinned(table.frame.select(text=name, answer=roles.target).drop_nulls(), ROWS)
            told = _told(some.with_columns(pl.all().cast(pl.String)))
            found += [_finding(name, told)] if told.height else []
    return found


def _told(texts: pl.DataFrame) -> pl.DataFrame:
    """For each class that is given away: the phrase that most of its texts have, and its two shares."""
    texts = texts.with_row_index("row")
    sizes = texts.group_by("answer").agg(pl.len().alias("of_class"))
    if sizes.height < 2:
        return sizes.clear()
    phrases = _phrases(texts).join(texts.select("row", "answer"), on="row")
    counts = phrases.group_by("where", "phrase", "answer").len().join(sizes, on="answer")
    total = pl.col("len").sum().over("where", "phrase")
    shares = counts.with_columns(sure=pl.col("len") / total, often=pl.col("len") / pl.col("of_class"))
    given = shares.filter(pl.col("sure") >= SURE, pl.col("often") >= OFTEN, pl.col("len") >= FEWEST)
    ranked = given.sort(
        "often", "where", pl.col("phrase").str.len_chars(), "phrase", descending=[True, False, False, False]
    )
    return ranked.unique("answer", keep="first", maintain_order=True)


def _phrases(texts: pl.DataFrame) -> pl.DataFrame:
    """Every phrase of every row once: where in the text it stands, and its words in small letters."""
    words = pl.col("text").str.to_lowercase().str.extract_all(Words.pattern)
    lists = texts.select("row", words=words).filter(pl.col("words").list.len() > 0)
    ends = [
        lists.select("row", where=pl.lit(where), phrase=pl.col("words").list.get(place))
        for where, place in ((BEGIN, 0), (END, -1))
    ]
    tokens = lists.explode("words")
    after = pl.col("words").shift(-1).over("row")
    single = tokens.select("row", where=pl.lit(HOLD), phrase="words")
    pairs = tokens.select("row", where=pl.lit(HOLD), phrase=pl.concat_str("words", after, separator=" "))
    return pl.concat([*ends, single, pairs]).drop_nulls().unique()


def _finding(name: str, told: pl.DataFrame) -> Finding:
    first = told.row(0, named=True)
    more = f"; so do {told.height - 1} more" if told.height > 1 else ""
    return Finding(
        "answer-in-text",
        "warning",
        f"{percent(first['often'])} of the texts of class '{first['answer']}' {first['where']} "
        f"'{first['phrase']}', and hardly any other: these words give the answer away{more}.",
        column=name,
        evidence={"phrases": told.head(10).select("answer", "where", "phrase", "sure", "often").to_dicts()},
        done="kept: only you can know whether new texts will have them",
        remedy="If they came in with the answer, or only one source of the texts has them, take them out.",
    )
