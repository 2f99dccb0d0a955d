"""A backward pass by hand, for an MLP alone: one vector of weights, no autograd, one fused Adam call.

Every product is written into memory kept from step to step.
"""

import torch
from torch import Tensor

from benchmarks.peers.nets import net, predictor, tensors
from benchmarks.tasks import RATE, Task


def fit(task: Task):
    model, (inputs, goal) = net(task), tensors(task)
    flat, gradients, layers = _flattened(model)
    moments, steps = [torch.zeros_like(flat) for _ in range(2)], torch.zeros(())
    for _epoch in range(task.epochs):
        for rows in torch.randperm(len(inputs)).split(task.batch):
            _gradients(layers, inputs[rows], goal[rows])
            steps += 1
            torch._fused_adam_(
                [flat], [gradients], [moments[0]], [moments[1]], [], [steps],
                lr=RATE, beta1=0.9, beta2=0.999, weight_decay=0.0, eps=1e-8, amsgrad=False, maximize=False,
            )  # fmt: skip
    return predictor(model)


Layer = tuple[Tensor, Tensor, Tensor, Tensor]
"""Weight and bias, and their gradients: views of two vectors."""


def _flattened(model: torch.nn.Sequential) -> tuple[Tensor, Tensor, list[Layer]]:
    flat = torch.cat([weight.detach().flatten() for weight in model.parameters()])
    gradients, place, views = torch.zeros_like(flat), 0, []
    for weight in model.parameters():
        part = slice(place, place := place + weight.numel())
        weight.data = flat[part].view_as(weight)
        views += [(weight.data, gradients[part].view_as(weight))]
    layers = [(w, b, dw, db) for (w, dw), (b, db) in zip(views[::2], views[1::2], strict=True)]
    return flat, gradients, layers


@torch.no_grad()
def _gradients(layers: list[Layer], x: Tensor, y: Tensor) -> None:
    """Forward, and every layer's gradient on the way back."""
    seen = [x]
    for weight, bias, _, _ in layers[:-1]:
        seen.append(torch.addmm(bias, seen[-1], weight.T).relu_())
    weight, bias, _, _ = layers[-1]
    outputs = torch.addmm(bias, seen[-1], weight.T)
    if y.is_floating_point():
        delta = outputs.sub_(y).mul_(2 / y.numel())
    else:
        delta = outputs.softmax(1)
        delta.scatter_add_(1, y[:, None], torch.full_like(delta[:, :1], -1)).div_(len(y))
    for number in range(len(layers) - 1, -1, -1):
        weight, _, dw, db = layers[number]
        torch.mm(delta.T, seen[number], out=dw)
        torch.sum(delta, 0, out=db)
        if number:
            delta = torch.mm(delta, weight).mul_(seen[number] > 0)
