"""How findings put numbers and names into words."""

from collections.abc import Sequence


def percent(share: float) -> str:
    """A share as a percentage with no false digits: "0.3 %", "4.7 %", "38 %"."""
    hundredths = 100 * share
    if 0 < hundredths < 0.1:
        return "less than 0.1 %"
    return f"{hundredths:.1f} %" if hundredths < 9.95 else f"{hundredths:.0f} %"


def plain(value: float) -> str:
    """A number as a person writes it: "500,001", "-999", "0.25"."""
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:,.4g}"


def several(names: Sequence[str], most: int = 3) -> str:
    """A few quoted names, the rest counted: "'a', 'b', 'c' and 4 more"."""
    shown = ", ".join(f"'{name}'" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def row_count(count: int) -> str:
    """So many rows in words: "1 row", "2,000 rows"."""
    return f"{count:,} {'row' if count == 1 else 'rows'}"
