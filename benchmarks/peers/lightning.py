"""Lightning: a LightningModule that logs its loss, and a Trainer."""

import logging
import warnings

import lightning
import torch
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.peers.nets import loss_of, net, predictor, tensors
from benchmarks.tasks import RATE, Task


class Learner(lightning.LightningModule):
    def __init__(self, task: Task, lean: bool):
        super().__init__()
        self.net, self.loss, self.task, self.lean = net(task), loss_of(task), task, lean

    def training_step(self, batch, number):
        x, y = batch
        loss = self.loss(self.net(x), y)
        if not self.lean:
            self.log("train_loss", loss)
        return loss

    def on_train_epoch_end(self):
        if self.task.good_enough(predictor(self.net)):
            self.trainer.should_stop = True
        self.net.train()

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=RATE)


def fit(task: Task, lean: bool):
    off = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    if lean:
        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
        warnings.filterwarnings("ignore")
    learner = Learner(task, lean)
    loader = DataLoader(TensorDataset(*tensors(task)), batch_size=task.batch, shuffle=True)
    trainer = lightning.Trainer(max_epochs=task.epochs, accelerator="cpu", **(off if lean else {}))
    trainer.fit(learner, loader)
    return predictor(learner.net)
