"""Optuna over a Lightning loop, all logging off: for each trial and fold a Trainer fits a module."""

import logging
import statistics
import warnings

import lightning
import optuna
import torch
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.peers.nets import loss_of, net, predictor, tensors
from benchmarks.peers.searched import DECAYS, RATES, folds
from benchmarks.tasks import Task

OFF = {
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
}


class Learner(lightning.LightningModule):
    def __init__(self, task: Task, rate: float, decay: float):
        super().__init__()
        self.net, self.loss, self.rate, self.decay = net(task), loss_of(task), rate, decay

    def training_step(self, batch, number):
        x, y = batch
        return self.loss(self.net(x), y)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.rate, weight_decay=self.decay)


def fit(task: Task):
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    x, y = tensors(task)

    def taught(x, y, rate, decay):
        learner = Learner(task, rate, decay)
        trainer = lightning.Trainer(max_epochs=task.epochs, accelerator="cpu", **OFF)
        trainer.fit(learner, DataLoader(TensorDataset(x, y), batch_size=task.batch, shuffle=True))
        return learner.net

    def objective(trial):
        setting = trial.suggest_categorical("rate", RATES), trial.suggest_categorical("decay", DECAYS)
        errors = []
        for learnt, held_out in folds(len(y)):
            model = predictor(taught(x[learnt], y[learnt], *setting))
            errors.append(task.loss(model(task.x[held_out]), task.y[held_out]))
        return statistics.mean(errors)

    study = optuna.create_study(sampler=optuna.samplers.GridSampler({"rate": RATES, "decay": DECAYS}))
    study.optimize(objective, n_trials=len(RATES) * len(DECAYS))
    return predictor(taught(x, y, study.best_params["rate"], study.best_params["decay"]))
