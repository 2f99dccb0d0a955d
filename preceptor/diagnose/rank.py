"""Which of several findings is the likeliest cause.

Alarms come before notes; among equals what is certain comes before what is likely, and then the order of
explanation decides: loader and labels, wiring, scale, learning rate, layers, fit. The others stand in the
first one's evidence as `also`.
"""

from collections.abc import Iterable
from dataclasses import replace

from preceptor.diagnose.catalogue import CATALOGUE, RANK
from preceptor.finding import Finding

SEVERITY = {"error": 0, "warning": 0, "note": 1}
AT_REST = {"dead-units", "saturated-units"}
"""Before the first step they are a cause; in training the learning rate explains them. It does not explain a
loss that is no number without having risen before.
"""
CERTAIN = {fault.code for fault in CATALOGUE if fault.certain}


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, each code once, the likeliest cause first."""
    once: dict[str, Finding] = {}
    for finding in sorted(findings, key=_place):
        once.setdefault(finding.code, finding)
    found = list(once.values())
    if len(found) < 2 or found[0].severity == "note":
        return found
    also = [finding.code for finding in found[1:] if finding.severity != "note"]
    return [replace(found[0], evidence={**found[0].evidence, "also": also}) if also else found[0], *found[1:]]


def _place(finding: Finding) -> tuple[int, bool, int]:
    rank = RANK[finding.code]
    if finding.code in AT_REST and finding.evidence.get("step"):
        rank = RANK["vanishing-gradient"]
    if finding.code == "not-finite" and not finding.evidence.get("rose", True):
        rank = RANK["starting-loss"]
    return SEVERITY[finding.severity], finding.code not in CERTAIN, rank
