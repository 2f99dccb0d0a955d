"""Where it began: the perceptron and its rule, and the linear classifier (textbook A1).

    unit = Perceptron(features=3)
    unit.learn(torch.tensor([1.0, 1.0, 1.0]), 1)       # w = (1, 1, 1)      (G2)

Shapes: B rows, F features, K classes.
"""

import torch
from torch import Tensor, nn

from preceptor.models.mlp import dense


class Perceptron(nn.Module):
    """One threshold unit without a bias; append a feature that is always 1 to have one.

    `forward` gives the score w·x (B,), which a perceptron loss can descend; `fires` thresholds it
    at 0; `learn` is Rosenblatt's rule (1958). It converges when a line parts the classes (AND),
    and never does when none can (XOR): see G2.
    """

    def __init__(self, features: int):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(features))

    @staticmethod
    def parameter_count(features: int) -> int:
        """One weight a feature."""
        return features

    def forward(self, x_BF: Tensor) -> Tensor:
        """The score of every row, (B,)."""
        return x_BF @ self.weight

    def fires(self, x_BF: Tensor) -> Tensor:
        """1 where the score is above 0, else 0: (B,) int64."""
        return (self(x_BF) > 0).long()

    @torch.no_grad()
    def learn(self, x_F: Tensor, answer: int) -> bool:
        """Look at one example: when it is wrong, add or subtract it. True when it was wrong."""
        mistake = answer - int(self.fires(x_F))
        self.weight.add_(x_F, alpha=mistake)
        return mistake != 0


class LinearClassifier(nn.Module):
    """Scores that are linear in the features; with cross-entropy it is softmax regression (C3).

    With `outputs=1` and squared error it is linear regression (C2), with binary cross-entropy
    logistic regression. The weights start at zero: the loss has one minimum, wherever one starts.
    """

    def __init__(self, features: int, outputs: int):
        super().__init__()
        self.layer = dense(features, outputs, gain=0.0)

    @staticmethod
    def parameter_count(features: int, outputs: int) -> int:
        """A weight for each feature and a bias, for each output."""
        return (features + 1) * outputs

    def forward(self, x_BF: Tensor) -> Tensor:
        """Logits (B, K), or predictions (B, 1)."""
        return self.layer(x_BF)
