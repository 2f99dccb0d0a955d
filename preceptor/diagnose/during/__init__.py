"""What can be named while training runs, one symptom a file, in the order of explanation."""

from collections.abc import Callable

from preceptor.diagnose.case import Case
from preceptor.finding import Finding

DURING: tuple[Callable[[Case], Finding | None], ...] = ()
