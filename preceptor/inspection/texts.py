"""Columns of free text."""

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles


def texts(table: Table, roles: Roles) -> list[Finding]:
    """Inputs that are sentences rather than names."""
    return [
        Finding(
            "free-text",
            "note",
            f"'{name}' is free text: its words are read, in their order.",
            column=name,
            evidence={"distinct": table.frame[name].n_unique(), "rows": len(table)},
            done=roles.fate(name),
            remedy=f"If it names one of a few things: --kind {name}=category.",
        )
        for name in roles.inputs
        if roles.kinds[name] == "text"
    ]
