"""Which recipes there are, and which of them suit a task: the dumb one first, the strongest last.

for recipe in rivals_for("number", rows=16_512):
    Rival(recipe, "number", outputs=1).fit(inputs, truth, seed=0)
"""

from collections.abc import Sequence

from preceptor.errors import Mistake, nearest
from preceptor.rivals.pictures import PICTURES
from preceptor.rivals.recipes import TABLE, Recipe
from preceptor.rivals.series import SERIES
from preceptor.rivals.words import TEXTS
from preceptor.shapes import Shape

RECIPES = {recipe.name: recipe for recipe in TABLE}
"""The rivals of any table, by name."""

FAMILIES: dict[str, dict[str, Recipe]] = {
    family: {recipe.name: recipe for recipe in recipes}
    for family, recipes in (("picture", PICTURES), ("tokens", TEXTS), ("steps", SERIES))
}
"""The rivals made for one column of a shape family, by name: they need no other input, and take none."""


def rivals_for(
    task: str,
    rows: int,
    names: Sequence[str] | None = None,
    shapes: Sequence[Shape] = (),
    *,
    alone: bool = True,
) -> list[Recipe]:
    """The rivals that suit the task and bear so many rows, the dumb one first, the strongest last.

    `names` picks some of them by name; an unknown name is a Mistake. `shapes` are those of the columns
    that are neither numbers nor codes; `alone`: there are no numbers and codes beside them.
    """
    book = _book(shapes, alone, task)
    for name in names or ():
        if name not in book:
            raise Mistake("rival-unknown", f"There is no rival {name!r}.", todo=nearest(name, book))
    wanted = [r for r in book.values() if names is None or r.name in (*names, "dumb")]
    return [r for r in wanted if _able(r, task) and rows <= r.most_rows]


def recipe_named(name: str, reads: str | None) -> Recipe:
    """The recipe of that name, made for that shape family (None: for any table)."""
    return RECIPES[name] if reads is None else FAMILIES[reads][name]


def _book(shapes: Sequence[Shape], alone: bool, task: str) -> dict[str, Recipe]:
    """A table's recipes, or where one column of a family is all there is, the dumb one and those made for it.

    The table's would see a summary, take long, and make less of it. Forecasters do without what stands
    beside the history, mostly its calendar.
    """
    made = FAMILIES.get(shapes[0].family, {}) if len(shapes) == 1 else {}
    forecasters = bool(made) and shapes[0].family == "steps"
    if (alone or forecasters) and any(_able(recipe, task) for recipe in made.values()):
        return {"dumb": RECIPES["dumb"], **made}
    return RECIPES


def _able(recipe: Recipe, task: str) -> bool:
    """Whether the recipe can answer such a task."""
    if task == "series":
        return recipe.for_numbers is not None and recipe.jointly
    return (recipe.for_numbers if task == "number" else recipe.for_classes) is not None
