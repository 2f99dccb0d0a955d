"""Hugging Face's Trainer."""

import torch
import transformers
from torch import Tensor, nn
from torch.utils.data import Dataset

from benchmarks.peers.nets import loss_of, net, predictor, tensors
from benchmarks.tasks import RATE, Task


class Learner(nn.Module):
    """A net that gives its loss, as Trainer asks of a model of one's own."""

    def __init__(self, task: Task):
        super().__init__()
        self.net, self.loss = net(task), loss_of(task)

    def forward(self, x: Tensor, labels: Tensor) -> dict[str, Tensor]:
        outputs = self.net(x)
        return {"loss": self.loss(outputs, labels), "logits": outputs}


class Rows(Dataset):
    def __init__(self, task: Task):
        self.x, self.y = tensors(task)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, row: int) -> dict[str, Tensor]:
        return {"x": self.x[row], "labels": self.y[row]}


def collate(rows: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.stack([row[name] for row in rows]) for name in ("x", "labels")}


def fit(task: Task, lean: bool):
    off = {"logging_strategy": "no", "save_strategy": "no", "disable_tqdm": True}
    arguments = transformers.TrainingArguments(
        output_dir="trainer",
        num_train_epochs=task.epochs,
        per_device_train_batch_size=task.batch,
        learning_rate=RATE,
        lr_scheduler_type="constant",
        max_grad_norm=0.0,
        report_to="none",
        use_cpu=True,
        **(off if lean else {}),
    )
    learner = Learner(task)
    trainer = transformers.Trainer(learner, arguments, train_dataset=Rows(task), data_collator=collate)
    trainer.train()
    return predictor(learner.net)
