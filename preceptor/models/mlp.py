"""The multi-layer perceptron, shallow or deep (textbook A2, B1, B2).

    net = MLP(features=3, outputs=2, widths=(4,))       # 26 parameters (G5)
    logits = net(torch.randn(8, 3))                      # (8, 2)

Shapes: B rows, F features, H hidden width, K outputs.
"""

import itertools
from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": functional.relu,
    "leaky_relu": functional.leaky_relu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "relu2": lambda z: functional.relu(z).square(),
}
"""Every activation by name (B2). Softmax belongs to the loss: a net's output stays logits."""

_RECTIFIERS = {"relu", "leaky_relu", "gelu", "silu", "relu2"}


def dense(inputs: int, outputs: int, *, gain: float = 1.0, generator: Generator | None = None) -> nn.Linear:
    """A dense layer with zero biases and normal weights of variance gain² / inputs.

    `gain` is √2 before a rectifier, which throws half of the signal away (He et al., 2015), and 1
    before any other activation; 0 makes a layer that starts silent.
    """
    layer = nn.Linear(inputs, outputs)
    with torch.no_grad():
        layer.weight.normal_(0.0, gain / max(inputs, 1) ** 0.5, generator=generator)
        layer.bias.zero_()
    return layer


class MLP(nn.Module):
    """Dense layers of the given hidden `widths` with an activation after each but the last.

    `widths=()` is a linear model, one width a shallow net, more a deep one. `dropout` follows each
    hidden activation; `batch_norm` stands before it (Ioffe and Szegedy, 2015). `generator` draws the
    initial weights.
    """

    def __init__(
        self,
        features: int,
        outputs: int,
        *,
        widths: tuple[int, ...] = (64, 64),
        activation: str = "relu",
        dropout: float = 0.0,
        batch_norm: bool = False,
        generator: Generator | None = None,
    ):
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        self.dropout = dropout
        gain = 2**0.5 if activation in _RECTIFIERS else 1.0
        sizes = (features, *widths)
        self.hidden = nn.ModuleList(
            dense(inputs, width, gain=gain, generator=generator)
            for inputs, width in itertools.pairwise(sizes)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) if batch_norm else nn.Identity() for width in widths)
        self.last = dense(sizes[-1], outputs, generator=generator)

    @staticmethod
    def parameter_count(
        features: int, outputs: int, widths: tuple[int, ...] = (64, 64), *, batch_norm: bool = False
    ) -> int:
        """Weights between neighbouring layers, one bias a unit (G5), scale and shift of a normalised one."""
        sizes = (features, *widths, outputs)
        dense_layers = sum((inputs + 1) * units for inputs, units in itertools.pairwise(sizes))
        return dense_layers + 2 * sum(widths) * batch_norm

    def forward(self, x_BF: Tensor) -> Tensor:
        """Logits or predictions, (B, K)."""
        a_BH = x_BF
        for layer, norm in zip(self.hidden, self.norms, strict=True):
            a_BH = functional.dropout(self.activation(norm(layer(a_BH))), self.dropout, self.training)
        return self.last(a_BH)
