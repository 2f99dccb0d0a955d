"""Real data sets inside the package, to try everything without data of one's own.

    houses = sample("houses")
    table = read(houses.path)                     # and ask for houses.target

Where each comes from, and under which licence, stands here and in SOURCES.md beside the files.
"""

from dataclasses import dataclass
from pathlib import Path

from preceptor.errors import Mistake, nearest

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Sample:
    """An embedded data set: its file, the column to predict, and whom to thank for it."""

    name: str
    title: str
    path: Path
    target: str
    source: str
    licence: str


def samples() -> dict[str, Sample]:
    """Every embedded data set by name."""
    every = [
        Sample(
            "houses",
            "20,640 districts of California in 1990: what is a house worth?",
            HERE / "houses.csv.gz",
            "median_house_value",
            "R. K. Pace and R. Barry, Sparse Spatial Autoregressions (1997), from the 1990 census",
            "public; Apache-2.0 for this version",
        ),
        Sample(
            "penguins",
            "344 penguins of three species near Palmer Station: which one is it?",
            HERE / "penguins.csv",
            "species",
            "K. Gorman and Palmer Station Antarctica LTER, by way of A. Horst, palmerpenguins",
            "CC0 1.0",
        ),
        Sample(
            "spam",
            "5,574 text messages: wanted or not?",
            HERE / "spam.csv.gz",
            "type",
            "T. A. Almeida and J. M. Gómez Hidalgo, SMS Spam Collection, UCI Machine Learning Repository",
            "CC BY 4.0",
        ),
    ]
    return {one.name: one for one in every}


def sample(name: str) -> Sample:
    """The embedded data set of that name. Raises Mistake with the nearest names for any other."""
    known = samples()
    if name not in known:
        raise Mistake(
            "sample-unknown",
            f"There is no embedded data set {name!r}.",
            why=f"There are: {', '.join(known)}.",
            todo=nearest(name, known),
        )
    return known[name]
