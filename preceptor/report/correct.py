"""How do I correct it? What was found, what was tried, and what to type next."""

import shlex

from markupsafe import Markup

from preceptor.figures.words import count, listed, plural, quoted, shortened, spelt
from preceptor.report.blocks import Block, Cards, Commands, Fold, Grid, Section, Text
from preceptor.report.cards import called, cards
from preceptor.report.inquiry import answers, remedy_drawn
from preceptor.report.record import Event, Record
from preceptor.report.sentences import say
from preceptor.report.yardstick import Yardstick

QUESTION = "How do I correct it?"
MOST, MOST_NAMED = 6, 20
ASKED = ("time", "horizon", "series", "group", "test", "metric")


def how_to_correct(record: Record) -> Section:
    """The fifth section."""
    grave = [f for f in record.findings if f.get("severity") in ("warning", "error")]
    notes = [f for f in record.findings if f not in grave]
    told = cards([*grave, *notes])
    alarms, quiet = told[: len(grave)], told[len(grave) :]
    blocks: list[Block] = [Cards(alarms[:MOST])] if alarms else []
    if alarms[MOST:]:
        blocks.append(Fold(plural(len(alarms) - MOST, "more finding"), [Cards(alarms[MOST:])]))
    if quiet:
        blocks.append(Fold(f"{plural(len(quiet), 'note')}, for completeness", [Cards(quiet)]))
    blocks += [*_remedies(record), *answers(record), *_left_out(record), *_commands(record)]
    return Section("correct", QUESTION, _answer(grave, notes), blocks)


def _answer(grave: list[Event], notes: list[Event]) -> Markup:
    if not grave:
        more = f"; {spelt(len(notes), 'note')} below" if notes else ""
        return say("Nothing is wrong that preceptor could see{more}. More rows, or a column that tells more, "
                   "would help most.", more=more)  # fmt: skip
    many = spelt(len(grave), "thing").capitalize()
    named = list(dict.fromkeys(quoted(_title(finding)) for finding in grave))
    be = "is" if len(grave) == 1 else "are"
    return say("{many} {be} worth a look: {named}.", many=many, be=be, named=listed(named, 3))


def _title(finding: Event) -> str:
    """What the finding's code is called; else the code itself, or how its text begins."""
    code = str(finding.get("code") or "")
    return called(code) or code.replace("-", " ") or shortened(finding.get("text"), 60)


def _left_out(record: Record) -> list[Block]:
    """Rows and values that could not be used."""
    read = record.last("read")
    rows = [[str(why), plural(many, "row")] for why, many in record.left_out.items()]
    misfits = [(column, many) for column, many in (read.get("misfit_counts") or {}).items() if many]
    rows += [
        [f"values of {column} that could not be read", plural(many, "value")] for column, many in misfits
    ]
    named = [[count(one["line"]) if one.get("line") else "–", str(one.get("why"))] for one in record.dropped]
    told: list[Block] = [Grid("", ["why", "how many"], rows)]
    if named:
        told += [Text("The first of them:"), Grid("", ["line", "what"], named[:MOST_NAMED])]
    return [Fold("What could not be used", told)] if rows else []


def _remedies(record: Record) -> list[Block]:
    """What preceptor changed by itself, and whether it helped."""
    rows = [
        [
            str(remedy.get("text") or remedy.get("code")),
            _measured(record, remedy).said(remedy.get("before")),
            _measured(record, remedy).said(remedy.get("after")),
            "kept" if remedy.get("kept") else "taken back",
        ]
        for remedy in record.of("remedy")
    ]
    if not rows:
        return []
    kept = sum(bool(remedy.get("kept")) for remedy in record.of("remedy"))
    tried, helped = spelt(len(rows), "remedy", "remedies"), spelt(kept, "", " ").strip()
    told = f"preceptor tried {tried} by itself and kept {helped}, judged on validation rows."
    tries = enumerate(record.of("remedy"), start=1)
    drawn = [block for nth, remedy in tries for block in remedy_drawn(record, remedy, nth)]
    return [Text(told), Grid("", ["remedy", "before", "after", ""], rows), *drawn]


def _measured(record: Record, remedy: Event) -> Yardstick:
    return Yardstick.of(record.task, str(remedy.get("metric")), record.target)


def _commands(record: Record) -> list[Block]:
    run, target = shlex.quote(str(record.folder)), record.target
    lines = []
    if record.exam:
        lines.append(("answer new rows", f"preceptor predict {run} new.csv -o answers.csv"))
    elif record.stopped:
        lines.append(("go on where it stopped", f"preceptor fit --resume {run}"))
    codes = listed_codes(record)
    if codes:
        lines.append(("have a finding explained", f"preceptor explain {codes[0]}"))
    source = shlex.quote(str(record.last("start").get("path") or record.source))
    again = f"preceptor fit {source} --target {shlex.quote(target)}{_chosen(record)}"
    minutes = record.plan.get("minutes") or record.last("start").get("minutes")
    if isinstance(minutes, int | float):
        lines.append(("give it more time", f"{again} --minutes {minutes * 4:g}"))
    lines.append(("leave out a column that would not be known in time", f"{again} --ignore COLUMN"))
    lines.append(("repeat this very run", f"preceptor fit {source} --plan {run}/plan.json"))
    return [Text("What to type next:"), Commands(lines)]


def _chosen(record: Record) -> str:
    """What was asked for, as flags again."""
    given = {flag: record.plan.get(flag) for flag in ASKED}
    asked = ((flag, value) for flag, value in given.items() if value is not None)
    return "".join(f" --{flag} {shlex.quote(str(value))}" for flag, value in asked)


def listed_codes(record: Record) -> list[str]:
    """The codes of the findings, the gravest first, each once."""
    return list(dict.fromkeys(str(f["code"]) for f in record.findings if f.get("code")))
