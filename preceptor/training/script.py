"""Operations in a row as one program of torch's own interpreter: in between is no Python, nor its lock.

    for run in scripts(operations):
        run()

Asked for from Python, a small operation takes as long to ask for as to do, and while one thread asks no other
can. The interpreter asks in a tenth of the time, and threads that run programs of their own do not meet.
The kernels are the same, and so is every bit.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any

import torch
from torch import Generator, Tensor
from torch._ops import OpOverload

SIMPLE = (bool, int, float, str, NoneType)
"""Arguments that can stand in a program; tensors and generators are handed to it, all others keep Python."""
TENSOR = torch._C.TensorType.get()


@dataclass(frozen=True)
class Operation:
    """A function of torch's, what to call it with, and tensors that its answers are copied to."""

    function: OpOverload
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    into: tuple[Tensor, ...] = ()

    def __call__(self) -> None:
        """Do it."""
        made = self.function(*self.args, **self.kwargs)
        made = made if isinstance(made, (tuple, list)) else (made,)
        for own, new in zip(self.into, made, strict=False):
            own.copy_(new)

    def arguments(self) -> Iterator[tuple[Any, Any]]:
        """Every argument in the order of the function's schema, and its type."""
        schema = self.function._schema.arguments
        given = dict(zip((one.name for one in schema), self.args, strict=False)) | self.kwargs
        for one in schema:
            yield given.get(one.name, one.default_value), one.type

    @property
    def simple(self) -> bool:
        """Whether the interpreter can be told all of it."""
        return all(
            isinstance(part, (*SIMPLE, Tensor, Generator))
            for value, _ in self.arguments()
            for part in (value if isinstance(value, (list, tuple)) else [value])
        )


class Script:
    """Operations that the interpreter does; call it to have them done."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self._graph = torch._C.Graph()
        self._given: dict[int, tuple[Any, Any]] = {}
        self._function: Callable[..., object] | None = None

    def add(self, operation: Operation) -> bool:
        """Append an operation; False, and nothing is done, where the interpreter would do another."""
        if not operation.simple:
            return False
        schema = operation.function._schema
        values = [self._value(value, kind) for value, kind in operation.arguments()]
        node = self._graph.insertNode(self._graph.create(schema.name, values, len(schema.returns)))
        if node.schema() != str(schema):
            node.destroy()
            return False
        for own, new in zip(operation.into, node.outputs(), strict=False):
            self._graph.insertNode(
                self._graph.create(
                    "aten::copy_", [self._value(own, TENSOR), new, self._value(False, None)], 1
                )
            )
        self.operations.append(operation)
        return True

    def _value(self, value: Any, kind: Any) -> Any:
        """What stands for an argument in the program."""
        if value is not None and isinstance(kind, torch._C.OptionalType):
            kind = kind.getElementType()
        parts = value if isinstance(value, (list, tuple)) else [value]
        if any(isinstance(part, (Tensor, Generator)) for part in parts):
            # Lists too: what is written to the tensors of a list made inside would be taken for unused.
            known = self._given.get(id(value))
            if known is None:
                known = self._given[id(value)] = value, self._graph.addInput()
                known[1].setType(kind)
            return known[1]
        if isinstance(value, (list, tuple)):
            numbers = [self._value(part, kind.getElementType()) for part in value]
            node = self._graph.insertNode(self._graph.create("prim::ListConstruct", numbers, 1))
            return node.output().setType(kind)
        number = float(value) if isinstance(kind, torch._C.FloatType) else value
        return self._graph.insertConstant(number)  # type: ignore[attr-defined]

    def __call__(self) -> None:
        """Do all, one after another."""
        if self._function is None:
            self._graph.registerOutput(self._graph.insertConstant(None))  # type: ignore[attr-defined]
            self._function = torch._C._create_function_from_graph("script", self._graph)
            self._tensors = [value for value, _ in self._given.values()]
        # No other kernels than these, and nothing foretold from numbers that change.
        optimising = torch._C._get_graph_executor_optimize(False)
        try:
            self._function(*self._tensors)
        finally:
            torch._C._set_graph_executor_optimize(optimising)


def scripts(operations: Sequence[Callable[[], object]]) -> list[Callable[[], object]]:
    """The same in as few pieces as can be: neighbours that the interpreter can do are one script."""
    pieces: list[Callable[[], object]] = []
    for one in operations:
        last = pieces[-1] if pieces else None
        script = last if isinstance(last, Script) else Script()
        if not isinstance(one, Operation) or not script.add(one):
            pieces.append(one)
        elif script is not last:
            pieces.append(script)
    return pieces
