"""Random numbers for several nets that run as one: each draws its own, as it would alone.

    with Noise(generators):                               # one a net
        output = vmap(net, randomness="different")(x)     # dropout of net k draws from generators[k]

Whatever draws random numbers, below `vmap`, is done again for each net's part, in the nets' order.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle
from typing import Any, Self

import torch
from torch import Generator, Tag, Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

FILLED = {
    "rand": ("uniform_", ()),
    "rand_like": ("uniform_", ()),
    "randn": ("normal_", ()),
    "randn_like": ("normal_", ()),
}
"""Draws of a new tensor, and what fills it."""


class Each(tuple[float, ...]):
    """A rate of dropout that differs from net to net. Nothing but dropout knows what to do with it."""


class Noise:
    """While it is entered, net k draws from `generators[k]`.

    `nets` is False for a single net that runs without `vmap`: tensors then have no dimension of nets.
    Raises NotImplementedError in the forward pass for ways of drawing that it does not know.
    """

    def __init__(self, generators: Sequence[Generator], *, nets: bool = True) -> None:
        self.generators, self.nets = generators, nets
        self.keep: Sequence[float] | None = None
        self._turns = cycle(generators)

    def __enter__(self) -> Self:
        self._modes = ExitStack()
        self._modes.enter_context(_Dropouts(self))
        self._modes.enter_context(_Draws(self))
        return self

    def __exit__(self, *failure: Any) -> None:
        self._modes.close()

    def draw(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Do what `func` does, every net for itself."""
        name = func.overloadpacket.__name__
        if name == "randperm":  # vmap asks for each net's permutation in turn
            return torch.randperm(*args, **kwargs, generator=next(self._turns))
        if name in FILLED:
            return self._fill(self._new(name, args, kwargs), *FILLED[name])
        if name == "bernoulli":
            return self._fill(torch.empty_like(args[0]), "bernoulli_", args[1:] or (args[0],))
        if func._schema.is_mutable and name.endswith("_"):
            return self._fill(args[0], name, args[1:])
        raise NotImplementedError(f"cannot tell apart whose random numbers {name} draws")

    def _new(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        return torch.empty_like(*args, **kwargs) if name.endswith("_like") else torch.empty(*args, **kwargs)

    def _fill(self, target: Tensor, name: str, args: tuple[Any, ...]) -> Tensor:
        for net, (own, generator) in enumerate(zip(self._parts(target), self.generators, strict=True)):
            mine = [self._parts(arg)[net] if isinstance(arg, Tensor) else arg for arg in args]
            if self.keep is None:
                getattr(own, name)(*mine, generator=generator)
            elif self.keep[net] == 1:  # alone it would not draw
                own.fill_(1.0)
            else:
                own.bernoulli_(self.keep[net], generator=generator).div_(self.keep[net] or 1.0)
        return target

    def _parts(self, tensor: Tensor) -> Sequence[Tensor]:
        """What belongs to each net; the first dimension is that of nets."""
        return tensor.unbind() if self.nets else [tensor]

    def dropout(
        self, x: Tensor, p: float | Each = 0.5, training: bool = True, inplace: bool = False
    ) -> Tensor:
        """`functional.dropout`, with a rate for each net if need be."""
        rates = p if isinstance(p, Each) else [p] * len(self.generators)
        if not training or not any(rates) or not x.numel():
            return x
        self.keep = [1 - rate for rate in rates]
        noise = torch.empty_like(x).bernoulli_(0.5)
        self.keep = None
        return x.mul_(noise) if inplace else x * noise


class _Dropouts(TorchFunctionMode):
    """Above autograd: dropout, whose rate stands in the call."""

    def __init__(self, noise: Noise) -> None:
        super().__init__()
        self.noise = noise

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is functional.dropout:
            return self.noise.dropout(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


class _Draws(TorchDispatchMode):
    """Below autograd and `vmap`: everything else that draws."""

    def __init__(self, noise: Noise) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.noise = noise

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else its import, which takes a second

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if Tag.nondeterministic_seeded in func.tags:
            return self.noise.draw(func, args, kwargs or {})
        return func(*args, **(kwargs or {}))


@contextmanager
def rates(net: nn.Module, different: dict[tuple[str, str], Each]) -> Iterator[None]:
    """For a while, attributes of modules, by (module, name), hold a value for each of several nets."""
    places = {(net.get_submodule(path), name): each for (path, name), each in different.items()}
    own = {(module, name): getattr(module, name) for module, name in places}
    try:
        for (module, name), each in places.items():
            setattr(module, name, each)
        yield
    finally:
        for (module, name), value in own.items():
            setattr(module, name, value)
