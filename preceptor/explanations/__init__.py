"""Every code that preceptor speaks, taught in plain words: the errors, and what it finds.

    print(explanation("overfitting").text)

Each room keeps its own TOML file in this folder, one table a code:

    [target-absent]
    title = "There is no such column"
    text = "..."
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from preceptor.errors import Mistake, nearest


@dataclass(frozen=True)
class Explanation:
    """What a code means: its title, and two to six sentences for someone who is no engineer."""

    code: str
    title: str
    text: str


@cache
def explanations() -> dict[str, Explanation]:
    """Every explanation by code, in the order of the files. A code told twice is a ValueError."""
    told: dict[str, Explanation] = {}
    pages = [page for page in files(__name__).iterdir() if page.name.endswith(".toml")]
    for page in sorted(pages, key=lambda page: page.name):
        for code, entry in tomllib.loads(page.read_text(encoding="utf-8")).items():
            if code in told:
                raise ValueError(f"{page.name} explains {code!r}, which another file explains already")
            told[code] = Explanation(code, entry["title"].strip(), " ".join(entry["text"].split()))
    return told


def explanation(code: str) -> Explanation:
    """The explanation of one code, upper and lower case alike. Raises Mistake with the nearest codes."""
    known = explanations()
    found = known.get(code.strip().casefold())
    if found is None:
        raise Mistake(
            "code-unknown",
            f"No error or finding has the code {code!r}.",
            why=f"There are {len(known)} codes; each stands at the end of the message it belongs to.",
            todo=nearest(code, known) or "Copy the code from the message, for example target-absent.",
        )
    return found
