"""What is wrong with the data, before anything is learnt from it: one trap a file (diagnosis faults 3-11).

    findings = inspect(table, roles)
    table = mend(table, findings)                # codes such as -999 become missing values

A trap is a function of the table and the columns' roles; it gives findings and changes nothing.
"""

from dataclasses import replace

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.caps import caps
from preceptor.inspection.conflicts import conflicts
from preceptor.inspection.constants import constants
from preceptor.inspection.duplicates import duplicates
from preceptor.inspection.giveaways import giveaways
from preceptor.inspection.groups import groups
from preceptor.inspection.ids import ids
from preceptor.inspection.imbalance import imbalance
from preceptor.inspection.leaks import leaks
from preceptor.inspection.mending import blank, mend, repairs
from preceptor.inspection.misread import misread
from preceptor.inspection.missing import missing
from preceptor.inspection.near_copies import near_copies
from preceptor.inspection.order import order
from preceptor.inspection.outliers import outliers
from preceptor.inspection.picture_blanks import picture_blanks
from preceptor.inspection.picture_colours import picture_colours
from preceptor.inspection.picture_copies import picture_copies
from preceptor.inspection.picture_leaks import picture_leaks
from preceptor.inspection.picture_sizes import picture_sizes
from preceptor.inspection.roles import Roles
from preceptor.inspection.sentinels import sentinels
from preceptor.inspection.spelling import spelling
from preceptor.inspection.target import check_inputs, usable_rows
from preceptor.inspection.texts import texts

__all__ = ["TRAPS", "Roles", "blank", "inspect", "mend", "repairs", "usable_rows"]

TRAPS = (
    leaks,
    giveaways,
    duplicates,
    near_copies,
    conflicts,
    groups,
    order,
    ids,
    constants,
    texts,
    missing,
    misread,
    spelling,
    caps,
    outliers,
    imbalance,
    picture_leaks,
    picture_copies,
    picture_blanks,
    picture_sizes,
    picture_colours,
)

OF_PLAIN = (ids, constants, missing, misread, spelling, caps, outliers, imbalance)
"""Traps that look at one plain column at a time: those for rows that hold a series besides.

That the hour tells the load is no leak: what is known of a moment ahead may be used.
"""

OF_INPUTS = (ids, constants, texts, missing, misread, spelling)
"""Traps that do not look at the answer: those for an answer that is itself a series of numbers."""


def inspect(table: Table, roles: Roles) -> list[Finding]:
    """Everything seen in the usable rows, warnings before notes, most serious traps first.

    Codes for "no value" are sought first and count as missing for all the other traps. Raises Mistake
    "no-inputs" when no column is left to learn from.
    """
    table = _with_number_answers(table, roles)
    check_inputs(table, roles)
    found = sentinels(table, roles)
    table = mend(table, found)
    plain = tuple(name for name in roles.inputs if roles.kinds[name] != "series")
    whole = len(plain) == len(roles.inputs)
    traps = OF_INPUTS if roles.kinds[roles.target] == "series" else TRAPS if whole else OF_PLAIN
    found += [finding for trap in traps for finding in trap(table, replace(roles, inputs=plain))]
    return sorted(found, key=lambda finding: finding.severity != "warning")


def _with_number_answers(table: Table, roles: Roles) -> Table:
    """Answers that arrived as text though they are numbers, cast; rows where they are none, left out."""
    if not roles.asks_number or table.frame[roles.target].dtype != pl.String:
        return table
    numbers = table.frame[roles.target].str.strip_chars().cast(pl.Float64, strict=False)
    rows = np.flatnonzero(numbers.is_finite().fill_null(False).to_numpy())
    return replace(table, frame=table.frame.with_columns(numbers)).take(rows)
