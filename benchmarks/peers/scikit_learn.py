"""scikit-learn's MLP."""

import numpy as np
import threadpoolctl
from sklearn.neural_network import MLPClassifier, MLPRegressor

from benchmarks.tasks import RATE, Task


def use_threads(threads: int) -> None:
    threadpoolctl.threadpool_limits(threads)


def fit(task: Task):
    x, y = task.x.reshape(len(task.x), -1), task.y.ravel()
    model = (MLPRegressor if task.regression else MLPClassifier)(
        hidden_layer_sizes=task.sizes[1:-1],
        alpha=0,
        batch_size=task.batch,
        learning_rate_init=RATE,
        max_iter=task.epochs,
        tol=0,
        n_iter_no_change=task.epochs + 1,
    )
    model.fit(x, y)
    if task.regression:
        return model.predict
    return lambda rows: np.log(model.predict_proba(rows.reshape(len(rows), -1)).clip(1e-12))
