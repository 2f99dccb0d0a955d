"""preceptor's own loop, given the same net, optimiser, batch size and epochs as everybody.

How convolutions are computed (precision, layout) is measured by the library itself, as `preceptor fit` does
before the first epoch; here once in a process, in the warm-up, in which peers choose their threads.
"""

import preceptor  # noqa: F401  isort: skip  (before torch, for it says how idle threads wait)

from benchmarks.peers.nets import loss_of, net, predictor, tensors
from benchmarks.tasks import RATE, Task
from preceptor.plan import TrainingPlan
from preceptor.training.loop import train
from preceptor.training.pace import HEAVY, Way, measure_pace
from preceptor.training.state import Training

SAME = {
    "optimiser": "adam",
    "learning_rate": RATE,
    "schedule": "constant",
    "warmup": 0,
    "weight_decay": 0,
    "clip": None,
}

measured: dict[tuple[int, ...], Way] = {}


def fit(task: Task, own_plan: bool = False, precision: str | None = None):
    plan = TrainingPlan(batch_size=task.batch, precision=precision, **({} if own_plan else SAME))
    inputs, goal = tensors(task)
    if task.pictures:
        way = way_for(task, plan)
        plan = plan.model_copy(update={"precision": way.precision, "layout": way.layout})
    training = Training(net(task), plan, epochs=task.epochs, seed=0)
    for _epoch in train(training, (inputs,), goal, loss_of(task)):
        if task.good_enough(predictor(training.net)):
            break
    return predictor(training.net)


def way_for(task: Task, plan: TrainingPlan) -> Way:
    """The library's own choice for this net, measured at the first asking."""
    if task.sizes not in measured:
        inputs, goal = tensors(task)
        measured[task.sizes] = measure_pace(net(task), (inputs,), goal, loss_of(task), plan, ways=HEAVY).way
    return measured[task.sizes]
