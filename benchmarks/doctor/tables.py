"""The bench's tables as text."""

import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.doctor.faults import BY_NAME, FAULTS
from benchmarks.doctor.jobs import Row
from benchmarks.doctor.judge import (
    Evidence,
    Interval,
    Named,
    alarmed,
    closed,
    doctor,
    macro,
    right,
    rival,
    when,
)
from benchmarks.doctor.programs import PROGRAMS, UNSEEN
from benchmarks.doctor.rivals import RIVALS
from preceptor.diagnose.catalogue import CATALOGUE

EVERYONE: dict[str, Named] = {"preceptor": doctor, **{name: rival(name) for name in RIVALS}}
LEAST = 1e-3
"""Nothing at all is told as this, since tables tell ratios too."""
CODES = {number: "/".join(f.code for f in CATALOGUE if f.number == number) for number in range(1, 49)}


def faults() -> str:
    """What is injected, how badly, in how many programs, and what counts as right."""
    lines = [f"{'':>3} {'injected':<32}{'levels':>7}{'programs':>9}  right"]
    for fault in FAULTS:
        where = sum(map(fault.applies, PROGRAMS.values()))
        codes = ", ".join(CODES[number] for number in sorted(fault.accepted))
        told = f"{codes}{' (by construction)' if fault.constructed else ''}"
        lines.append(f"{fault.number:>3} {fault.name:<32}{len(fault.levels):>7}{where:>9}  {told}")
    return "\n".join(lines)


def report(rows: Sequence[Row], evidence: Evidence, *, misses_too: bool) -> str:
    """Every table; the single misses only where no program is held out."""
    watched = [row for row in rows if row["kind"] == "watch" and "error" not in row]
    ill = [row for row in watched if evidence.faulty(row)]
    well = [row for row in watched if evidence.healthy(row)]
    broken = [row for row in rows if "error" in row]
    aside = len(watched) - len(ill) - len(well)
    parts = [
        f"{len(ill)} faulty runs of {len({row['change'] for row in ill})} faults, {len(well)} healthy ones,"
        f" {aside} set aside (harmless faults, harmful controls), {len(broken)} not finished",
        beside_rivals(ill, well),
        named(ill),
        false_alarms(well),
        timing(ill),
        fixes(rows, evidence),
        cost(rows),
        by_fault(ill),
    ]
    parts += [misses(ill)] if misses_too else []
    parts += [f"not finished: {row['key']}: {row['error'][:200]}" for row in broken]
    return "\n\n".join(parts)


def beside_rivals(ill: Sequence[Row], well: Sequence[Row]) -> str:
    """Top-1, top-3, detection and false alarms of each."""
    lines = [f"{'':<20}{'top-1, macro':<32}{'top-3, macro':<32}{'anything said':<32}healthy runs alarmed"]
    for name, say in EVERYONE.items():
        cells = [
            macro(ill, lambda row, say=say: right(row, say(row), 1)),
            macro(ill, lambda row, say=say: right(row, say(row), 3)),
            macro(ill, lambda row, say=say: bool(say(row))),
            macro(well, _alarm(say), group=""),
        ]
        lines.append(f"{name:<20}" + "".join(f"{cell!s:<32}" for cell in cells))
    return "\n".join(lines)


def summary(rows: Sequence[Row], evidence: Evidence) -> dict[str, Any]:
    """Names and false alarms of all, as tables of `benchmarks`."""
    watched = [row for row in rows if row["kind"] == "watch" and "error" not in row]
    ill = [row for row in watched if evidence.faulty(row)]
    well = [row for row in watched if evidence.healthy(row)]
    first = {name: macro(ill, lambda row, say=say: right(row, say(row), 1)) for name, say in EVERYONE.items()}
    wolf = {name: macro(well, _alarm(say), group="") for name, say in EVERYONE.items()}
    return {
        "named": _table("first name right, mean over the faults", "more", first, {"at_least": 0.85}),
        "false alarms": _table("healthy runs alarmed", "less", wolf, {"at_most": 0.05}),
    }


def _table(title: str, better: str, told: dict[str, Interval], target: dict[str, float]) -> dict[str, Any]:
    contestants = {
        name: {"values": [max(cell.value, LEAST)], "low": cell.low, "high": cell.high, "runs": cell.runs}
        if cell.runs
        else {"absent": "no such runs in this set"}
        for name, cell in told.items()
    }
    targets = [{"ours": "preceptor", **target}]
    return {"title": title, "unit": "", "better": better, "contestants": contestants, "targets": targets}


def _alarm(say: Named) -> Callable[[Row], bool]:
    """Whether somebody said anything; of the doctor, at any time."""
    return alarmed if say is doctor else lambda row: bool(say(row))


def named(ill: Sequence[Row]) -> str:
    """Seen beside unseen programs, on the faults that both have."""
    parts = {
        "seen": [row for row in ill if row["program"] not in UNSEEN],
        "unseen": [row for row in ill if row["program"] in UNSEEN],
    }
    both = {row["change"] for row in parts["seen"]} & {row["change"] for row in parts["unseen"]}
    if not both:
        return "seen minus unseen: not told, since one of the two is not in this set"
    lines, values = [], []
    for name, rows in parts.items():
        rows = [row for row in rows if row["change"] in both]
        cell = macro(rows, lambda row: right(row, doctor(row), 1))
        values.append(cell.value)
        lines.append(f"top-1 on {name + ' programs':<18}{cell}")
    return "\n".join([*lines, f"seen minus unseen          {values[0] - values[1]:+6.1%}"])


def false_alarms(well: Sequence[Row]) -> str:
    """How many healthy runs of each kind are alarmed, and by what."""
    plain = [row for row in well if row["change"] == "plain"]
    parts = {"plain": plain, "look-alikes": [row for row in well if row["change"] != "plain"]}
    lines = [f"{name:<12}{macro(part, alarmed, group='')}" for name, part in parts.items()]
    for change in dict.fromkeys(row["change"] for row in well):
        ours = [row for row in well if row["change"] == change]
        codes = Counter(code for row in ours for code in {c for _, said in row["alarms"] for c in said})
        told = ", ".join(f"{code} {count}" for code, count in codes.most_common())
        lines.append(f"  {change:<22}{sum(map(alarmed, ours)):>4} of {len(ours):<5}{told}")
    return "Healthy runs alarmed at any time\n" + "\n".join(lines)


def timing(ill: Sequence[Row]) -> str:
    """When the right name stood first and stayed."""
    groups = {"before step 1": {f.number for f in CATALOGUE if f.when == "before"}, "during": set()}
    groups["during"] = {f.number for f in CATALOGUE} - groups["before step 1"]
    lines = []
    for name, numbers in groups.items():
        ours = [row for row in ill if BY_NAME[row["change"]].number in numbers]
        shares = [share for row in ours if (share := when(row)) is not None]
        early = sum(share == 0 for share in shares)
        median = f"{statistics.median(shares):.0%}" if shares else "-"
        lines.append(
            f"can be named {name:<15}{len(shares):>4} of {len(ours)} named rightly, {early} before step 1,"
            f" median at {median} of the budget"
        )
    return "\n".join(lines)


def fixes(rows: Sequence[Row], evidence: Evidence) -> str:
    """How often the remedy of the first finding closes four fifths of the gap."""
    tried = [row for row in rows if row["kind"] == "fix" and "error" not in row]
    shares = [(row, share) for row in tried if (share := closed(row, evidence)) is not None]
    if not shares:
        return "no remedy was tried"
    worked = {row["key"] for row, share in shares if share >= 0.8}
    rate = macro([row for row, _ in shares], lambda row: row["key"] in worked)
    return f"remedy closes 80 % of the gap, where something was named: {rate}"


def cost(rows: Sequence[Row]) -> str:
    """Processor seconds with somebody who watches over those without."""
    measured = [row for row in rows if row["kind"] == "cost" and "error" not in row]
    lines = []
    for row in measured:
        before, after = statistics.median(row["seconds"]), statistics.median(row["watched"])
        bits = "same bits" if row["same_bits"] else "OTHER BITS"
        lines.append(f"  {row['program']:<22}{before:6.2f} s{after / before:7.3f} x  {bits}")
    return "Watching costs, in processor time\n" + "\n".join(lines)


def by_fault(ill: Sequence[Row]) -> str:
    """One line a fault: how often right, and what stood first instead."""
    lines = []
    for fault in FAULTS:
        ours = [row for row in ill if row["change"] == fault.name]
        if not ours:
            lines.append(f"{fault.number:>3} {fault.name:<32}{'no run that hurts':>18}")
            continue
        first = sum(right(row, doctor(row), 1) for row in ours)
        three = sum(right(row, doctor(row), 3) for row in ours)
        wrong = Counter(_first(row) for row in ours if not right(row, doctor(row), 1))
        told = ", ".join(f"{code} {count}" for code, count in wrong.most_common(4))
        lines.append(f"{fault.number:>3} {fault.name:<32}{first:>4}{three:>4} of {len(ours):<5}{told}")
    return "     top-1 and top-3 by fault; what was named first instead\n" + "\n".join(lines)


def _first(row: Row) -> str:
    return next(iter(row["alarms"][-1][1]), "(silence)")


def misses(ill: Sequence[Row]) -> str:
    """Each miss with what the doctor said."""
    lines = []
    for row in sorted(ill, key=lambda row: BY_NAME[row["change"]].number):
        if right(row, doctor(row), 1):
            continue
        level = BY_NAME[row["change"]].levels[row["level"]]
        said = "; ".join(f"{one['code']}: {one['text']}" for one in row["first"][:2]) or "nothing"
        notes = f" (notes: {', '.join(row['notes'])})" if row["notes"] else ""
        lines.append(f"- {row['change']} = {level} in {row['program']}: {said}{notes}")
    return "Misses\n" + "\n".join(lines)
