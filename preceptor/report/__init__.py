"""The ledger and the evidence of a run, told as one HTML page, as a notebook cell, in the terminal.

    write_report(Path("runs/houses-1"))                   # runs/houses-1/report.html
    write_findings(doctor.findings(), "findings.html")    # what a doctor saw in a loop of one's own

The page is drawn from what the run folder holds and from nothing else; what is not there yet is said
to be missing, and why.
"""

from collections.abc import Sequence
from pathlib import Path

from preceptor.finding import Finding


def write_report(folder: Path) -> Path:
    """Write `report.html` (and the pictures, as `figures/*.svg`) into a run's folder; return its path."""
    from preceptor.report.page import write_page  # charts take a second to load: only when drawn

    return write_page(Path(folder))


def write_findings(findings: Sequence[Finding], path: Path | str = "findings.html") -> Path:
    """Write what a doctor found as one page: sentences, pictures, what else it could be; return its path."""
    from preceptor.report.findings import write_findings_page

    return write_findings_page(findings, Path(path))


def notebook_html(folder: Path) -> str:
    """The verdict and the six answers as a piece of HTML for a notebook's cell."""
    from preceptor.report.page import notebook

    return notebook(Path(folder))
