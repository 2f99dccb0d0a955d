"""Where kinds are found: entry points of the group "preceptor.kinds", preceptor's own among them.

    kind_named("number")("price").fit(rows["price"])

Another package adds a kind by declaring it in its pyproject.toml, as preceptor does for its own:

    [project.entry-points."preceptor.kinds"]
    audio = "their_package.audio:Audio"
"""

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from preceptor.errors import Mistake, nearest
from preceptor.kinds.kind import Kind


def kind_names() -> list[str]:
    """The names of all kinds, sorted."""
    return sorted(_declared())


def kind_named(name: str) -> type[Kind]:
    """The kind of that name; raises Mistake when there is none, or when its package is broken."""
    if name not in _declared():
        raise Mistake(
            "kind-unknown",
            f"There is no kind {name!r}.",
            why="The kinds are: " + ", ".join(kind_names()) + ".",
            todo=nearest(name, kind_names()),
        )
    return _loaded(_declared()[name])


def kind_from_state(state: dict[str, Any]) -> Kind:
    """The kind that was saved as its own state and its name under "kind"."""
    own = {key: value for key, value in state.items() if key != "kind"}
    return kind_named(str(state["kind"])).from_state(own)


@cache
def _declared() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group="preceptor.kinds")}


def _loaded(entry: EntryPoint) -> type[Kind]:
    try:
        kind = entry.load()
    except (ImportError, AttributeError) as error:
        raise _broken(entry, str(error)) from error
    if not (isinstance(kind, type) and issubclass(kind, Kind) and kind.name == entry.name):
        raise _broken(entry, f"{entry.value} is not a Kind whose name is {entry.name!r}.")
    return kind


def _broken(entry: EntryPoint, why: str) -> Mistake:
    return Mistake(
        "kind-broken",
        f"The kind {entry.name!r} cannot be used.",
        where=f"{entry.value}, declared by {entry.dist.name if entry.dist else 'an unknown package'}",
        why=why,
        todo="Update or remove the package that declares it.",
    )
