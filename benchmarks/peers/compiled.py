"""The tightest autograd loop we know: forward, backward and Adam as one function, compiled by inductor.

Whole mini-batches only, so that one program serves: up to a batch of rows sits out in each epoch.
Convolutions are laid out channels last.
"""

import torch
from torch import Tensor
from torch.func import functional_call, grad

from benchmarks.peers.nets import loss_of, net, predictor, tensors
from benchmarks.tasks import RATE, Task

Weights = dict[str, Tensor]
ONE, TWO, EPSILON = 0.9, 0.999, 1e-8

compiled = {}


def step_of(task: Task):
    """The step for one architecture and batch size; compiled once a process."""
    model, loss = net(task), loss_of(task)

    def value(weights: Weights, x: Tensor, y: Tensor) -> Tensor:
        return loss(functional_call(model, weights, (x,)), y)

    def step(weights: Weights, first: Weights, second: Weights, time: Tensor, x: Tensor, y: Tensor) -> None:
        gradients = grad(value)(weights, x, y)
        time.add_(1)
        rate, spread = RATE / (1 - ONE**time), (1 - TWO**time).sqrt()
        for name, g in gradients.items():
            first[name].lerp_(g, 1 - ONE)
            second[name].mul_(TWO).addcmul_(g, g, value=1 - TWO)
            weights[name].sub_(rate * first[name] / (second[name].sqrt() / spread + EPSILON))

    return compiled.setdefault((task.sizes, task.batch), torch.compile(step))


def fit(task: Task):
    (inputs, goal), model, step = tensors(task), net(task), step_of(task)
    if task.pictures:
        model, inputs = (part.to(memory_format=torch.channels_last) for part in (model, inputs))
    weights = {name: weight.detach() for name, weight in model.named_parameters()}
    first, second = ({name: torch.zeros_like(w) for name, w in weights.items()} for _ in range(2))
    time = torch.zeros(())
    for _epoch in range(task.epochs):
        for rows in torch.randperm(len(inputs)).split(task.batch)[: len(inputs) // task.batch]:
            step(weights, first, second, time, inputs[rows], goal[rows])
    return predictor(model)
