"""A finding: something seen in the data or the training, with the numbers that prove it."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["note", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """What was seen, why it matters, what was done about it, and what to try.

    `code` is stable and kebab-case (`preceptor explain CODE`). `text` is one plain sentence with its
    numbers; `evidence` holds the same numbers for programs (JSON values only). A symptom alone is a
    "note"; a "warning" needs symptom and harm, unless the fault is certain. `done` says what
    preceptor did; `remedy` what the reader can do; `change` is that remedy as fields of the Plan.
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

    def as_dict(self) -> dict[str, Any]:
        """The finding as JSON values, empty fields left out."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "", {})}
