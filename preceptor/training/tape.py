"""A training step recorded once and played again: the same kernels, without autograd and without Python modules.

    tape = record(step, (x, y))                          # None where a step cannot be replayed
    (loss,) = tape(other_x, other_y)                     # the bits that step(other_x, other_y) would give

Of a small net's step most is spent not on numbers but on getting to them: modules, autograd's graph, memory
asked for and given back. While `step` runs once, every operation that reaches a kernel is noted, with the
tensors it read and made. Replaying calls the same kernels on the same memory, as a CUDA graph does: views need
not be taken again, results are written where they lay the first time, gradients straight into place.
Operations that draw random numbers draw anew, from the same generator in the same order.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from preceptor.training.recording import Call, Recorder, Recording, geometry, home

Program = list[Callable[[], object]]

BINDINGS = {
    name: getattr(torch, name)
    for name in ("add", "addmm", "baddbmm", "bmm", "cat", "div", "mean", "mm", "mul", "sub", "sum")
}
"""Operations that Python's own binding calls with less ado than the operator of the same meaning."""
BINDINGS |= {name: getattr(Tensor, name) for name in ("add_", "copy_", "mul_", "div_", "sub_", "zero_")}


class Tape:
    """A recorded step. What it returns lies in memory of its own, which the next call writes over.

    `inputs` are its own too: who writes the next batch there may call `replay`, and saves a copy.
    `changed` are the tensors outside that the step writes to, such as gradients.
    """

    def __init__(self, program: Program, recording: Recording) -> None:
        self.program = program
        self.inputs, self.outputs, self.changed = recording.inputs, recording.outputs, recording.changed

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


def record(step: Callable[..., tuple[Tensor, ...]], inputs: Sequence[Tensor]) -> Tape | None:
    """Run `step(*inputs)` once and note what it does; None where replaying would not do the same again.

    That is so where shapes or Python's own flow hang on values in tensors, and where machines talk.
    """
    own = tuple(one.detach().clone() for one in inputs)
    with Recorder() as recorder:
        outputs = step(*own)
    if not recorder.replayable:
        return None
    recording = Recording(recorder, own, recorder.plain(outputs))
    straight = _straight_into_place(recording)
    return Tape([_run(call, recording) for call in straight], recording)


def _run(call: Call, recording: Recording) -> Callable[[], object]:
    """What to call, without arguments, to have this done again."""
    fresh = recording.fresh(call)
    if not fresh:
        return partial(BINDINGS.get(call.name, call.function), *call.args, **call.kwargs)
    if call.name in ("_to_copy", "clone"):
        return partial(fresh[0].copy_, call.args[0])
    if call.name == "relu":
        return partial(torch.clamp_min, call.args[0], 0, out=fresh[0])
    if call.into:
        function, names = call.into
        into = dict(zip(names, fresh, strict=True))
        return partial(BINDINGS.get(call.name, function), *call.args, **call.kwargs, **into)
    moves = [_followers(made, recording) for made in call.made]
    return partial(_anew, call.function, call.args, call.kwargs, moves)


Move = tuple[Callable[..., Tensor], int, tuple[int, ...], tuple[int, ...]]


def _followers(made: Tensor | None, recording: Recording) -> list[Move]:
    """How the tensors that lie where `made` lies are moved when it is made anew in other memory."""
    if made is None or not recording.made_inside(made):
        return []
    return [(one.set_, *geometry(one)) for one in recording.sharing(made)]


def _anew(function: Callable[..., object], args: object, kwargs: object, moves: list[list[Move]]) -> None:
    """Call what can only answer in new memory, and move there whatever is to see the answer."""
    made = function(*args, **kwargs)
    for one, followers in zip(made if isinstance(made, (tuple, list)) else (made,), moves, strict=True):
        for move, *where in followers:
            move(one.untyped_storage(), *where)


def _straight_into_place(recording: Recording) -> list[Call]:
    """The calls without those that only add a result to zeros: it is made there at once.

    Autograd adds each gradient to what lies in `p.grad`, which is zero at the start of a step.
    """
    kept = []
    for number, call in enumerate(recording.calls):
        if call.function is torch.ops.aten.add_.Tensor and not call.kwargs:
            target, source = call.args
            if recording.added_to_zeros(number, target) and recording.movable(source, target):
                for one in recording.sharing(source):
                    offset, shape, strides = geometry(one)
                    one.set_(target.untyped_storage(), target.storage_offset() + offset, shape, strides)
                continue
        kept.append(call)
    return kept
