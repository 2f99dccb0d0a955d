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

    def predict(rows: np.ndarray) -> np.ndarray:
        flat = rows.reshape(len(rows), -1)
        return model.predict(flat) if task.regression else np.log(model.predict_proba(flat).clip(1e-12))

    if task.validation is None:
        model.fit(x, y)
        return predict
    for _epoch in range(task.epochs):
        model.partial_fit(x, y, **({} if task.regression else {"classes": np.unique(y)}))
        if task.good_enough(predict):
            break
    return predict
