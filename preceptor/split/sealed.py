"""Rows out of reach: what the exam alone may open."""

from collections.abc import Callable
from typing import NoReturn

from preceptor.data.table import Table
from preceptor.errors import Mistake


class Sealed:
    """The test rows, out of reach: no length, no iteration, no index, no copy. Only `exam` breaks it."""

    __slots__ = ("_break", "count")

    def __init__(self, table: Table):
        self.count = len(table)
        # The rows live in this function alone, so that no attribute shows them.
        self._break: Callable[[], Table] = lambda: table

    def __repr__(self) -> str:
        return f"Sealed({self.count:,} rows)"

    def _refuse(self, *_: object) -> NoReturn:
        raise Mistake(
            "sealed",
            f"These {self.count:,} rows are sealed: nothing may look at them before the exam.",
            why="A score is honest only on rows that no earlier step has seen.",
            todo="Use the open table and its folds; `count` tells how many rows are sealed.",
        )

    __len__ = __iter__ = __getitem__ = __contains__ = __bool__ = __array__ = __reduce_ex__ = _refuse
