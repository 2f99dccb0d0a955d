"""Keras: `compile` and `fit`. Its backend is JAX in an environment that has it, else torch."""

import importlib.util
import os
from pathlib import Path

JAX = importlib.util.find_spec("jax") is not None
os.environ["KERAS_BACKEND"] = "jax" if JAX else "torch"

import keras  # noqa: E402  (the backend is chosen when it is imported)
import numpy as np  # noqa: E402

from benchmarks.tasks import RATE, Task  # noqa: E402


def use_threads(threads: int) -> None:
    """JAX has no setting for it: the process is given so many processors."""
    if JAX:
        for thread in Path("/proc/self/task").iterdir():
            os.sched_setaffinity(int(thread.name), range(threads))
    else:
        import torch

        torch.set_num_threads(threads)


def fit(task: Task, lean: bool):
    keras.utils.set_random_seed(0)
    model = _model(task)
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=RATE),
        loss="mse" if task.regression else keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    x = task.x.transpose(0, 2, 3, 1) if task.pictures else task.x

    def predict(rows: np.ndarray) -> np.ndarray:
        laid_out = rows.transpose(0, 2, 3, 1) if task.pictures else rows
        return model.predict(laid_out, batch_size=1024, verbose=0)

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = task.good_enough(predict)

    callbacks = [Watch()] if task.validation else []
    verbose = 0 if lean else "auto"
    model.fit(x, task.y, batch_size=task.batch, epochs=task.epochs, verbose=verbose, callbacks=callbacks)
    return predict


def _model(task: Task) -> keras.Sequential:
    layers = keras.layers
    if not task.pictures:
        hidden = [layers.Dense(width, activation="relu") for width in task.sizes[1:-1]]
        return keras.Sequential([keras.Input(task.x.shape[1:]), *hidden, layers.Dense(task.sizes[-1])])
    first, second, outputs = task.sizes
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(first, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(second, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(outputs),
        ]
    )
