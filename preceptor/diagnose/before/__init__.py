"""What can be named before the first step, one symptom a file, in the order of explanation."""

from collections.abc import Callable

from preceptor.diagnose.case import Case
from preceptor.finding import Finding

BEFORE: tuple[Callable[[Case], Finding | None], ...] = ()
