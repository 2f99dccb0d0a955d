"""The net's doctor in a run: checks before the first step, and a watch over a lesson.

    check_net(desk, folds[0])                            # each check goes into the ledger
    watch = Watch(fold, training, loss)                  # the net is still untrained
    for epoch in train(training, inputs, goal, loss, observer=watch):
        watch.validated(epoch.loss, validation_loss)
    watch.alarms()                                       # the likeliest cause first

Who watches is `preceptor.watch`, the doctor of everybody's plain loops; here it is shown a loop of the house.

Shapes: B rows, M ensemble members, K outputs.
"""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from preceptor.contest import Fold
from preceptor.desk import Desk
from preceptor.diagnose import CATALOGUE, before_training, watch
from preceptor.finding import Finding
from preceptor.net import ensemble_loss, new_net
from preceptor.training.loop import Loss, batch_count
from preceptor.training.optimisers import Optimiser
from preceptor.training.parameters import FlatParameters
from preceptor.training.ranks import Ranks
from preceptor.training.state import Training, optimiser_for

FEWEST_TO_SHUFFLE = 8
"""So many rows held out are needed to try shuffled answers."""
TOLD = 16
"""So many first mini-batches are shown."""
IN_TRAINING = {fault.code for fault in CATALOGUE if fault.when == "during"}
"""What is asked of a lesson, and what else arose at some step of it; all before has been looked at."""


def check_net(desk: Desk, fold: Fold) -> None:
    """Check the untrained net on the first fold; each check goes into the ledger, faults as findings."""
    if desk.interrupted:
        return
    sober = desk.plan.net.model_copy(update={"dropout": 0.0})  # what it could learn, not what it should
    net = new_net(sober, fold.problem, fold.inputs, fold.goal, fold.truth, desk.plan.seed)
    loss = ensemble_loss(fold.problem.target, 0.0)
    enough = len(fold.goal_held_out) >= FEWEST_TO_SHUFFLE
    held_out = (fold.held_out.tensors, fold.goal_held_out.to(fold.goal.device)) if enough else None
    still = [name for name, one in net.module.named_parameters() if not one.requires_grad]
    checked = (net.module, fold.inputs.tensors, fold.goal, loss)
    for check in before_training(*checked, held_out=held_out, frozen=still):
        desk.ledger.write(
            "check", name=check.name, passed=check.passed, text=check.text, evidence=check.evidence
        )
        if check.finding:
            desk.ledger.find(check.finding)


class Watch:
    """The doctor at one lesson: hears every step, is told every epoch, and is asked in the end.

    Weights, gradients and random numbers stay as they are, to the bit, and steps go on being replayed.
    """

    def __init__(self, fold: Fold, training: Training, loss: Loss) -> None:
        """Begin to watch `training`, whose net has not learnt yet, on the rows of `fold`."""
        learnt, held_out = fold.inputs.tensors, fold.held_out.tensors
        self.net = Window(training.net, learnt)
        self.optimiser = Steering(list(_groups(training, self.net)))
        self.shown = self.net.shown
        rows = ([learnt[place] for place in self.shown], fold.goal)
        steps = batch_count(len(fold.goal) // training.shares, training.batch_size)
        self.doctor = watch(
            self.net,
            loss=_of_one_or_many(loss),
            probe=rows,
            optimiser=self.optimiser,
            train=rows,
            validation=([held_out[place] for place in self.shown], fold.goal_held_out),
            steps=training.epochs * steps,
            frozen=[name for name, one in self.net.named_parameters() if not one.requires_grad],
            tell=None,
        )
        self.steps = 0

    def __call__(self, loss: Tensor, rate: float, batch: Sequence[Tensor]) -> None:
        """Hear of a step: see `preceptor.training.loop.Observer`."""
        self.steps += 1
        for group in self.optimiser.param_groups:
            group["lr"] = group["factor"] * rate
        if self.steps > TOLD:
            self.doctor(loss)
            return
        *inputs, goal = (part.clone() for part in batch)
        self.doctor(loss, batch=([inputs[place] for place in self.shown], goal))

    def validated(self, train_loss: float, validation_loss: float) -> None:
        """Hear of an epoch, the losses as the training's own."""
        self.net.eval()
        self.doctor.validated(train_loss, validation_loss)
        self.net.train()

    def alarms(self) -> list[Finding]:
        """What went wrong in training, the likeliest cause first, after trials of some hundred steps."""
        alarms = [one for one in self.doctor.findings() if one.severity != "note"]
        return [one for one in alarms if one.code in IN_TRAINING or one.evidence.get("step")]


def watchable(fold: Fold, ranks: Ranks) -> bool:
    """Whether the doctor can follow: one process, all rows in its memory, and no gaps in the answers."""
    here = not fold.stream and ranks.size == 1 and fold.goal.device.type == "cpu"
    return here and bool(fold.goal.isfinite().all() and fold.goal_held_out.isfinite().all())


class Window(nn.Module):
    """The net as its doctor sees it: a module of its own in the same memory.

    Whoever listens to this one disturbs nobody. It takes those of the `inputs` that hold anything, and in
    evaluation mode it answers as one, (B, K); in training each member is taught for itself, (B, M, K).
    """

    def __init__(self, net: nn.Module, inputs: Sequence[Tensor]) -> None:
        super().__init__()
        self.net = copy.deepcopy(net)
        for own, given in zip(self.net.parameters(), net.parameters(), strict=True):
            own.data, own.grad = given.data, given.grad
        for module, given_module in zip(self.net.modules(), net.modules(), strict=True):
            for name, buffer in given_module.named_buffers(recurse=False):
                setattr(module, name, buffer)
        self.kinds = [(x.shape[1:], x.dtype) for x in inputs]
        self.shown = [place for place, x in enumerate(inputs) if x[:1].numel()]
        self.train()

    def forward(self, *given: Tensor) -> Tensor:
        """The output for the inputs that are shown, in their order."""
        rows, shown = len(given[0]), iter(given)
        whole = [
            next(shown) if place in self.shown else torch.empty(rows, *sizes, dtype=kind)
            for place, (sizes, kind) in enumerate(self.kinds)
        ]
        output: Tensor = self.net(*whole)
        return output if self.training else output.mean(dim=1)


def _of_one_or_many(loss: Loss) -> Loss:
    """The loss of outputs (B, M, K), for (B, K) too."""
    return lambda output, goal: loss(output if output.ndim == 3 else output[:, None], goal)


class Steering:
    """The training's optimiser as others know optimisers: `param_groups`, each with its rate `lr`.

    Made of groups of other parameters it moves those by `step`, as the doctor's trials on copies ask, without
    clipping or penalties.
    """

    def __init__(self, param_groups: list[dict[str, Any]]) -> None:
        self.param_groups = param_groups
        self._rules: list[Optimiser] = []

    def step(self) -> None:
        """Move all parameters along the gradients now in place."""
        self._rules = self._rules or [_rule(group) for group in self.param_groups]
        for rule, group in zip(self._rules, self.param_groups, strict=True):
            rule.step(group["lr"])


def _groups(training: Training, window: Window) -> Iterator[dict[str, Any]]:
    """The window's parameters in groups, as the training's optimiser tells them apart."""
    mine, flat, plan = dict(window.net.named_parameters()), training.flat, training.plan
    for group, part in flat.groups:
        within = [part.start <= own.start < part.stop for own in flat.parts]
        yield {
            "params": [mine[name] for name, inside in zip(flat.names, within, strict=True) if inside],
            "lr": group.rate * plan.learning_rate,
            "weight_decay": plan.weight_decay,
            "factor": group.rate,
            "decays": group.decay,
            "plan": plan,
        }


def _rule(group: dict[str, Any]) -> Optimiser:
    """A fresh optimiser for one group, from the gradients that lie in place."""
    given = [one.grad for one in group["params"]]
    own: Any = nn.ParameterList(group["params"])
    own.learning = {name: (1.0, group["decays"]) for name, _ in own.named_parameters()}
    flat = FlatParameters(own)
    for parameter, gradient in zip(flat.parameters, given, strict=True):
        if gradient is not None and parameter.grad is not None:
            parameter.grad.copy_(gradient)
    plan = group["plan"].model_copy(update={"weight_decay": group["weight_decay"]})
    return optimiser_for(plan, flat)
