"""Numbers as people say them: units, thousands, and no digit that the evidence does not carry.

number(42913.2, (41700, 44200))   # "42,900"
span((41713, 44208), 42913.2)     # "41,700 to 44,200"
share(0.87312)                    # "87.3 %"
duration(277)                     # "4 min 37 s"
"""

import math
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TypeGuard

Interval = tuple[float, float]


def known(value: object) -> TypeGuard[float]:
    """Whether `value` is a finite number, so that something can be said about it."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def interval_of(value: object) -> Interval | None:
    """`[low, high]` as read from JSON, or None where it is absent or not finite."""
    if isinstance(value, Sequence) and len(value) == 2 and all(known(end) for end in value):
        return (float(min(value)), float(max(value)))
    return None


def step(value: float, interval: Interval | None = None) -> float:
    """The last digit worth saying, as a power of ten: at most half of the interval's half-width.

    Without an interval three significant digits are said, with one never more than four.
    """
    magnitude = math.floor(math.log10(abs(value))) if value else -2
    half = (interval[1] - interval[0]) / 2 if interval else 0.0
    if not 1e-300 < half < math.inf:
        return 10.0 ** (magnitude - 2)
    return 10.0 ** max(math.floor(math.log10(half / 2) + 1e-9), magnitude - 3)


def number(value: object, interval: Interval | None = None, grain: float | None = None) -> str:
    """`value` rounded to what `interval` (or `grain`, a power of ten) allows; "not known" for NaN."""
    if not known(value):
        return "not known"
    if value == 0:
        return "0"
    grain = grain or step(value, interval)
    if not 1e-5 <= abs(value) < 1e15:
        return _scientific(value) if abs(value) > grain / 2 else "0"
    places = max(0, -round(math.log10(grain)))
    rounded = round(value / grain) * grain
    return f"{rounded:,.{places}f}".replace("-", "−") if rounded else "0"


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.2e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa} × 10{raised}".replace("-", "−")


def span(interval: Interval, value: float | None = None) -> str:
    """An interval in words, both ends to the digit that `value` is said to."""
    middle = value if value is not None else sum(interval) / 2
    grain = step(middle, interval)
    return f"{number(interval[0], grain=grain)} to {number(interval[1], grain=grain)}"


def share(value: object, interval: Interval | None = None) -> str:
    """A share of one in percent: 0.873 -> "87.3 %"."""
    if not known(value):
        return "not known"
    wide = (interval[0] * 100, interval[1] * 100) if interval else None
    return f"{number(value * 100, wide)}\u00a0%"


def of_100(value: float) -> str:
    """A share as a count of a hundred; never rounded to all or nothing: 0.996 -> "99.6"."""
    hundred = value * 100
    extreme = (0 < hundred < 1) or (99 < hundred < 100)
    return number(hundred, grain=0.1) if extreme else number(hundred, grain=1.0)


def count(many: float) -> str:
    """A count with thousands separators."""
    return f"{round(many):,}"


def plural(many: int, thing: str, things: str = "") -> str:
    """The count with its noun: "1 row", "4,128 rows"."""
    return f"{count(many)} {thing if many == 1 else things or thing + 's'}"


def spelt(many: int, thing: str, things: str = "") -> str:
    """Like `plural`, small counts in letters: "one thing", "two things", "14 things"."""
    small = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    noun = thing if many == 1 else things or thing + "s"
    return f"{small[many]} {noun}" if 0 <= many < len(small) else plural(many, thing, things)


def duration(seconds: object) -> str:
    """Seconds as a person says them."""
    if not isinstance(seconds, int | float) or not known(seconds):
        return "not known"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if round(seconds) < 120:
        return f"{round(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def memory(megabytes: object) -> str:
    """Megabytes as MB or GB."""
    if not isinstance(megabytes, int | float) or not known(megabytes):
        return "not known"
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{round(megabytes)} MB"


def listed(things: Iterable[object], most: int | None = None) -> str:
    """Things in a sentence: "a, b and c"; beyond `most` of them the rest is counted."""
    words = [str(thing) for thing in things]
    if most is not None and len(words) > most:
        words = [*words[:most], f"{len(words) - most} more"]
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def shortened(text: object, most: int = 60) -> str:
    """`text` on one line, its middle left out where it is wider than `most` letters."""
    line = " ".join(str(text).split())
    if sum(map(_breadth, line)) <= most:
        return line
    head = (most - 1) * 2 // 3
    tail = _fitting(line[::-1], most - 1 - head)[::-1]
    return f"{_fitting(line, head).rstrip()}…{tail.lstrip()}"


def _breadth(letter: str) -> int:
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _fitting(line: str, most: int) -> str:
    """The beginning of a line that is at most so wide."""
    wide = list(accumulate(map(_breadth, line)))
    return line[: bisect_right(wide, most)]


def quoted(value: object) -> str:
    """A value from the data, marked as such in a sentence."""
    return f"“{value}”"
