"""Hyper-parameters by grid, random and Bayesian search (P3), the losers halved on the way.

    space = {"degree": Range(1, 9, whole=True), "decay": Range(1e-4, 1.0, log=True)}
    book = search(space, lambda setting: validation_error(**setting), trials=40)
    book.best.setting, book.trials()

Nothing here asks what a score is measured on: hand in functions that look at validation rows only, as
`preceptor.search.lessons` does for the nets of a run.
"""

from preceptor.search.asking import Asker, How
from preceptor.search.book import Book, Trial
from preceptor.search.race import Heat, race, search
from preceptor.search.space import Choice, Range, Setting, Space, grid

__all__ = [
    "Asker",
    "Book",
    "Choice",
    "Heat",
    "How",
    "Range",
    "Setting",
    "Space",
    "Trial",
    "grid",
    "race",
    "search",
]
