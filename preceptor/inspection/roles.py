"""Which part each column plays, as far as the traps need to know."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Roles:
    """The part of every column: the target, the inputs, and those left out with the reason.

    `kinds` maps column to kind ("number", "category", "tags", "datetime", "text", "image" ...), the
    target's included; `group` and `time` are columns that the user named for the split.
    """

    target: str
    inputs: tuple[str, ...]
    ignored: dict[str, str]
    kinds: dict[str, str]
    group: str | None = None
    time: str | None = None

    @property
    def asks_number(self) -> bool:
        """Whether the target is a number; otherwise it is a category or tags."""
        return self.kinds[self.target] == "number"

    @property
    def input_kinds(self) -> dict[str, str]:
        """The kind of every input."""
        return {name: self.kinds[name] for name in self.inputs}

    @property
    def pictures(self) -> list[str]:
        """The inputs that are pictures."""
        return [name for name in self.inputs if self.kinds[name] == "image"]

    @property
    def by_lot(self) -> bool:
        """Whether the split will draw rows by lot, each class in its share."""
        return not (self.group or self.time)

    def fate(self, column: str) -> str:
        """What becomes of `column`, as the `done` of a finding."""
        if column in self.ignored:
            return f"left out ({self.ignored[column]})" if self.ignored[column] else "left out"
        return f"kept as an input ({self.kinds[column]})" if column in self.inputs else "not used as an input"
