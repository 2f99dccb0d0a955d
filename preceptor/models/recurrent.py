"""Recurrent networks: a state that reads one step after the other (textbook A5).

    trunk = GRU(features=32, width=64, layers=2, bidirectional=True)
    trunk(x_BTF, present_BT).shape                       # (B, 128)

Three cells, each written out in its `step` as the textbooks do. What runs is torch's fused layer, which
gives the same numbers sooner; `unrolled` reads a sequence with the written-out cell, for whoever wants
to see, and for the test that both agree. The answer is the last state (of each direction, side by side).

Law: absent steps change no answer, wherever they stand. Present ones are moved together first, and each
row is read for as many steps as it has.

Shapes: B rows, T steps, F features, H width of a state, G gates times H, E answer's width.
"""

from abc import abstractmethod
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

State = tuple[Tensor, ...]


class Recurrent(nn.Module):
    """`layers` of cells, each reading the states of the one below, in one direction or in both.

    `width` is that of one direction's state. `dropout` falls between layers.
    """

    gates: ClassVar[int]
    states: ClassVar[int] = 1
    fused: ClassVar[Any]

    def __init__(
        self,
        features: int,
        *,
        width: int = 64,
        layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
        generator: Generator | None = None,
    ):
        super().__init__()
        self.width = width * (2 if bidirectional else 1)
        self.cells: nn.RNNBase = self.fused(
            features,
            width,
            layers,
            batch_first=True,
            bidirectional=bidirectional,
            dropout=dropout if layers > 1 else 0.0,
        )
        with torch.no_grad():
            for name, parameter in self.cells.named_parameters():
                self._start(name, parameter, generator)

    @classmethod
    def _start(cls, name: str, parameter: Tensor, generator: Generator | None) -> None:
        """Matrices on inputs normal; those on states orthogonal, so that memory neither fades nor grows."""
        if name.startswith("weight_ih"):
            parameter.normal_(0.0, parameter.shape[1] ** -0.5, generator=generator)
        elif name.startswith("weight_hh"):
            for gate in parameter.chunk(cls.gates):
                nn.init.orthogonal_(gate, generator=generator)
        else:
            parameter.zero_()

    @classmethod
    def parameter_count(
        cls, features: int, *, width: int = 64, layers: int = 1, bidirectional: bool = True, **_: Any
    ) -> int:
        """G·(inputs + H + 2) for each layer and direction; inputs: F, then H times directions."""
        directions = 2 if bidirectional else 1
        inputs = [features, *[directions * width] * (layers - 1)]
        return sum(directions * cls.gates * width * (size + width + 2) for size in inputs)

    @staticmethod
    @abstractmethod
    def step(states: State, from_x_BG: Tensor, from_h_BG: Tensor) -> State:
        """The state after one more step, h first.

        `from_x_BG` is W x + b, `from_h_BG` is U h + c; each gate has its own H of their G columns.
        """

    def forward(self, x_BTF: Tensor, present_BT: Tensor) -> Tensor:
        """(B, E); zeros for a row without a present step."""
        lengths_B = present_BT.sum(dim=1)
        together_BT1 = present_BT.logical_not().byte().argsort(dim=1, stable=True)[..., None]
        x_BTF = x_BTF.take_along_dim(together_BT1, dim=1)
        packed = pack_padded_sequence(
            x_BTF, lengths_B.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False
        )
        last = self.cells(packed)[1]
        h_LBH = last[0] if self.states > 1 else last
        h_BE = h_LBH[-2 if self.cells.bidirectional else -1 :].transpose(0, 1).flatten(1)
        return h_BE * (lengths_B > 0)[:, None]

    def unrolled(self, x_BTF: Tensor) -> Tensor:
        """What `forward` answers, (B, E), without dropout and with every step present, by the textbook."""
        directions = ("", "_reverse") if self.cells.bidirectional else ("",)
        for layer in range(self.cells.num_layers):
            read = [self._read(x_BTF, f"l{layer}{direction}") for direction in directions]
            x_BTF = torch.cat([states_BTH for states_BTH, _ in read], dim=-1)
        return torch.cat([last_BH for _, last_BH in read], dim=-1)

    def _read(self, x_BTF: Tensor, name: str) -> tuple[Tensor, Tensor]:
        """Every state (B, T, H) of the layer and direction of this name, and the one after the last step."""
        W, U, b, c = (getattr(self.cells, f"{part}_{name}") for part in _PARTS)
        backwards = name.endswith("_reverse")
        steps = [x_BF @ W.T + b for x_BF in x_BTF.unbind(dim=1)]
        states = (x_BTF.new_zeros(len(x_BTF), U.shape[1]),) * self.states
        read = []
        for from_x_BG in reversed(steps) if backwards else steps:
            states = self.step(states, from_x_BG, states[0] @ U.T + c)
            read.append(states[0])
        return torch.stack(read[::-1] if backwards else read, dim=1), read[-1]


_PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class RNN(Recurrent):
    """The vanilla cell (Elman, 1990): h' = tanh(W x + b + U h + c). It forgets soon."""

    gates, fused = 1, nn.RNN

    @staticmethod
    def step(states: State, from_x_BG: Tensor, from_h_BG: Tensor) -> State:
        """See the class."""
        return (torch.tanh(from_x_BG + from_h_BG),)


class LSTM(Recurrent):
    """Long short-term memory (Hochreiter & Schmidhuber, 1997; Gers et al., 2000): a memory m beside h.

    Gates i (input), f (forget), o (output) = σ(W x + b + U h + c), proposal g = tanh(W x + b + U h + c),
    each with its own W, U, b, c: m' = f·m + i·g, h' = o·tanh(m'). It starts remembering: b of f is 1.
    """

    gates, states, fused = 4, 2, nn.LSTM

    @classmethod
    def _start(cls, name: str, parameter: Tensor, generator: Generator | None) -> None:
        super()._start(name, parameter, generator)
        if name.startswith("bias_ih"):
            parameter.chunk(cls.gates)[1].fill_(1.0)

    @staticmethod
    def step(states: State, from_x_BG: Tensor, from_h_BG: Tensor) -> State:
        """See the class."""
        i, f, g, o = (from_x_BG + from_h_BG).chunk(4, dim=1)
        memory = f.sigmoid() * states[1] + i.sigmoid() * g.tanh()
        return o.sigmoid() * memory.tanh(), memory


class GRU(Recurrent):
    """The gated recurrent unit (Cho et al., 2014): one state, two gates.

    Gates r (reset), z (keep) = σ(W x + b + U h + c), proposal n = tanh(W x + b + r·(U h + c)), each with
    its own W, U, b, c: h' = (1 - z)·n + z·h.
    """

    gates, fused = 3, nn.GRU

    @staticmethod
    def step(states: State, from_x_BG: Tensor, from_h_BG: Tensor) -> State:
        """See the class."""
        (r_x, z_x, n_x), (r_h, z_h, n_h) = from_x_BG.chunk(3, dim=1), from_h_BG.chunk(3, dim=1)
        r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
        n = torch.tanh(n_x + r * n_h)
        return ((1 - z) * n + z * states[0],)
