"""preceptor's own loop, given the same net, optimiser, batch size and epochs as everybody."""

import preceptor  # noqa: F401  isort: skip  (before torch, for it says how idle threads wait)

from benchmarks.peers.nets import loss_of, net, predictor, tensors
from benchmarks.tasks import RATE, Task
from preceptor.plan import TrainingPlan
from preceptor.training.loop import train
from preceptor.training.state import Training

SAME = {
    "optimiser": "adam",
    "learning_rate": RATE,
    "schedule": "constant",
    "warmup": 0,
    "weight_decay": 0,
    "clip": None,
}


def fit(task: Task, lean: bool = False, own_plan: bool = False):
    plan = TrainingPlan(batch_size=task.batch, **({} if own_plan else SAME))
    inputs, goal = tensors(task)
    training = Training(net(task), plan, epochs=task.epochs, seed=0)
    for _epoch in train(training, (inputs,), goal, loss_of(task), watch=not lean):
        if task.good_enough(predictor(training.net)):
            break
    return predictor(training.net)
