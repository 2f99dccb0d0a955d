"""The ledger and the evidence of a run, told as one HTML page, as a notebook cell, in the terminal.

    write_report(Path("runs/houses-1"))        # runs/houses-1/report.html

The page is drawn from what the run folder holds and from nothing else; what is not there yet is said
to be missing, and why.
"""

from pathlib import Path


def write_report(folder: Path) -> Path:
    """Write `report.html` (and the pictures, as `figures/*.svg`) into a run's folder; return its path."""
    from preceptor.report.page import write_page  # charts take a second to load: only when drawn

    return write_page(Path(folder))


def notebook_html(folder: Path) -> str:
    """The verdict and the six answers as a piece of HTML for a notebook's cell."""
    from preceptor.report.page import notebook

    return notebook(Path(folder))
