"""What did it cost? Time, memory, energy, and the machine it ran on."""

from markupsafe import Markup

from preceptor.figures.journey import timeline
from preceptor.figures.words import count, duration, known, memory, number, plural
from preceptor.report.blocks import Block, Fold, Grid, Section, pictures
from preceptor.report.record import Event, Record
from preceptor.report.sentences import say

QUESTION = "What did it cost?"
LAMP_WATTS = 10.0
STAGE_OF = {
    **{"start": "start", "read": "read", "kinds": "look", "finding": "look", "split": "split"},
    **{"rival": "rivals", "check": "checks", "trial": "search", "train": "train", "remedy": "doctor"},
    **{"candidates": "choose", "opening": "exam", "exam": "exam"},
}


def what_it_cost(record: Record) -> Section:
    """The sixth section."""
    cost = record.last("cost")
    blocks: list[Block] = pictures(timeline(_stages(record, cost)))
    facts = _facts(record, cost)
    if facts:
        blocks.append(Fold("The machine and the program", [Grid("", ["what", ""], facts)]))
    blocks += _diary(record)
    return Section("cost", QUESTION, _answer(record, cost), blocks)


def _seconds(record: Record, cost: Event) -> float:
    """The whole run's seconds."""
    for seconds in (
        record.result.get("seconds"),
        cost.get("seconds"),
        (record.events or [{}])[-1].get("seconds"),
    ):
        if isinstance(seconds, int | float) and known(seconds):
            return float(seconds)
    return 0.0


def _answer(record: Record, cost: Event) -> Markup:
    cores = (record.last("start").get("machine") or {}).get("cores")
    parts = [duration(_seconds(record, cost)) + (f" on {plural(cores, 'processor core')}" if cores else "")]
    if known(cost.get("peak_memory_mb")):
        parts.append(f"at most {memory(cost['peak_memory_mb'])} of memory")
    if known(cost.get("energy_wh")):
        parts.append(_energy(cost))
    last = "" if cost else " " + record.lacks("The exact cost is")
    return say("{parts}.{last}", parts=", ".join(parts), last=last)


def _energy(cost: Event) -> str:
    energy, carbon = float(cost["energy_wh"]), cost.get("co2_g")
    lamp = duration(energy / LAMP_WATTS * 3600)
    told = f"and about {number(energy, (0, energy))} Wh of energy, as much as a 10 W lamp needs in {lamp}"
    return told + (f" ({number(carbon, (0, carbon))} g of CO₂)" if known(carbon) and carbon else "")


def _stages(record: Record, cost: Event) -> dict[str, float]:
    """Seconds by stage; where the run did not come to its account, as the ledger's clock has them."""
    if cost.get("stages"):
        return dict(cost["stages"])
    stages: dict[str, float] = {}
    before = 0.0
    for event in record.events:
        stage, now = STAGE_OF.get(event["event"]), float(event.get("seconds") or 0.0)
        if stage:
            stages[stage] = stages.get(stage, 0.0) + max(0.0, now - before)
            before = now
    return stages


def _facts(record: Record, cost: Event) -> list[list[str]]:
    start = record.last("start")
    machine = start.get("machine") or {}
    facts = {
        "preceptor": start.get("version"),
        "Python": machine.get("python"),
        "PyTorch": machine.get("torch"),
        "processor cores": machine.get("cores"),
        "threads used": machine.get("threads"),
        "memory": f"{machine['memory_gb']:.0f} GB" if known(machine.get("memory_gb")) else None,
        "seed": start.get("seed"),
        "time asked for": duration(60 * start["minutes"]) if known(start.get("minutes")) else None,
        "parameters of the net": count(cost["parameters"]) if known(cost.get("parameters")) else None,
        "epochs of training": count(cost["epochs"]) if known(cost.get("epochs")) else None,
    }
    return [[what, str(fact)] for what, fact in facts.items() if fact is not None]


MOST = 200


def _diary(record: Record) -> list[Block]:
    """The ledger itself, one line an event."""
    rows = [[duration(e.get("seconds")), str(e["event"]), _told(e)] for e in record.events]
    if not rows:
        return []
    grid = Grid("", ["after", "what", "facts"], rows[:MOST])
    return [Fold(f"The ledger, line by line ({plural(len(rows), 'line')})", [grid])]


def _told(event: Event) -> str:
    line = _short({key: value for key, value in event.items() if key not in ("event", "at", "seconds")})
    return line if len(line) <= 240 else line[:239] + "…"


def _short(value: object) -> str:
    """A fact on one line, without the punctuation of programs."""
    if isinstance(value, list | dict) and not value:
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_short(part)}" for key, part in value.items() if part not in (None, ""))
    if isinstance(value, list):
        few = all(isinstance(part, int | float | str) for part in value) and len(value) <= 4
        return " ".join(map(_short, value)) if few else f"({plural(len(value), 'entry', 'entries')})"
    return number(value) if isinstance(value, float) else str(value)
