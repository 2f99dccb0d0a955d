"""How preceptor speaks when a person has made a mistake: what, where, why, and what to do.

raise Mistake("target-absent", "There is no column 'prise'.", where="houses.csv",
              why="The file has: price, rooms.", todo="Did you mean 'price'?")
"""

import difflib
from collections.abc import Iterable


class Mistake(Exception):
    """A user's mistake, told so that it can be mended.

    `code` is stable and kebab-case; `preceptor explain CODE` teaches it. `what` is one sentence,
    `where` a place (file, line, column), `why` the evidence, `todo` the next step.
    """

    def __init__(self, code: str, what: str, *, where: str = "", why: str = "", todo: str = ""):
        self.code, self.what, self.where, self.why, self.todo = code, what, where, why, todo
        super().__init__(self._told())

    def _told(self) -> str:
        labelled = [("where", self.where), ("why", self.why), ("try", self.todo)]
        lines = [self.what, *(f"  {label:<6}{text}" for label, text in labelled if text)]
        return "\n".join([*lines, f"  more  preceptor explain {self.code}"])


def nearest(name: str, known: Iterable[str]) -> str:
    """A "did you mean" sentence for `name` among `known` names; empty when nothing is near."""
    known = list(known)
    folded = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(repr(folded[candidate]) for candidate in near)}?" if near else ""
