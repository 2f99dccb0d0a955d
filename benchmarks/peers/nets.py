"""The nets that all contestants on torch train."""

import itertools
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.tasks import Task


def net(task: Task) -> nn.Sequential:
    """Dense layers with rectifiers between them, or two convolutions with pooling before one dense layer."""
    torch.manual_seed(0)
    if not task.pictures:
        pairs = itertools.pairwise(task.sizes)
        layers = [layer for pair in pairs for layer in (nn.Linear(*pair), nn.ReLU())]
        return nn.Sequential(*layers[:-1])
    first, second, outputs = task.sizes
    return nn.Sequential(
        nn.Conv2d(1, first, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(first, second, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(second * 7 * 7, outputs),
    )


def loss_of(task: Task) -> Callable[[Tensor, Tensor], Tensor]:
    return functional.mse_loss if task.regression else functional.cross_entropy


def tensors(task: Task) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(task.x), torch.from_numpy(task.y)


def predictor(model: nn.Module) -> Callable[[np.ndarray], np.ndarray]:
    """A trained net as a function of arrays."""

    @torch.inference_mode()
    def predict(x: np.ndarray) -> np.ndarray:
        return model.eval()(torch.from_numpy(np.ascontiguousarray(x))).numpy()

    return predict
