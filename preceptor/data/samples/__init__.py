"""Real data sets inside the package, to try everything without data of one's own.

    houses = sample("houses")
    table = read(houses.path)                     # and ask for houses.target
    preceptor.fit(houses.path, target=houses.target, **houses.choices)

Where each comes from, and under which licence, stands here and in SOURCES.md beside the files.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from preceptor.errors import Mistake, nearest

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Sample:
    """An embedded data set: its file, the column to predict, and whom to thank for it.

    `choices` are the fields of the Plan, besides the target, without which the question would be another
    one: the file that is the test, the column of times and how far ahead to tell.
    """

    name: str
    title: str
    path: Path
    target: str
    source: str
    licence: str
    choices: dict[str, Any] = field(default_factory=dict)


def samples() -> dict[str, Sample]:
    """Every embedded data set by name: tables, pictures, rows of several kinds, series."""
    return {one.name: one for one in (*_tables(), *_pictures(), *_series())}


def _tables() -> list[Sample]:
    return [
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


def _pictures() -> list[Sample]:
    return [
        Sample(
            "fashion",
            "6,000 pictures of clothes, 28 x 28 grey: which of ten sorts is it?",
            HERE / "fashion-train-images-idx3-ubyte.gz",
            "class",
            "H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST (2017), Zalando Research",
            "MIT",
            {"test": str(HERE / "fashion-test-images-idx3-ubyte.gz")},
        ),
        Sample(
            "digits",
            "1,797 handwritten digits, 8 x 8 grey: which one is it?",
            HERE / "digits-images-idx3-ubyte.gz",
            "class",
            "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Repository",
            "CC BY 4.0",
        ),
        Sample(
            "wardrobe",
            "1,500 clothes for sale, each with a photo, a text, a brand and an age: at what price?",
            HERE / "wardrobe.parquet",
            "price",
            "photos from Fashion-MNIST (Zalando Research); all else is made up, by the rule in SOURCES.md",
            "MIT",
        ),
    ]


def _series() -> list[Sample]:
    return [
        Sample(
            "sunspots",
            "2,820 months of sunspots, 1749 to 1983: how many in each of the next twelve?",
            HERE / "sunspots.csv",
            "sunspots",
            "Royal Observatory of Belgium, Swiss Federal Observatory; Time Series Data Library",
            "public",
            {"time": "month", "horizon": 12},
        ),
        Sample(
            "airline",
            "144 months of air passengers, 1949 to 1960: how many next month?",
            HERE / "airline.csv",
            "passengers",
            "G. E. P. Box and G. M. Jenkins, Time Series Analysis (1976); Time Series Data Library",
            "public",
            {"time": "month"},
        ),
    ]


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
