"""Columns that name rows instead of describing them."""

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles


def ids(table: Table, roles: Roles) -> list[Finding]:
    """Columns recognised as identifiers: a network would learn them by heart, and new rows have new ones."""
    return [
        Finding(
            "id-column",
            "note",
            f"'{name}' names rows and tells nothing about new ones.",
            column=name,
            evidence={"distinct": table.frame[name].n_unique(), "rows": len(table)},
            done=roles.fate(name),
            remedy=f"If it says something about the row after all: --kind {name}=category.",
        )
        for name, kind in roles.kinds.items()
        if kind == "identifier" and name != roles.target
    ]
