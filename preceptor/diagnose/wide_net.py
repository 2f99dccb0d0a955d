"""A plain wide net as a rival: two layers of 128 rectifiers on the rows as numbers.

It is told nothing but what a forest is told, and takes as many steps as the run. Where it wins, nets of that
width can learn what the watched one did not.
"""

import itertools
from typing import Any

import torch
from torch import Tensor, nn

from preceptor.diagnose.case import Case, Rows
from preceptor.diagnose.check import undisturbed
from preceptor.diagnose.rival import MOST, features
from preceptor.diagnose.trial import Outcome, taught
from preceptor.training.optimisers import Adam
from preceptor.training.parameters import FlatParameters

WIDTH, RATE, FEWEST, LONGEST = 128, 3e-3, 64, 500


class WideNet(nn.Module):
    """Answers of `shape` to the same inputs as the watched net's, standardised as `rows` are."""

    def __init__(self, rows: Rows, shape: torch.Size):
        super().__init__()
        self.like, self.shape = rows, shape
        x = torch.from_numpy(features(rows)).to(rows.goal.device)
        self.mean, self.spread = x.mean(0), x.std(0).clamp(min=1e-6)
        sizes = (x.shape[1], WIDTH, WIDTH)
        hidden = [layer for pair in itertools.pairwise(sizes) for layer in _layer(*pair)]
        self.layers = nn.Sequential(*hidden, nn.Linear(WIDTH, max(1, shape.numel()))).to(x.device)

    def forward(self, *inputs: Any) -> Tensor:
        """The answers (B, *shape)."""
        x = torch.from_numpy(features(Rows(list(inputs), inputs[0]), self.like)).to(self.mean.device)
        answers: Tensor = self.layers((x - self.mean) / self.spread)
        return answers.reshape(len(x), *self.shape)


def _layer(given: int, made: int) -> list[nn.Module]:
    return [nn.Linear(given, made), nn.ReLU()]


def wide_net(case: Case) -> Outcome:
    """Where the wide net gets in as many steps as the run has made, within bounds that keep it cheap."""
    steps = max(FEWEST, min(case.record.step, LONGEST))
    outcome: Outcome = case.once(f"wide net {steps}", lambda: _taught(case, steps))
    return outcome


def _taught(case: Case, steps: int) -> Outcome:
    with undisturbed():
        net = WideNet(case.train.few(MOST), case.output.shape[1:])
        adam = Adam(FlatParameters(net))
        return taught(case, net, lambda: adam.step(RATE), steps=steps)
