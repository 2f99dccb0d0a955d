"""scikit-learn's GridSearchCV over its MLP, as many jobs as threads."""

import warnings

import threadpoolctl
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPRegressor

from benchmarks.peers.searched import DECAYS, RATES, folds
from benchmarks.tasks import Task

jobs = 1


def use_threads(threads: int) -> None:
    global jobs
    jobs = threads
    threadpoolctl.threadpool_limits(1)


def fit(task: Task):
    warnings.simplefilter("ignore", ConvergenceWarning)
    model = MLPRegressor(
        hidden_layer_sizes=task.sizes[1:-1],
        batch_size=task.batch,
        max_iter=task.epochs,
        tol=0,
        n_iter_no_change=task.epochs + 1,
        random_state=0,
    )
    space = {"learning_rate_init": RATES, "alpha": DECAYS}
    search = GridSearchCV(model, space, cv=folds(len(task.x)), n_jobs=jobs, scoring="neg_mean_squared_error")
    return search.fit(task.x, task.y.ravel()).predict
