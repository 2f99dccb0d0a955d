"""Sentences that serve the page, a notebook and the terminal alike.

say("It leans most on {column}.", column=name("latitude"))     # escaped, the name set apart
"""

from collections.abc import Sequence

from markupsafe import Markup

from preceptor.figures.words import shortened


def say(words: str, /, **parts: object) -> Markup:
    """A sentence; what is filled in is escaped. Text without HTML again: `str(sentence.striptags())`."""
    return Markup(words).format(**parts)  # noqa: S704  (words are written in this house, parts are escaped)


def name(text: object) -> Markup:
    """A column's, class's or model's name, set apart from the sentence around it."""
    return Markup('<b class="name">{}</b>').format(shortened(text, 60))


def joined(names: Sequence[Markup]) -> Markup:
    """Names in a sentence: "a, b and c"."""
    head, tail = Markup(", ").join(names[:-1]), names[-1:]
    return Markup(" and ").join(part for part in (head, *tail) if part)
