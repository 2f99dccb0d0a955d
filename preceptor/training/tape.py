"""A training step recorded once and played again: the same kernels, no autograd, no Python modules.

    tape = record(step, (x, y))                          # None where a step cannot be replayed
    (loss,) = tape(other_x, other_y)                     # the bits that step(other_x, other_y) would give

Of a small net's step most is spent not on numbers but on getting to them: modules, autograd's graph, memory
asked for and given back. While `step` runs once, every operation that reaches a kernel is noted, with the
tensors it read and made. Replaying calls the same kernels on the same memory, as a CUDA graph does: views
need not be taken again, results are written where they lay the first time, gradients straight into place.
Operations that draw random numbers draw anew, from the same generator in the same order.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor, UntypedStorage

from preceptor.training.recording import Call, Recorder, Recording, geometry
from preceptor.training.script import Operation, scripts

aten = torch.ops.aten

Step = Callable[..., tuple[Tensor, ...]]
Program = Sequence[Callable[[], object]]

EQUAL: dict[str, Callable[..., Operation]] = {
    "aten.relu.default": lambda made, x: Operation(aten.clamp_min.out, (x, 0), {"out": made}),
    "aten.mul.Scalar": lambda made, x, by: Operation(aten.mul.out, (x, _number(by, made)), {"out": made}),
    "aten.bernoulli.p": lambda made, x, p: Operation(aten.bernoulli_.float, (made, p), {}),
    "aten.clone.default": lambda made, x, **_: Operation(aten.copy_.default, (made, x), {}),
    "aten._to_copy.default": lambda made, x, **_: Operation(aten.copy_.default, (made, x), {}),
}
"""Operations that make new memory, and what writes the same into memory that is there."""
NUMBER_BY_NUMBER = {"add", "sub", "mul", "div", "relu", "threshold_backward"}
"""Operations that may write a result over what they read."""
SMALL = 1 << 15
"""Results of so many bytes are sooner copied to where they belong than what reads them moved to them."""


class Tape:
    """A recorded step. What it returns lies in memory of its own, which the next call writes over.

    `inputs` are its own too: who writes the next batch there may call `replay`, and saves a copy.
    `changed` are the tensors outside that the step is known to write to, such as gradients.
    """

    def __init__(
        self,
        program: Program,
        inputs: tuple[Tensor, ...],
        outputs: tuple[Tensor, ...],
        changed: Sequence[Tensor] = (),
    ) -> None:
        self.program, self.inputs, self.outputs, self.changed = program, inputs, outputs, changed

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The step's results for these inputs, shaped as those it was recorded with."""
        for own, new in zip(self.inputs, inputs, strict=True):
            if own is not new:
                own.copy_(new)
        return self.replay()

    def replay(self) -> tuple[Tensor, ...]:
        """The step's results for what lies in `inputs`."""
        with torch._C._AutoDispatchBelowAutograd():
            for run in self.program:
                run()
        return self.outputs


def record(step: Step, inputs: Sequence[Tensor], generators: Collection[Generator] = ()) -> Tape | None:
    """Run `step(*inputs)` and note what it does; None where replaying would not do the same again.

    That is so where shapes or Python's own flow hang on values in tensors, where random numbers come from
    a generator that is neither the default one nor among `generators`, and where machines talk. The step
    runs for real, on CUDA three times.
    """
    own = tuple(one.detach().clone() for one in inputs)
    with Recorder(generators) as recorder:
        outputs = recorder.plain(step(*own))
    if not recorder.replayable:
        return None
    if own[0].is_cuda:
        return _graph(step, own, recorder)
    recording = Recording(recorder, own, outputs)
    _make_in_place(recording)
    _reuse_memory(recording)
    program = scripts([_run(call, recording) for call in recording.calls])
    return Tape(program, own, outputs, recording.changed)


def _graph(step: Step, own: tuple[Tensor, ...], recorder: Recorder) -> Tape | None:
    """The same as a CUDA graph, which wants a warm-up on another stream, and nothing on the processor."""
    if any(tensor.ndim and not tensor.is_cuda for call in recorder.calls for tensor in call.read):
        return None
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        step(*own)
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        outputs = tuple(one.detach() for one in step(*own))
    return Tape([graph.replay], own, outputs)


def _run(call: Call, recording: Recording) -> Callable[[], object]:
    """What to call, without arguments, to have this done again."""
    fresh, name = recording.fresh(call), str(call.function)
    if not fresh:
        return Operation(call.function, call.args, call.kwargs)
    if name in EQUAL:
        return EQUAL[name](fresh[0], *call.args, **call.kwargs)
    if call.into:
        function, names = call.into
        into = dict(zip(names, fresh, strict=True))
        return Operation(function, call.args, {**call.kwargs, **into})
    if all(made is not None and made.nbytes <= SMALL and recording.made_inside(made) for made in call.made):
        return Operation(call.function, call.args, call.kwargs, call.made)
    moves = [_moves(made, recording) for made in call.made]
    return partial(_anew, call.function, call.args, call.kwargs, moves)


Move = tuple[Callable[..., Tensor], int, tuple[int, ...], tuple[int, ...]]


def _moves(made: Tensor | None, recording: Recording) -> list[Move]:
    """How the tensors that lie where `made` lies are moved when it is made anew in other memory."""
    if made is None or not recording.made_inside(made):
        return []
    return [(one.set_, *geometry(one)) for one in recording.sharing(made)]


def _anew(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], moves: Sequence[list[Move]]
) -> None:
    """Call what can only answer in new memory, and move there whatever is to see the answer."""
    made = function(*args, **kwargs)
    for one, followers in zip(made if isinstance(made, (tuple, list)) else (made,), moves, strict=True):
        for move, *where in followers:
            move(one.untyped_storage(), *where)


def _writable(call: Call) -> bool:
    """Whether a call's results can be written into memory that is there."""
    return call.into is not None or str(call.function) in EQUAL


def _make_in_place(recording: Recording) -> None:
    """Drop calls that only add a result to zeros: it is made there at once.

    Autograd adds each gradient to what lies in `p.grad`, which is zero at the start of a step.
    """
    kept = []
    for number, call in enumerate(recording.calls):
        if call.function is torch.ops.aten.add_.Tensor and len(call.read) == 2 and not call.kwargs:
            target, source = call.read
            maker = recording.movable(source, target)
            if maker and _writable(maker) and recording.added_to_zeros(number, target):
                for one in recording.sharing(source):
                    offset, *shape = geometry(one)
                    one.set_(target.untyped_storage(), target.storage_offset() + offset, *shape)
                continue
        kept.append(call)
    recording.calls = kept


def _number(value: float, like: Tensor) -> Tensor:
    """A number as a tensor that leaves the type of `like` as it is."""
    return torch.scalar_tensor(value, dtype=torch.float64 if like.ndim else like.dtype)


def _reuse_memory(recording: Recording) -> None:
    """Let results lie where others as large lay that nobody reads any more: the cache is warm there."""
    dying, lying = recording.last_uses(), dict[int, UntypedStorage]()
    free: dict[int, list[UntypedStorage]] = defaultdict(list)
    for number, call in enumerate(recording.calls):
        inside = {home for home in dying[number] if _writes_over(call, home, recording)}
        _release(inside, lying, free)
        for made in recording.fresh(call) if _writable(call) else []:
            size, home = made.untyped_storage().nbytes(), recording.home(made)
            if size != made.nbytes or recording.has_moved(made):
                continue
            if free[size]:
                for one in recording.sharing(made):
                    one.set_(free[size][-1], *geometry(one))
                free[size].pop()
            lying[home] = made.untyped_storage()
        _release(set(dying[number]) - inside, lying, free)


def _release(
    homes: Collection[int], lying: dict[int, UntypedStorage], free: dict[int, list[UntypedStorage]]
) -> None:
    """What lay at these homes is read no more."""
    for home in homes:
        if home in lying:
            free[lying[home].nbytes()].append(lying[home])


def _writes_over(call: Call, home: int, recording: Recording) -> bool:
    """Whether a call may write its result over what it reads there, number by number."""
    if call.name not in NUMBER_BY_NUMBER or call.written:
        return False
    (made,) = call.made
    there = [one for one in call.read if recording.home(one) == home]
    return all((geometry(one), one.dtype) == (geometry(made), made.dtype) for one in there)
