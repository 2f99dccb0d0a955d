"""Kinds that save themselves: everything such a kind holds is a JSON value."""

from typing import Any, Self

from preceptor.errors import Mistake
from preceptor.kinds.kind import Kind


class Stateful(Kind):
    """Saving and loading for kinds whose attributes, all set by the constructor, are JSON values."""

    def state(self) -> dict[str, Any]:
        """Every attribute by name."""
        return dict(vars(self))

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The kind that was saved; raises Mistake when the state is not one of this version's."""
        kind = cls(str(state.get("column", "")))
        if set(state) != set(vars(kind)):
            raise Mistake(
                "kind-state-foreign",
                f"The saved encoding of column {kind.column!r} is not one of kind {cls.name!r}.",
                why="It differs in: " + ", ".join(sorted(set(state) ^ set(vars(kind)))) + ".",
                todo="Use the version of preceptor that made the model, or fit again on the data.",
            )
        vars(kind).update(state)
        return kind
