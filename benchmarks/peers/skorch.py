"""skorch: the net behind scikit-learn's verbs. The rows it would set aside to validate on are trained on."""

import numpy as np
import torch
from skorch import NeuralNetClassifier, NeuralNetRegressor

from benchmarks.peers.nets import net, predictor
from benchmarks.tasks import RATE, Task


def fit(task: Task, lean: bool):
    kind, criterion = NeuralNetClassifier, torch.nn.CrossEntropyLoss
    if task.regression:
        kind, criterion = NeuralNetRegressor, torch.nn.MSELoss
    model = kind(
        net(task),
        criterion=criterion,
        optimizer=torch.optim.Adam,
        lr=RATE,
        batch_size=task.batch,
        max_epochs=task.epochs,
        iterator_train__shuffle=True,
        train_split=None,
        **({"verbose": 0, "callbacks": "disable"} if lean else {}),
    )
    model.fit(np.asarray(task.x), np.asarray(task.y))
    return predictor(model.module_)
