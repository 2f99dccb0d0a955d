"""Which of several findings is the likeliest cause.

Alarms come before notes; among equals what is certain comes before what is likely, and then the order of
explanation decides: loader and labels, wiring, scale, learning rate, layers, fit. Of causes whose remedies
were tried, the one whose remedy helped most comes first. The others stand in the first one's evidence as
`also`.
"""

from collections.abc import Iterable
from dataclasses import replace

from preceptor.diagnose.before.parameters_unmoved import HIDDEN
from preceptor.diagnose.catalogue import CATALOGUE, RANK
from preceptor.finding import Finding

SEVERITY = {"error": 0, "warning": 0, "note": 1}
AT_REST = {"dead-units", "saturated-units"}
"""Before the first step they are a cause; in training the learning rate explains them. It does not explain a
loss that is no number without having risen before. Layers that torch does not find are not switched to
evaluation mode either, and mix rows.
"""
REMEDIED = {"over-regularised": "without", "batch-too-small": "rows_32", "learning-rate-too-high": "trial"}
PLAINLY = 0.05
"""What competes to explain one slow run, and the evidence where its remedy's trial stands; a plain gap."""
CERTAIN = {fault.code for fault in CATALOGUE if fault.certain}


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, each code once, the likeliest cause first."""
    once: dict[str, Finding] = {}
    for finding in sorted(findings, key=_place):
        once.setdefault(finding.code, finding)
    found = _by_remedy(list(once.values()))
    if len(found) < 2 or found[0].severity == "note":
        return found
    also = [finding.code for finding in found[1:] if finding.severity != "note"]
    return [replace(found[0], evidence={**found[0].evidence, "also": also}) if also else found[0], *found[1:]]


def _by_remedy(found: list[Finding]) -> list[Finding]:
    """The same, those whose remedies were tried in the order in which these helped, if one did plainly."""
    tried = [one for one in found if one.severity != "note" and _outcome(one) is not None]
    outcomes = [value for one in tried if (value := _outcome(one)) is not None]
    if not outcomes or max(outcomes) - min(outcomes) < PLAINLY:
        return found
    better = iter(sorted(tried, key=lambda one: _outcome(one) or 0.0))
    return [next(better) if one in tried else one for one in found]


def _outcome(finding: Finding) -> float | None:
    """Where the trial of its remedy came to."""
    told = finding.evidence.get(REMEDIED.get(finding.code, ""))
    return float(told) if isinstance(told, int | float) else None


def _place(finding: Finding) -> tuple[int, bool, int]:
    rank = RANK[finding.code]
    if finding.code in AT_REST and finding.evidence.get("step"):
        rank = RANK["vanishing-gradient"]
    if finding.code == "parameters-unmoved" and finding.evidence.get("why") == HIDDEN:
        rank = RANK["output-mismatch"]
    if finding.code == "not-finite" and not finding.evidence.get("rose", True):
        rank = RANK["starting-loss"]
    return SEVERITY[finding.severity], finding.code not in CERTAIN, rank
