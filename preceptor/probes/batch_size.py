"""How many rows at once, and what do they cost? Speed, memory and noise against the size of a mini-batch.

    found = probe_batch_size(net, inputs, goal, loss)
    found.size, found.table

Small batches waste the machine, large ones waste rows: beyond the *noise scale* a larger batch hardly
makes a better step (McCandlish et al., 2018). Memory is counted, not guessed: what the backward pass keeps.
"""

import statistics
import time
from collections.abc import Sequence
from typing import NamedTuple

import polars as pl
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from preceptor.plan import TrainingPlan
from preceptor.probes.trial import Trial
from preceptor.training.loop import Loss

SMALLEST, LARGEST = 8, 4096
KNEE = 0.9
"""A size is fast enough that handles this share of the most rows a second."""
DRAWS = 8
"""Pairs of batches whose gradients tell the noise."""


class BatchSizes(NamedTuple):
    """What was measured. `size` is the advice, `noise_scale` the size beyond which rows are wasted.

    `table` has the columns size, seconds (a step), rows_a_second, megabytes (kept for the backward pass).
    """

    size: int
    noise_scale: float
    table: pl.DataFrame


def probe_batch_size(
    net: nn.Module,
    inputs: Sequence[Tensor],
    goal: Tensor,
    loss: Loss,
    plan: TrainingPlan | None = None,
    *,
    memory: float = 1e9,
    seed: int = 0,
) -> BatchSizes:
    """Time steps of doubling sizes on copies of the net while what is kept stays within `memory` bytes.

    The advice is the smallest size of nearly full speed, but no more than the noise scale asks for where
    that is larger than the smallest size tried. The net and all random numbers stay as they were.
    """
    plan = plan or TrainingPlan()
    rows: list[tuple[int, float, float, float]] = []
    with torch.random.fork_rng(), torch.enable_grad():
        torch.manual_seed(seed)
        size = min(SMALLEST, len(goal))
        while size <= min(LARGEST, len(goal)):
            trial = Trial(net, inputs, goal, loss, plan.model_copy(update={"batch_size": size}), seed)
            kept = _kept(trial)
            if rows and kept > memory:
                break
            seconds = _seconds(trial)
            rows.append((size, seconds, size / seconds, kept / 1e6))
            size *= 2
        noise = _noise_scale(Trial(net, inputs, goal, loss, plan, seed))
    table = pl.DataFrame(rows, ["size", "seconds", "rows_a_second", "megabytes"], orient="row")
    fast = table.filter(pl.col("rows_a_second") >= KNEE * pl.col("rows_a_second").max())
    useful = table.filter(pl.col("size") <= max(noise, rows[0][0]))
    return BatchSizes(min(fast["size"][0], useful["size"][-1]), noise, table)


def _kept(trial: Trial) -> int:
    """Bytes that one forward pass keeps for the backward pass, each storage once, weights not counted."""
    kept: dict[int, int] = {}
    weights = trial.flat.weights.untyped_storage().data_ptr()

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() != weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        trial.gradient(trial.batch())
    return sum(kept.values())


def _seconds(trial: Trial, rounds: int = 3) -> float:
    """The median time of a step."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        trial.step(1e-9)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _noise_scale(trial: Trial) -> float:
    """B_simple = tr(Σ) / |G|², from the gradients of single batches and of pairs (McCandlish, appendix A).

    With |g_b|² the mean over batches of b rows: |G|² = 2|g_2b|² - |g_b|², tr(Σ) = 2b(|g_b|² - |g_2b|²).
    """
    small, large, b = 0.0, 0.0, trial.size
    for _ in range(DRAWS):
        pair = []
        for _ in range(2):
            trial.gradient(trial.batch())
            pair.append(trial.flat.gradients.clone())
        small += sum(float(one.square().sum()) for one in pair) / 2
        large += float(((pair[0] + pair[1]) / 2).square().sum())
    signal, spread = 2 * large - small, 2 * b * (small - large)
    return spread / signal if signal > 0 else float("inf")
