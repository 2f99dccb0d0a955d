"""A net married to a target: made for a problem, marked by its loss, answering under the rivals' verb.

    net = new_net(NetPlan(), problem, inputs, goal, truth, seed=0)
    net.predict(inputs)

Shapes: N rows, M ensemble members, K outputs.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from preceptor.kinds.kind import Target
from preceptor.metrics import Metric
from preceptor.models.forecast import ForecastNet
from preceptor.models.mixed import MixedNet
from preceptor.models.tabular import TabularNet
from preceptor.plan import NetPlan
from preceptor.problem import Inputs, Problem
from preceptor.training.loop import Loss

ROWS_AT_ONCE = {"table": 1024, "mixed": 256, "forecast": 1024}
DESIGNS: dict[str, type[nn.Module]] = {"table": TabularNet, "mixed": MixedNet, "forecast": ForecastNet}
MOST_REMEMBERED = 20_000


class Net:
    """A trained network under the rivals' verb: encoded rows in, scores out.

    `design` says which module it is, `configuration` holds the arguments that make it again.
    """

    def __init__(self, design: str, configuration: dict[str, Any], target: Target, **new: Any) -> None:
        self.design, self.configuration, self.target = design, configuration, target
        self.module: Any = DESIGNS[design](**configuration, **new).eval()

    def predict(self, inputs: Inputs) -> np.ndarray:
        """The mean of the ensemble members' scores, (N,) or (N, K)."""
        return self.scores(self.outputs(inputs))

    @torch.inference_mode()
    def outputs(self, inputs: Inputs) -> Tensor:
        """Every member's raw output, (N, M, K), computed in blocks of rows where the weights are."""
        first, *others = (self.module(*rows) for rows in self._blocks(inputs))
        return (torch.cat([first, *others]) if others else first).cpu()

    @torch.inference_mode()
    def features(self, inputs: Inputs) -> Tensor:
        """What the encoders say of each row's pictures, words and series, (N, E)."""
        return torch.cat([self.module.vectors(*rows[2:]) for rows in self._blocks(inputs)]).cpu()

    def _blocks(self, inputs: Inputs) -> Iterator[tuple[Tensor, ...]]:
        size, here = ROWS_AT_ONCE[self.design], next(self.module.parameters()).device
        for rows in zip(*(torch.split(part, size) for part in inputs.tensors), strict=True):
            yield tuple(part.to(here) for part in rows)

    def scores(self, outputs: Tensor) -> np.ndarray:
        """The mean over the members of each one's scores."""
        members = self.target.scores(outputs.flatten(0, 1))
        return members.reshape(*outputs.shape[:2], *members.shape[1:]).mean(axis=1)


def new_net(
    plan: NetPlan, problem: Problem, inputs: Inputs, goal: Tensor, truth: np.ndarray, seed: int
) -> Net:
    """A net for the problem's shapes, not yet trained: its first answer is the best constant one.

    It is given the training rows to remember, and lies where they do; `goal` and `truth` are those rows'
    answers, as the loss and as the metrics take them.
    """
    design, configuration = _configured(plan, problem, len(goal))
    start, generator = starting_output(problem.target, truth), Generator().manual_seed(seed)
    net = Net(design, configuration, problem.target, start=start, generator=generator)
    net.module.remember(*inputs.to(torch.device("cpu")).tensors, goal.cpu())
    for place, kind in enumerate(problem.further):
        if kind.column in problem.loans:
            net.module.encoders[place].load_state_dict(problem.loans[kind.column].weights)
    net.module.to(goal.device)
    return net


def _configured(plan: NetPlan, problem: Problem, rows: int) -> tuple[str, dict[str, Any]]:
    """Which net reads such shapes, and the arguments that make it."""
    shared: dict[str, Any] = {
        "features": problem.features,
        "cardinalities": problem.cardinalities,
        "outputs": problem.target.outputs,
        **plan.model_dump(include={"width", "depth", "dropout", "embedding"}),
    }
    if plan.forecast:
        return "forecast", {**shared, "shape_sizes": problem.shapes[0].sizes, "horizon": plan.forecast}
    shared["members"] = plan.members
    if not problem.shapes:
        memory = min(rows, MOST_REMEMBERED)
        return "table", {**shared, "neighbours": plan.neighbours, "memory": memory}
    own = plan.encoders
    encoders = {one.column: {**asdict(one.shape), **own.get(one.column, {})} for one in problem.further}
    return "mixed", {**shared, "encoders": encoders}


def starting_output(target: Target, truth: np.ndarray) -> Tensor:
    """The output (K,) whose scores are the dumb predictor's."""
    if target.task in ("number", "series"):
        return torch.zeros(target.outputs)
    chance = torch.from_numpy(target.chance(truth)).float().clamp(1e-6, 1 - 1e-6)
    return chance.logit() if target.task == "tags" else chance.log()


def ensemble_loss(target: Target, smoothing: float) -> Loss:
    """The mean of the members' losses, for outputs (B, M, K)."""

    def loss(output: Tensor, goal: Tensor) -> Tensor:
        return target.loss(output.flatten(0, 1), goal.repeat_interleave(output.shape[1], dim=0), smoothing)

    return loss


def judging_metric(target: Target) -> Metric:
    """What picks the best epoch: log loss where there are probabilities, since it is less noisy."""
    metrics = target.metrics()
    return metrics.get("log_loss") or next(iter(metrics.values()))
