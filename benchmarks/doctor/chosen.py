"""Which runs make up the smoke set and the full one."""

from collections.abc import Iterator, Sequence

from benchmarks.doctor.faults import FAULTS, Fault
from benchmarks.doctor.harm import SEEDS
from benchmarks.doctor.healthy import CONTROLS
from benchmarks.doctor.jobs import Job
from benchmarks.doctor.programs import PROGRAMS, UNSEEN
from benchmarks.doctor.rows import absent
from benchmarks.doctor.setup import Setup

SMOKE_SEEN, SMOKE_UNSEEN = 2, 2
PLAIN_SEEDS = 4
"""Runs of a program as it is; of each look-alike there is one a program."""


def present(which: str) -> list[Setup]:
    """The programs asked for, seen, unseen or all, whose rows are at hand."""
    wanted = {"all": set(PROGRAMS), "seen": set(PROGRAMS) - UNSEEN, "unseen": set(UNSEEN)}
    names = wanted.get(which, set(which.split(",")))
    return [setup for name, setup in PROGRAMS.items() if name in names and not absent(setup.data)]


def _turned(setups: Sequence[Setup], by: int, most: int) -> list[Setup]:
    """At most so many of them, beginning at another one each time."""
    place = by % len(setups) if setups else 0
    return [*setups[place:], *setups[:place]][:most]


def _few(setups: Sequence[Setup], by: int, seen: int, unseen: int) -> list[Setup]:
    known = [setup for setup in setups if setup.name not in UNSEEN]
    fresh = [setup for setup in setups if setup.name in UNSEEN]
    return [*_turned(known, by, seen), *_turned(fresh, by, unseen)]


def faulty(setups: Sequence[Setup], faults: Sequence[Fault], *, smoke: bool) -> Iterator[Job]:
    """A watched run of each fault in each program it applies to; in the smoke set four, of one level."""
    for fault in faults:
        where = [setup for setup in setups if fault.applies(setup)]
        turn = FAULTS.index(fault)
        where = _few(where, turn, SMOKE_SEEN, SMOKE_UNSEEN) if smoke else where
        levels = [fault.middle] if smoke else range(len(fault.levels))
        yield from (Job("watch", setup.name, fault.name, level) for setup in where for level in levels)


def healthy(setups: Sequence[Setup], *, smoke: bool) -> Iterator[Job]:
    """Watched runs of the plain programs and of the look-alikes; in the smoke set two of each of these."""
    for turn, control in enumerate(CONTROLS):
        plain = control.name == "plain"
        where = [setup for setup in setups if control.applies(setup)]
        where = _few(where, turn, 1, 1) if smoke and not plain else where
        seeds = PLAIN_SEEDS if plain and not smoke else 1
        yield from (
            Job("watch", setup.name, control.name, seed=seed) for setup in where for seed in range(seeds)
        )


def judged(watched: Sequence[Job], known: set[str]) -> list[Job]:
    """The unwatched runs that the test of harm needs besides; `known` are those it has."""
    changed = [(job.program, job.change, job.level) for job in watched if not job.seed]
    asked = [*((job.program, "", 0) for job in watched), *(one for one in changed if one[1] != "plain")]
    wanted = [(*one, seed) for one in dict.fromkeys(asked) for seed in range(SEEDS)]
    return [Job("score", *one) for one in wanted if place(*one) not in known]


def place(program: str, change: str, level: int, seed: int) -> str:
    """Where a score is kept."""
    return f"{program}|{change}|{level}|{seed}"
