"""Looking before doing anything else: what each column is, and what is wrong with the data.

look = look_at(read("houses.csv"), Plan(target="price"))
look.roles.inputs, look.findings
"""

from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from preceptor.data.table import Table
from preceptor.errors import Mistake
from preceptor.finding import Finding
from preceptor.inspection import inspect, mend
from preceptor.inspection.roles import Roles
from preceptor.inspection.target import usable_rows
from preceptor.kinds.kind import Target
from preceptor.kinds.recognise import Recognised, recognise
from preceptor.kinds.registry import kind_named
from preceptor.plan import Plan


@dataclass(frozen=True)
class Look:
    """Data that has been looked at: its usable rows, what each column is, what was found."""

    table: Table
    roles: Roles
    recognised: dict[str, Recognised]
    findings: list[Finding]
    left_out: dict[str, int]

    def columns(self) -> list[dict[str, Any]]:
        """Every column with its kind, its role and the reason, for ledger and screen."""
        return [
            {"column": name, "kind": seen.kind, "role": self._role(name), "why": self._why(name)}
            for name, seen in self.recognised.items()
        ]

    def _role(self, name: str) -> str:
        return "target" if name == self.roles.target else "ignored" if name in self.roles.ignored else "input"

    def _why(self, name: str) -> str:
        return self.roles.ignored.get(name) or self.recognised[name].why


def look_at(table: Table, plan: Plan) -> Look:
    """Recognise the kinds, find what is wrong with the data, leave out rows without an answer.

    Raises Mistake when there is no such column, or nothing to learn from.
    """
    target = named_column(plan.target, table)
    for name in (plan.group, plan.time, *plan.ignore):
        if name is not None:
            named_column(name, table)
    recognised = recognise(table.frame, target, plan.kinds)
    roles = _roles(plan, target, recognised)
    rows, left_out = usable_rows(table, target)
    table = table.take(rows)
    findings = inspect(table, roles)
    return Look(mend(table, findings), roles, recognised, findings, left_out)


def named_column(name: str | None, table: Table) -> str:
    """`name`, when the table has such a column. Raises Mistake with the nearest names."""
    columns = table.frame.columns
    if name is None:
        raise Mistake(
            "target-missing",
            "Say which column to predict.",
            where=table.source,
            why=f"The columns are: {', '.join(columns[:30])}{' ...' if len(columns) > 30 else ''}.",
            todo=f"--target {columns[-1]}",
        )
    return table.named(name)


def fit_target(look: Look, rows: Table) -> Target:
    """The asked-for column's kind, its units and classes learnt from `rows`."""
    name = look.roles.target
    kind = kind_named(look.recognised[name].kind)
    if not issubclass(kind, Target):
        raise Mistake(
            "target-kind",
            f"The column {name!r} is of kind {kind.name!r}, which cannot be asked for.",
            todo=f"Say what it is, for example --kind {name}=category.",
        )
    return kind(name).fit(rows.frame[name])


def sealed_file(table: Table, look: Look) -> Table:
    """The rows of a test file, mended as the others were, without those that have no answer.

    Classes that are spelt a little differently there ("yes." for "yes") count as the same. Raises Mistake
    when a column is absent, or no row has a class that the other rows have.
    """
    target = look.roles.target
    for name in (target, *look.roles.inputs):
        named_column(name, table)
    table = table.take(usable_rows(table, target)[0])
    if look.roles.kinds[target] == "category" and table.frame[target].dtype == pl.String:
        known = {_bare(label): label for label in look.table.frame[target].cast(pl.String).unique()}
        labels = {label: known.get(_bare(label), label) for label in table.frame[target].unique()}
        if not set(labels.values()) & set(known.values()):
            raise Mistake(
                "classes-foreign",
                f"No row of the test file has a class that {look.table.source} has in {target!r}.",
                where=table.source,
                why=f"There: {', '.join(list(labels)[:5])}. Here: {', '.join(list(known.values())[:5])}.",
                todo="Write the classes alike in both files.",
            )
        spelt = table.frame[target].replace_strict(labels, return_dtype=pl.String)
        table = replace(table, frame=table.frame.with_columns(spelt))
    return mend(table, look.findings)


def _bare(label: str) -> str:
    return label.casefold().strip(" .")


def _roles(plan: Plan, target: str, recognised: dict[str, Recognised]) -> Roles:
    ignored = {name: seen.why for name, seen in recognised.items() if seen.ignored and name != target}
    ignored |= dict.fromkeys(plan.ignore, "told to ignore it")
    if plan.group:
        ignored[plan.group] = "it names the groups"
    kinds = {name: seen.kind for name, seen in recognised.items()}
    inputs = tuple(name for name in recognised if name not in ignored and name != target)
    return Roles(target, inputs, ignored, kinds, plan.group, plan.time)
