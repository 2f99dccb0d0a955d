"""The batch is too small for these steps (38).

    symptom   batches of at most 4 rows, and the loss is above 0.35 of the constant answer's or a rival is
              better on rows held out by 0.1
    harm      in a trial both batches of 32 rows at the same rate and the same batches at a
              tenth of it come lower by 0.1 and a fifth (`progress.behind`), still after the run has gone on

Larger batches alone prove nothing: they show the net eight times as many rows. That smaller steps help as
well is what says that noise, not slowness, is in the way. Source: McCandlish et al. (2018).
"""

from preceptor.diagnose.case import Case
from preceptor.diagnose.during.range_test import matters, number, said, suspected
from preceptor.diagnose.progress import again, behind, carried, reached, so_long
from preceptor.finding import Finding

FEW, ENOUGH, STEPS = 4, 32, 16


def batch_too_small(case: Case) -> Finding | None:
    """Batches so small that their gradients are mostly noise."""
    told = case.record.batches
    size = len(told[0].goal) if told else FEW + 1
    if size > FEW or carried(case) < STEPS or not suspected(case):
        return None
    larger, slower = again(case, batch=ENOUGH), again(case, factor=0.1)
    if not all(matters(behind(case, other, lasting=True), case) for other in (larger, slower)):
        return None
    return Finding(
        "batch-too-small",
        "warning",
        f"Batches hold {size} rows, and after {case.record.step} steps the loss is at {said(reached(case))}"
        f" of the constant answer's; with {ENOUGH} rows it is {said(larger.train)}, with a tenth of the"
        f" learning rate {said(slower.train)}, in {so_long(case)}. The gradients are mostly noise.",
        evidence={
            "step": case.record.step,
            "rows": size,
            "now": number(reached(case)),
            "rows_32": number(larger.train),
            "slower": number(slower.train),
        },
        remedy=f"Take batches of {ENOUGH} rows and more, or a learning rate lower in proportion.",
        change={"training": {"batch_size": ENOUGH}},
    )
