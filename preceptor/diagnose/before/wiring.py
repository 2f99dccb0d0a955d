"""The wiring checks of the house, asked of any net: input ignored (20), batch mixed (21), one batch (19),
shuffled answers learnt (8). Each is explained in the check's own file.
"""

from preceptor.diagnose.case import Case
from preceptor.diagnose.ignored_input import check_ignored_input
from preceptor.diagnose.mixed_batch import check_mixed_batch
from preceptor.diagnose.one_batch import check_one_batch
from preceptor.diagnose.shuffled_labels import check_shuffled_labels
from preceptor.finding import Finding


def input_ignored(case: Case) -> Finding | None:
    """See `preceptor.diagnose.ignored_input`."""
    return check_ignored_input(case.rehearsal).finding


def batch_mixed(case: Case) -> Finding | None:
    """See `preceptor.diagnose.mixed_batch`."""
    return check_mixed_batch(case.rehearsal).finding


def one_batch(case: Case) -> Finding | None:
    """See `preceptor.diagnose.one_batch`."""
    return check_one_batch(case.rehearsal).finding


def shuffled_labels_learnt(case: Case) -> Finding | None:
    """See `preceptor.diagnose.shuffled_labels`; for numbers and classes, which can be exchanged."""
    held = case.validation
    if held is None or held.count < 8 or case.train.goal.numel() != case.train.count:
        return None
    train = case.train
    check = check_shuffled_labels(case.copy(), train.inputs, train.goal, case.loss, held.inputs, held.goal)
    return check.finding
