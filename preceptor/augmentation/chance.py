"""Random numbers that belong to a row: a pure function of seed, epoch and row, for a whole batch at once.

    keys_B = keys(rows_B, seed=0, stream=2)
    draws(keys_B, epoch=4, count=3)                      # (B, 3) in [0, 1)

Of such a counter-based generator (Salmon et al., 2011) any number can be had without those before it: a
row gets the same numbers whatever batch it is in, and a resumed training the same as one never stopped.

Shapes: B rows of a batch, K draws for a row.
"""

import torch
from torch import Tensor

_STEP, _FIRST, _SECOND = -7046029254386353131, -4658895280553007687, -7723592293110705685
"""The constants of splitmix64 (Steele et al., 2014) as signed integers, whose products wrap around."""
_MANTISSA = 2**24 - 1


def keys(rows_B: Tensor, seed: int, stream: int) -> Tensor:
    """A number (B,) for each row, another for each seed and each stream of draws."""
    return _mixed(rows_B.long() + _mixed(torch.tensor(seed % 2**63) + torch.tensor(stream + 1) * _STEP))


def draws(keys_B: Tensor, epoch: int, count: int) -> Tensor:
    """Uniform random numbers in [0, 1), (B, K), each a hash of its key, the epoch and its place."""
    places_K = (count * epoch + torch.arange(1, count + 1, device=keys_B.device)) * _STEP
    return (_mixed(keys_B[:, None] + places_K) & _MANTISSA).float() / (_MANTISSA + 1)


def _mixed(bits: Tensor) -> Tensor:
    """Every bit of the result depends on every bit of the argument."""
    for right, factor in ((30, _FIRST), (27, _SECOND)):
        bits = (bits ^ ((bits >> right) & (2 ** (64 - right) - 1))) * factor
    return bits ^ ((bits >> 31) & (2**33 - 1))
