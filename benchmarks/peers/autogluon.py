"""AutoGluon's network for tables, by itself; it bounds its answers to a little beyond those it was shown."""

import pandas as pd
import torch
from autogluon.tabular.models import TabularNeuralNetTorchModel

from benchmarks.tasks import RATE, Task


def fit(task: Task, lean: bool):
    frame = pd.DataFrame(task.x, columns=[f"x{number}" for number in range(task.x.shape[1])])
    model = TabularNeuralNetTorchModel(
        path="autogluon",
        name="net",
        problem_type="regression",
        eval_metric="root_mean_squared_error",
        hyperparameters={
            "num_epochs": task.epochs,
            "num_layers": len(task.sizes) - 2,
            "hidden_size": task.sizes[1],
            "batch_size": task.batch,
            "learning_rate": RATE,
            "weight_decay": 0.0,
            "dropout_prob": 0.0,
            "loss_function": torch.nn.MSELoss(),
        },
    )
    answers = pd.Series(task.y.ravel(), name="y")
    threads = torch.get_num_threads()
    model.fit(X=frame, y=answers, num_cpus=threads, num_gpus=0, verbosity=0 if lean else 2)
    return lambda rows: model.predict(pd.DataFrame(rows, columns=frame.columns))
