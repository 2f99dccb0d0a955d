"""Pictures and words instead of row numbers: what a run's answers look like, for a person to see.

    examples(desk, roles, subject, seconds=4.0)         # RUN/figures/examples.json, and an event of that name

The file holds one exhibit for each picture or text column: examples of each class, the answers that went
worst and best, what is confused with what, what the net looked at, and the most similar examples that it
has learnt from. It holds JSON values only; pictures are data URIs.
"""

import json
from typing import Any

import polars as pl

from preceptor.desk import Desk
from preceptor.explain.of_pictures import augmented, picture_exhibit
from preceptor.explain.of_texts import text_exhibit
from preceptor.explain.purse import Purse
from preceptor.explain.subject import Subject
from preceptor.inspection.roles import Roles
from preceptor.storage import write_atomically

MOST_COLUMNS = 2
FILE = "examples.json"


def examples(desk: Desk, roles: Roles, subject: Subject, seconds: float) -> None:
    """Write the exhibits of the picture and text columns, in about so many seconds; nothing without any."""
    kinds = {name: _family(subject.table.frame[name], roles) for name in roles.inputs}
    shown = [name for name, family in kinds.items() if family][:MOST_COLUMNS]
    if not shown or not len(subject.table):
        return
    exhibits = [
        _exhibit(desk, subject, kinds[name], Purse(desk.ledger, name, seconds / len(shown))) for name in shown
    ]
    (desk.folder / "figures").mkdir(exist_ok=True)
    written = json.dumps({"exhibits": exhibits}, ensure_ascii=False)
    write_atomically(desk.folder / "figures" / FILE, written.encode())
    desk.ledger.write("examples", columns=shown)


def _exhibit(desk: Desk, subject: Subject, family: str, purse: Purse) -> dict[str, Any]:
    if family == "text":
        return text_exhibit(subject, purse.name, purse)
    changed = augmented(subject, purse.name, desk.plan.training.augment, desk.plan.seed)
    return {**picture_exhibit(subject, purse.name, purse), "augmented": changed}


def _family(column: pl.Series, roles: Roles) -> str:
    """How the column can be shown: as "picture", as "text", or not at all."""
    if column.dtype == pl.Binary:
        return "picture"
    return "text" if column.dtype == pl.String and roles.kinds[column.name] == "text" else ""
