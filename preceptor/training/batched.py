"""The nets of several trainings as one function: every product of theirs is one batched product.

    net = BatchedNet(trainings, tables)
    losses = net.descend([loss] * 8, generators, inputs, goal)     # (K,); gradients lie in the tables

Shapes: K nets, B rows in a mini-batch.
"""

import copy
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call, vmap
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from preceptor.training.loop import Loss, forward_of
from preceptor.training.noise import Each, Noise, rates
from preceptor.training.state import Training

Tables = dict[str, Tensor]


class BatchedNet:
    """K nets of one architecture, whose weights, gradients and buffers are the rows of `tables`.

    A copy of the first is called with the tensors of all: under `vmap`, its code sees one net's.
    """

    def __init__(self, trainings: Sequence[Training], tables: Tables) -> None:
        first, self.count = trainings[0], len(trainings)
        self.net, self.precision = copy.deepcopy(first.net).train(), first.plan.precision
        flat, parts = first.flat, zip(first.flat.names, first.flat.parts, strict=True)
        shapes = [(self.count, *parameter.shape) for parameter in flat.parameters]
        cut = [(name, part, shape) for (name, part), shape in zip(parts, shapes, strict=True)]
        self.leaves = [tables["weights"][:, part].view(shape).requires_grad_() for _, part, shape in cut]
        self.gradients = [tables["gradients"][:, part].view(shape) for _, part, shape in cut]
        self.tensors = dict(zip(flat.names, self.leaves, strict=True))
        self.tensors |= {name: rows_of(tables[table], like) for name, table, like in _changing(first)}
        self.dims: dict[str, int | None] = dict.fromkeys(self.tensors, 0)
        for name, own in _lasting(trainings, self.tensors):
            alike = all(torch.equal(own[0], other) for other in own[1:])
            self.tensors[name], self.dims[name] = (own[0], None) if alike else (torch.stack(own), 0)
        self.rates = different_rates([training.net for training in trainings])

    def descend(
        self, losses: Sequence[Loss], generators: Sequence[Generator], inputs: Sequence[Tensor], goal: Tensor
    ) -> Tensor:
        """Each net's loss (K,) on its own mini-batch, and its gradients, in their table.

        `inputs` and `goal` are (K, B, ...).
        """
        with _Products():  # type: ignore[no-untyped-call]
            with _Layers(), Noise(generators), rates(self.net, self.rates):
                forward = vmap(self._forward, (self.dims, *[0] * len(inputs)), randomness="different")
                output = forward(self.tensors, *inputs)
            value = _compared(losses, output, goal)
            # A net's loss knows nothing of another's weights: their sum has the gradients of each.
            found = torch.autograd.grad(value.sum(), self.leaves, allow_unused=True)
            for own, gradient in zip(self.gradients, found, strict=True):
                own.zero_() if gradient is None else own.copy_(gradient)
        return value.detach()

    def _forward(self, tensors: Tables, *inputs: Tensor) -> Tensor:
        def net(*batch: Tensor) -> Tensor:
            return functional_call(self.net, tensors, batch)

        return forward_of(net, self.precision)(*inputs)  # type: ignore[arg-type]  # it is called, no more


def _compared(losses: Sequence[Loss], output: Tensor, goal: Tensor) -> Tensor:
    """(K,): neighbours with the same loss are compared at once."""
    if len(set(losses)) == 1:
        return vmap(losses[0])(output, goal)
    values, start = [], 0
    for loss, same in groupby(losses):
        stop = start + len(list(same))
        values.append(vmap(loss)(output[start:stop], goal[start:stop]))
        start = stop
    return torch.cat(values)


class _Layers(TorchFunctionMode):
    """A dense layer as one kernel: `vmap` itself would first multiply biases by one."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is functional.linear and not kwargs and args[0].ndim > 1:
            x, weight, *bias = args
            rows = x.reshape(-1, x.shape[-1])
            if not bias or bias[0] is None:
                product = rows @ weight.mT
            elif torch.is_autocast_enabled(x.device.type):
                product = rows @ weight.mT
                product = product + bias[0].to(product.dtype)
            else:
                product = _Dense.apply(rows, weight, bias[0])  # type: ignore[no-untyped-call]
            return product.view(*x.shape[:-1], -1)
        return func(*args, **(kwargs or {}))


class _Dense(torch.autograd.Function):
    """A dense layer of every net: x·Wᵀ + b for x (K, B, I), W (K, O, I), b (K, O)."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """(K, B, O)"""
        return torch.baddbmm(bias[:, None], x, weight.mT)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        """What the gradients need."""
        ctx.save_for_backward(*inputs[:2])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of those that want one."""
        (x, weight), wanted = ctx.saved_tensors, ctx.needs_input_grad
        return (
            gradient @ weight if wanted[0] else None,
            (x.mT @ gradient).mT if wanted[1] else None,
            gradient.sum(1) if wanted[2] else None,
        )

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *each: Tensor) -> tuple[Tensor, int]:
        """All nets at once, when asked by one."""
        of_all = [
            one.expand(info.batch_size, *one.shape) if dim is None else one.movedim(dim, 0)
            for one, dim in zip(each, in_dims, strict=True)
        ]
        return _Dense.apply(*of_all), 0  # type: ignore[no-untyped-call]


class _Products(TorchDispatchMode):
    """The gradient of a layer's weights, as they lie: autograd's is transposed, and copying it takes long.

    Where there are fewer inputs than outputs, autograd's product is so much faster that it is worth the copy.
    A column times a row is no sum at all, and sooner multiplied number by number.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else its import, which takes a second

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.bmm.default and not args[0].is_contiguous() and args[0].mT.is_contiguous():
            inputs, outputs = args[0].shape[1], args[1].shape[2]
            if inputs >= outputs:
                return func(args[1].mT, args[0].mT).mT
        if func is torch.ops.aten.bmm.default and args[0].shape[2] == 1:
            return args[0] * args[1]
        return func(*args, **(kwargs or {}))


class LoneNet:
    """The same for a single training: its net is called as it is."""

    def __init__(self, trainings: Sequence[Training], tables: Tables) -> None:
        (self.training,) = trainings
        self.net = self.training.net

    def descend(
        self, losses: Sequence[Loss], generators: Sequence[Generator], inputs: Sequence[Tensor], goal: Tensor
    ) -> Tensor:
        """See `BatchedNet.descend`; K is 1."""
        training = self.training
        with Noise(generators, nets=False):
            output = forward_of(training.net, training.plan.precision)(*(part[0] for part in inputs))
        value = losses[0](output, goal[0])
        training.flat.gradients.zero_()
        torch.autograd.backward(value)
        return value.detach()[None]


def rows_of(table: Tensor, like: Tensor) -> Tensor:
    """What lies in a table, or in a row of it, in the shape of what each row was made for."""
    return table[..., : like.numel()].view((*table.shape[:-1], *like.shape))


def _changing(training: Training) -> Iterator[tuple[str, str, Tensor]]:
    """The name of each buffer that training changes, that of its table, and the buffer."""
    for name, tensor in training.flat.live().items():
        if name != "weights":
            yield name.removeprefix("buffer.").lstrip("."), name, tensor


def _lasting(trainings: Sequence[Training], known: Tables) -> Iterator[tuple[str, list[Tensor]]]:
    """Of each further tensor its name, and what every net has: frozen parameters and constants."""
    states = [dict([*one.net.named_parameters(), *one.net.named_buffers()]) for one in trainings]
    for name in states[0]:
        if name not in known:
            yield name, [state[name].detach() for state in states]


def different_rates(nets: Sequence[nn.Module]) -> dict[tuple[str, str], Each]:
    """Attributes of modules that are numbers which differ between the nets, by (module, name)."""
    found = {}
    for path, module in nets[0].named_modules():
        for name, value in vars(module).items():
            if isinstance(value, float):
                values = Each(getattr(net.get_submodule(path), name) for net in nets)
                if len(set(values)) > 1:
                    found[path, name] = values
    return found
