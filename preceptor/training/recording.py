"""What a step did, operation by operation as they reached their kernels: the notes a tape is cut from.

    with Recorder() as recorder:
        outputs = recorder.plain(step(*inputs))
    recording = Recording(recorder, inputs, outputs)

Every tensor a recording knows is kept, so that an address in memory means one thing from end to end.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import cache, cached_property
from itertools import chain
from typing import Any

import torch
from torch import Generator, Tag, Tensor
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

SHAPED_BY_DATA = {Tag.dynamic_output_shape, Tag.data_dependent_output}
TALKING = {"c10d", "_c10d_functional", "c10d_functional"}
RESIZING = {"aten.mse_loss.default", "aten.smooth_l1_loss.default", "aten.huber_loss.default"}
"""These work in the memory of their result, which they want larger than it is."""


class Call:
    """One operation; `made` are its results, None for those it was not asked for."""

    def __init__(
        self, function: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any], made: tuple[Any, ...]
    ) -> None:
        self.function, self.args, self.kwargs, self.made = function, args, kwargs, made
        self.name = str(function.overloadpacket.__name__)

    @cached_property
    def read(self) -> list[Tensor]:
        """Every tensor among the arguments."""
        return list(_tensors((self.args, tuple(self.kwargs.values()))))

    @cached_property
    def written(self) -> list[Tensor]:
        """Those arguments that it says it changes."""
        schema = self.function._schema.arguments
        given = dict(zip((one.name for one in schema), self.args, strict=False)) | self.kwargs
        return list(_tensors([given.get(one.name) for one in schema if one.is_write]))

    @property
    def timeless(self) -> bool:
        """Whether its results hang on shapes alone."""
        by_shape = self.name.endswith("_like") or self.name.startswith("new_") or not self.read
        return by_shape and Tag.nondeterministic_seeded not in self.function.tags

    @property
    def into(self) -> tuple[OpOverload, list[str]] | None:
        """The same operation with tensors to write its results into, and their names, if there is one."""
        whole = not self.written and all(one is not None for one in self.made)
        return _into(self.function) if whole else None


class Recorder(TorchDispatchMode):
    """Notes every operation. Each place in memory is known by one tensor, outside autograd's graph.

    Random numbers may come from the default generator and from `generators`.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Say no: to be skipped by torch's compiler, the compiler would be imported, which takes seconds."""
        return False

    def __init__(self, generators: Collection[Generator] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.generators = set(map(_source, generators))
        self.calls: list[Call] = []
        self.places: dict[Any, Tensor] = {}
        self.replayable = True

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Do it, and write it down."""
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        results = tuple(result) if isinstance(result, (tuple, list)) else (result,)
        given = (*args, *kwargs.values())
        drawn = all(_source(one) in self.generators for one in given if isinstance(one, Generator))
        self.replayable &= drawn and _replayable(func, given, results)
        if self.replayable:
            self.calls.append(Call(func, self.plain(args), self.plain(kwargs), self.plain(results)))
        return result

    def plain(self, value: Any) -> Any:
        """`value` with the known tensor of its place for each tensor in it."""
        if isinstance(value, Tensor):
            place = (_home(value), *geometry(value), value.dtype, value.is_conj(), value.is_neg())
            return self.places.setdefault(place, value.detach())
        if isinstance(value, (list, tuple)):
            return type(value)([self.plain(part) for part in value])
        if isinstance(value, dict):
            return {name: self.plain(part) for name, part in value.items()}
        return value


class Recording:
    """The calls that must be done again, and who shares memory with whom.

    Left out are views, which go on looking at the same memory, and what hangs on shapes alone. A tensor's
    `home` is the memory in which it lay when it was recorded.
    """

    def __init__(self, recorder: Recorder, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> None:
        self.outputs, self.calls = outputs, list[Call]()
        self._homes = {id(one): _home(one) for one in recorder.places.values()}
        written = [tensor for call in recorder.calls for tensor in call.written]
        self._written, self._maker = set(map(self.home, written)), dict[int, Call]()
        known = set(map(_home, inputs))
        for call in recorder.calls:
            known.update(map(self.home, call.read))
            fresh = set(map(self.home, _tensors(call.made))) - known
            self._maker |= dict.fromkeys(fresh, call)
            known |= fresh
            if (fresh or call.written) and not self._settled(call, fresh):
                self.calls.append(call)
        self.changed = list({id(one): one for one in written if not self.made_inside(one)}.values())
        self._lying = self._uses()

    def home(self, tensor: Tensor) -> int:
        """The memory in which a tensor lay when it was recorded."""
        return self._homes[id(tensor)]

    def made_inside(self, tensor: Tensor) -> bool:
        """Whether its memory is the step's own."""
        return self.home(tensor) in self._maker

    def has_moved(self, tensor: Tensor) -> bool:
        """Whether it lies elsewhere by now."""
        return self.home(tensor) != _home(tensor)

    def fresh(self, call: Call) -> list[Tensor]:
        """Those results of a call whose memory it was the first to use."""
        return [one for one in _tensors(call.made) if self._maker.get(self.home(one)) is call]

    def sharing(self, tensor: Tensor) -> list[Tensor]:
        """Every tensor that lies where this one lies, once."""
        return list({id(one): one for _, one in self._lying[self.home(tensor)]}.values())

    def last_uses(self) -> dict[int, list[int]]:
        """The homes that each call, by its number, is the last to use."""
        last = {home: number for home, uses in self._uses().items() for number, _ in uses}
        dying = defaultdict(list)
        for home, number in last.items():
            dying[number].append(home)
        return dying

    def added_to_zeros(self, number: int, target: Tensor) -> bool:
        """Whether this call finds zeros in `target`, outside, that nobody else has touched in this step."""
        begin, end = _extent(target)
        others = [
            self.calls[other].name == "zero_" and _extent(one)[0] <= begin and end <= _extent(one)[1]
            for other, one in self._lying[self.home(target)]
            if not (_extent(one)[1] <= begin or end <= _extent(one)[0]) and other != number
        ]
        return not self.made_inside(target) and bool(others) and all(others)

    def movable(self, source: Tensor, target: Tensor) -> Call | None:
        """The call that fills the memory of `source`, if it may as well fill `target`'s, of equal layout."""
        home = self.home(source)
        whole = source.untyped_storage().nbytes() == source.nbytes == target.nbytes
        alike = source.dtype == target.dtype and _layout(source) == _layout(target)
        shown = any(number == len(self.calls) for number, _ in self._lying[home])
        return self._maker.get(home) if whole and alike and not shown and home not in self._written else None

    def _settled(self, call: Call, fresh: set[int]) -> bool:
        """Whether what a call makes is there for good."""
        if call.written or not call.timeless:
            return False
        return call.name.startswith(("empty", "new_empty")) or not fresh & self._written

    def _uses(self) -> dict[int, list[tuple[int, Tensor]]]:
        """For each home the tensors that lie there, with the numbers of the calls that use them."""
        uses = defaultdict(list)
        for number, call in enumerate(self.calls):
            for tensor in chain(call.read, _tensors(call.made)):
                uses[self.home(tensor)].append((number, tensor))
        for tensor in self.outputs:
            uses[self.home(tensor)].append((len(self.calls), tensor))
        return uses


def _source(generator: Generator) -> int:
    """Which generator it is: to a dispatch mode it comes under another wrapper."""
    return int(generator._cdata)  # type: ignore[attr-defined]


def geometry(tensor: Tensor) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """Where a tensor begins in its memory, its shape and its strides."""
    return int(tensor.storage_offset()), tuple(tensor.shape), tensor.stride()


def _home(tensor: Tensor) -> int:
    """The memory that a tensor lies in, which its views share."""
    return int(tensor.untyped_storage()._cdata)


def _layout(tensor: Tensor) -> list[tuple[int, int]]:
    return [pair for pair in zip(tensor.shape, tensor.stride(), strict=True) if pair[0] > 1]


def _extent(tensor: Tensor) -> tuple[int, int]:
    """The first element of its memory that a tensor may touch, and the one after the last."""
    begin = int(tensor.storage_offset())
    return begin, begin + sum((size - 1) * stride for size, stride in _layout(tensor)) + bool(tensor.numel())


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _tensors(part)


def _replayable(func: OpOverload, args: tuple[Any, ...], results: tuple[Any, ...]) -> bool:
    """Whether an operation does the same to other numbers in the same places."""
    if func.namespace in TALKING or not all(one is None or isinstance(one, Tensor) for one in results):
        return False
    if any(one.layout is not torch.strided for one in _tensors((args, results))):
        return False
    if func.overloadpacket is torch.ops.aten.index:
        return not any(one.dtype in (torch.bool, torch.uint8) for one in _tensors(args[1]))
    return not SHAPED_BY_DATA & set(func.tags)


@cache
def _into(function: OpOverload) -> tuple[OpOverload, list[str]] | None:
    """The overload with tensors for its results besides the same arguments, if it has a kernel of its own."""
    if str(function) in RESIZING:
        return None
    own = [(one.name, str(one.type)) for one in function._schema.arguments]
    for name in function.overloadpacket.overloads():
        other = getattr(function.overloadpacket, name)
        results = [one.name for one in other._schema.arguments if one.is_out]
        same = [(one.name, str(one.type)) for one in other._schema.arguments if not one.is_out] == own
        if same and len(results) == len(function._schema.returns) and _has_kernel(other):
            return other, results
    return None


def _has_kernel(function: OpOverload) -> bool:
    name = f"{function.namespace}::{function._opname}.{function._overloadname}"
    return bool(torch._C._dispatch_has_kernel_for_dispatch_key(name, "CPU"))
