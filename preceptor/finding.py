"""A finding: something seen in the data or the training, with the numbers that prove it.

print(finding)          # what was seen, why it matters, what to try; and where to read more
"""

import re
import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from preceptor.explanations import explanations

Severity = Literal["note", "warning", "error"]
WIDTH, ROOM = 110, 98
"""The letters of a terminal's line; those beside the name of a stage."""
_SENTENCE = re.compile(r".*?[.?!](?=\s+[A-Z]|\s*$)", re.DOTALL)


@dataclass(frozen=True)
class Finding:
    """What was seen, why it matters, what was done about it, and what to try.

    `code` is stable and kebab-case (`preceptor explain CODE`). `text` says in a sentence or two, with
    its numbers, what was seen and why it matters; `evidence` holds the same numbers for programs (JSON
    values only). A symptom alone is a "note"; a "warning" needs symptom and harm, unless the fault is
    certain. `done` says what preceptor did; `remedy` what the reader can do; `change` is that remedy as
    fields of the Plan.
    """

    code: str
    severity: Severity
    text: str
    column: str | None = None
    layer: str | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    done: str = ""
    remedy: str = ""
    change: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Finding":
        """A finding again, from what `as_dict` gave; whatever else is told is passed over."""
        known = {one.name: told[one.name] for one in fields(cls) if told.get(one.name) is not None}
        return cls(**{"code": "", "severity": "note", "text": "", **known})

    def as_dict(self) -> dict[str, Any]:
        """The finding as JSON values, empty fields left out."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "", {})}

    @property
    def line(self) -> str:
        """What was seen, and done where there is room, on one line beside the name of a stage."""
        first = _SENTENCE.match(self.text)
        seen, done = (first[0] if first else self.text).rstrip("."), self.done.rstrip(".")
        known = explanations().get(self.code)
        called = (known.title if known else self.code) + (f", in {self.layer!r}" if self.layer else "")
        fitting = [told for told in (f"{seen}: {done}" if done else "", seen) if 0 < len(told) <= ROOM]
        return fitting[0] if fitting else called

    def __str__(self) -> str:
        """The sentences as they stand in a terminal, in the form of a Mistake."""
        labelled = (("done", self.done), ("try", self.remedy), ("more", f"preceptor explain {self.code}"))
        lines = textwrap.wrap(self.text, WIDTH)
        for label, text in labelled:
            told = textwrap.wrap(text, WIDTH, initial_indent=f"  {label:<6}", subsequent_indent=" " * 8)
            lines += told
        return "\n".join(lines)
