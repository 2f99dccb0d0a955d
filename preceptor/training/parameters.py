"""All that a net learns in one flat vector, so that one operation moves every parameter at once.

    flat = FlatParameters(net)
    flat.gradients.zero_()
    loss(net(x), y).backward()                  # fills flat.gradients
    flat.weights.add_(flat.gradients, alpha=-0.1)

A step of Adam on a small net is then one call of a few microseconds instead of a loop over tensors,
clipping is one norm, a moving average one interpolation, and a checkpoint a handful of vectors.
"""

import math
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor, nn

Snapshot = dict[str, Tensor]

LINE = 16
"""Numbers of 32 bits in a cache line."""


class Group(NamedTuple):
    """How parameters differ in learning: factors on the learning rate and on the weight decay."""

    rate: float = 1.0
    decay: float = 1.0


def group_of(module: nn.Module, name: str, parameter: nn.Parameter) -> Group:
    """The group of `parameter`, which lies directly in `module` under `name`.

    Weight matrices decay; biases, norms, embeddings and loose parameters do not, since pulling those
    to zero says nothing about how smooth a function is. A module that knows better says so in an
    attribute `learning`: {parameter name: (rate factor, decay factor)}.
    """
    own: dict[str, tuple[float, float]] = getattr(module, "learning", {})
    if name in own:
        return Group(*own[name])
    matrix = name == "weight" and parameter.ndim > 1 and not isinstance(module, nn.Embedding)
    return Group(decay=1.0 if matrix else 0.0)


class FlatParameters:
    """The trainable parameters of `net` as views into `weights`, their gradients into `gradients`.

    Both vectors are (P,). `parts` says where each of the `parameters` lies; those of one group lie next to
    each other, and `groups` lists each group with its slice. Every parameter begins where kernels like it,
    at a whole cache line; what lies between is zero and stays so. The net itself works as before; load into
    it, copy it, print it at will. With `channels_last` a filter's weights lie channel beside channel, which
    makes convolutions of pictures compute, and answer, in that order.
    """

    def __init__(self, net: nn.Module, *, channels_last: bool = False):
        self.net, self._channels_last = net, channels_last
        found = sorted(_grouped(net), key=lambda entry: entry[0])
        if not found:
            raise ValueError(f"{type(net).__name__} has no trainable parameters")
        self.names = [name for _, name, _ in found]
        self.parameters = [parameter for _, _, parameter in found]
        self.parts = _parts(self.parameters)
        self.weights = self.parameters[0].detach().new_zeros(self.parts[-1].stop)
        self.gradients = torch.zeros_like(self.weights)
        self.groups: list[tuple[Group, slice]] = []
        for group, members in groupby(zip(found, self.parts, strict=True), key=lambda entry: entry[0][0]):
            parts = [part for _, part in members]
            self.groups.append((group, slice(parts[0].start, parts[-1].stop)))
        for parameter, view in zip(self.parameters, self.views(self.weights), strict=True):
            view.copy_(parameter.detach())
        self._point()

    def settle(self, tensors: Mapping[str, Tensor]) -> None:
        """Move, with all values, into "weights" and "gradients" (P,) and the buffers that `live` names."""
        for name, tensor in [*self.live().items(), ("gradients", self.gradients)]:
            tensors[name].copy_(tensor)
        for name, module, own in self._buffers():
            setattr(module, own, tensors[name])
        self.weights, self.gradients = tensors["weights"], tensors["gradients"]
        self._point()

    def _point(self) -> None:
        """Make every parameter and every gradient a view into the vectors."""
        self._gradients = self.views(self.gradients)
        for parameter, view in zip(self.parameters, self.views(self.weights), strict=True):
            parameter.data = view
        self.attach()

    def attach(self) -> None:
        """Point every `p.grad` into the vector again, whatever others did (`net.zero_grad()` drops it)."""
        for parameter, view in zip(self.parameters, self._gradients, strict=True):
            parameter.grad = view

    def live(self) -> Snapshot:
        """What a prediction depends on and training changes, not copied: the weights, and buffers.

        Batch normalisation keeps its statistics in buffers. Those a module lists by name in an
        attribute `constants`, such as a memory of training rows, are left out.
        """
        buffers = {name: module.get_buffer(own) for name, module, own in self._buffers()}
        return {"weights": self.weights, **buffers}

    def _buffers(self) -> Iterator[tuple[str, nn.Module, str]]:
        """The name of each buffer that training changes, the module it lies in, and its name there."""
        for prefix, module in self.net.named_modules():
            for name, _ in module.named_buffers(recurse=False):
                if name not in getattr(module, "constants", ()):
                    yield f"buffer.{prefix}.{name}", module, name

    def snapshot(self) -> Snapshot:
        """A copy of `live`; `restore` brings it back."""
        return {name: tensor.clone() for name, tensor in self.live().items()}

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot."""
        for name, tensor in self.live().items():
            tensor.copy_(snapshot[name])

    def views(self, vector: Tensor) -> list[Tensor]:
        """`vector` (P,) cut into tensors of the parameters' shapes."""
        pairs = zip(self.parts, self.parameters, strict=True)
        return [self._shaped(vector[part], parameter.shape) for part, parameter in pairs]

    def _shaped(self, piece: Tensor, shape: torch.Size) -> Tensor:
        if not self._channels_last or len(shape) != 4:
            return piece.view(shape)
        filters, channels, height, width = shape
        return piece.view(filters, height, width, channels).permute(0, 3, 1, 2)


def _parts(parameters: list[nn.Parameter]) -> list[slice]:
    """Where each parameter lies in a vector of them all."""
    parts, start = [], 0
    for parameter in parameters:
        parts.append(slice(start, start + parameter.numel()))
        start = LINE * math.ceil(parts[-1].stop / LINE)
    return parts


def _grouped(net: nn.Module) -> Iterator[tuple[Group, str, nn.Parameter]]:
    """Every trainable parameter once, with its group and its full name."""
    seen: set[nn.Parameter] = set()
    for prefix, module in net.named_modules():
        for name, parameter in module.named_parameters(prefix="", recurse=False):
            if parameter.requires_grad and parameter not in seen:
                seen.add(parameter)
                yield group_of(module, name, parameter), f"{prefix}.{name}".lstrip("."), parameter
