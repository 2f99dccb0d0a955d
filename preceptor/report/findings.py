"""What a doctor found in a loop of one's own, as one page that needs nothing else.

write_findings(doctor.findings(), Path("findings.html"))
"""

from collections.abc import Sequence
from pathlib import Path

from preceptor import __version__
from preceptor.figures.words import spelt
from preceptor.finding import Finding
from preceptor.report.blocks import PLAIN, Block, Cards, Fold, Section
from preceptor.report.cards import called, cards
from preceptor.report.page import filled, sketched
from preceptor.storage import write_atomically


def write_findings_page(findings: Sequence[Finding], path: Path) -> Path:
    """Write the page: the likeliest cause as its headline, each alarm with its picture, notes folded."""
    told = [finding.as_dict() for finding in findings]
    alarms = [one for one in told if one["severity"] != "note"]
    notes = [one for one in told if one["severity"] == "note"]
    drawn = cards([*alarms, *notes])
    blocks: list[Block] = [Cards(drawn[: len(alarms)])] if alarms else []
    if notes:
        blocks.append(Fold(f"{spelt(len(notes), 'quiet note').capitalize()}", [Cards(drawn[len(alarms) :])]))
    sections = [Section("findings", "What was seen, and what to try", PLAIN, blocks)] if blocks else []
    page = filled(
        "findings.html",
        sections,
        sketched(sections),
        __version__,
        headline=called(alarms[0]["code"]) if alarms else "Nothing is wrong that the doctor could see",
        lede=_lede(len(alarms), len(notes)),
    )
    write_atomically(path, page.encode())
    return path


def _lede(alarms: int, notes: int) -> str:
    """How much was seen, and in which order it stands."""
    if alarms > 1:
        return (
            f"The likeliest of {spelt(alarms, 'thing')} that are wrong. Mend it first, train again, and look "
            "once more: the others may only follow from it."
        )
    if alarms:
        return "The one thing that is wrong as far as the doctor could see."
    return "A symptom without harm is a note, and no reason to change anything." if notes else "Train on."
