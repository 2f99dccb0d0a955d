"""fastai: a Learner over torch's own loaders, as its guide for those who come from torch has it.

It asks for rows to validate on after each epoch: one batch is given.
"""

from contextlib import ExitStack
from functools import partial

from fastai.callback import progress  # noqa: F401  (it gives the learner its `no_bar`)
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.optimizer import Adam
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.peers.nets import loss_of, net, predictor, tensors
from benchmarks.tasks import RATE, Task


def fit(task: Task, lean: bool):
    x, y = tensors(task)
    training = DataLoader(TensorDataset(x, y), batch_size=task.batch, shuffle=True)
    validation = DataLoader(TensorDataset(x[: task.batch], y[: task.batch]), batch_size=task.batch)
    model, adam = net(task), partial(Adam, sqr_mom=0.999, eps=1e-8, wd=0.0)
    learner = Learner(DataLoaders(training, validation), model, loss_func=loss_of(task), opt_func=adam)
    with ExitStack() as quiet:
        if lean:
            quiet.enter_context(learner.no_bar())
            quiet.enter_context(learner.no_logging())
        learner.fit(task.epochs, lr=RATE)
    return predictor(model)
