"""Optimisers (B4): how a gradient moves the weights, each in a few lines on one flat vector.

    optimiser = OPTIMISERS["adamw"](FlatParameters(net), weight_decay=1e-2)
    optimiser.step(1e-3)                        # 1e-3: the learning rate of this step

In the formulas w are the weights, g the gradient, η the learning rate, t the number of the step from 1.
Each equals the class of the same name in `torch.optim` step for step; that module is not used because
it takes a second to import.
"""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from typing import Any, ClassVar

import torch
from torch import Tensor

from preceptor.training.parameters import FlatParameters


class Optimiser(ABC):
    """Gradient descent in general: a rule moves weights and whatever it remembers, its `slots`.

    `weight_decay` λ adds λw to the gradient, the gradient of λ/2·‖w‖². A decoupled rule shrinks the
    weights by 1 - ηλ instead (Loshchilov & Hutter, 2019). Groups scale η and λ. `betas` say how much
    is kept, each step, of the gradients and of their squares that a rule remembers. An `elementwise` rule
    moves each weight by that weight's own gradients, and remembers nothing else.
    """

    slots: ClassVar[tuple[str, ...]] = ()
    decoupled: ClassVar[bool] = False
    elementwise: ClassVar[bool] = True
    betas: tuple[float, float] = (0.9, 0.999)

    def __init__(
        self, flat: FlatParameters, *, weight_decay: float = 0.0, betas: tuple[float, float] | None = None
    ):
        self.betas, self.weight_decay = betas or self.betas, weight_decay
        self.steps = 0
        self.settle(flat, {slot: torch.zeros_like(flat.weights) for slot in self.slots})

    def settle(self, flat: FlatParameters, state: dict[str, Tensor]) -> None:
        """Work on these vectors, and remember in this state, from now on."""
        self.state = state
        self._parts = [
            (
                rate,
                decay,
                flat.weights[part],
                flat.gradients[part],
                [state[slot][part] for slot in self.slots],
            )
            for rate, decay, part in self._alike(flat)
        ]

    def _alike(self, flat: FlatParameters) -> Iterator[tuple[float, float, slice]]:
        """Factor on the rate, weight decay and slice of what can be moved at once: as few parts as may be."""
        told = [(group.rate, group.decay * self.weight_decay, part) for group, part in flat.groups]
        if not self.elementwise:
            yield from told
            return
        for (rate, decay), members in groupby(told, key=lambda one: one[:2]):
            parts = [part for *_, part in members]
            yield rate, decay, slice(parts[0].start, parts[-1].stop)

    def count(self) -> None:
        """Another step begins: what hangs on how many there were is settled before anything moves."""
        self.steps += 1

    def step(self, rate: float) -> None:
        """One step along the gradients that lie in the flat vector, at learning rate `rate`."""
        self.count()
        for factor, decay, w, g, slots in self._parts:
            if decay and self.decoupled:
                w.mul_(1 - factor * rate * decay)
            elif decay:
                g.add_(w, alpha=decay)
            self.update(w, g, factor * rate, *slots)

    @abstractmethod
    def update(self, w: Tensor, g: Tensor, rate: float, *slots: Any) -> None:
        """Move `w` and the slots in place; all have the same shape."""


class SGD(Optimiser):
    """Plain gradient descent: w -= η·g. On mini-batches it is stochastic."""

    def update(self, w: Tensor, g: Tensor, rate: float) -> None:
        """See the class."""
        w.add_(g, alpha=-rate)


class Momentum(Optimiser):
    """A heavy ball: v = β₁·v + g, w -= η·v (Polyak, 1964)."""

    slots = ("velocity",)

    def update(self, w: Tensor, g: Tensor, rate: float, velocity: Tensor) -> None:
        """See the class."""
        velocity.mul_(self.betas[0]).add_(g)
        w.add_(velocity, alpha=-rate)


class Nesterov(Optimiser):
    """Momentum that looks ahead: v = β₁·v + g, w -= η·(g + β₁·v) (Sutskever et al., 2013)."""

    slots = ("velocity",)

    def update(self, w: Tensor, g: Tensor, rate: float, velocity: Tensor) -> None:
        """See the class."""
        velocity.mul_(self.betas[0]).add_(g)
        w.add_(g, alpha=-rate).add_(velocity, alpha=-rate * self.betas[0])


class AdaGrad(Optimiser):
    """A learning rate for each weight: s += g², w -= η·g / (√s + ε) (Duchi et al., 2011)."""

    slots = ("squares",)

    def update(self, w: Tensor, g: Tensor, rate: float, squares: Tensor) -> None:
        """See the class."""
        squares.addcmul_(g, g)
        w.addcdiv_(g, squares.sqrt().add_(1e-10), value=-rate)


class RMSProp(Optimiser):
    """AdaGrad that forgets: s = β₂·s + (1-β₂)·g², w -= η·g / (√s + ε) (Hinton, 2012)."""

    slots = ("squares",)
    betas = (0.0, 0.99)

    def update(self, w: Tensor, g: Tensor, rate: float, squares: Tensor) -> None:
        """See the class."""
        squares.mul_(self.betas[1]).addcmul_(g, g, value=1 - self.betas[1])
        w.addcdiv_(g, squares.sqrt().add_(1e-8), value=-rate)


class AdaDelta(Optimiser):
    """Steps in the units of the weights: d = √(u + ε) / √(s + ε)·g, w -= η·d (Zeiler, 2012).

    s and u are moving averages, with factor β₂, of g² and d²; the usual η is 1.
    """

    slots = ("squares", "updates")
    betas = (0.0, 0.9)

    def update(self, w: Tensor, g: Tensor, rate: float, squares: Tensor, updates: Tensor) -> None:
        """See the class."""
        beta = self.betas[1]
        squares.mul_(beta).addcmul_(g, g, value=1 - beta)
        change = updates.add(1e-6).div_(squares.add(1e-6)).sqrt_().mul_(g)
        updates.mul_(beta).addcmul_(change, change, value=1 - beta)
        w.add_(change, alpha=-rate)


class Adam(Optimiser):
    """Momentum and a learning rate for each weight (Kingma & Ba, 2015; defaults G14).

    m = β₁·m + (1-β₁)·g, s = β₂·s + (1-β₂)·g², w -= η·m̂ / (√ŝ + ε), where m̂ = m / (1-β₁ᵗ) and
    ŝ = s / (1-β₂ᵗ) undo the start at zero. One fused call does all of it in one pass.
    """

    slots = ("mean", "squares")

    def __init__(self, flat: FlatParameters, **choices: Any):
        super().__init__(flat, **choices)
        self._step = torch.zeros((), device=flat.weights.device)

    def count(self) -> None:
        """See the class."""
        super().count()
        self._step.fill_(self.steps)

    def update(self, w: Tensor, g: Tensor, rate: float, mean: Tensor, squares: Tensor) -> None:
        """See the class."""
        beta1, beta2 = self.betas
        how: dict[str, Any] = {"lr": rate, "beta1": beta1, "beta2": beta2, "weight_decay": 0.0, "eps": 1e-8}
        how |= {"amsgrad": False, "maximize": False}
        torch._fused_adam_([w], [g], [mean], [squares], [], [self._step], **how)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter, 2019)."""

    decoupled = True


class Nadam(Optimiser):
    """Adam that looks ahead as Nesterov does (Dozat, 2016).

    With μₜ = β₁·(1 - 0.5·0.96^(0.004·t)) and Πₜ their product so far:
    w -= η·(μₜ₊₁·m / (1-Πₜ₊₁) + (1-μₜ)·g / (1-Πₜ)) / (√ŝ + ε).
    """

    slots = ("mean", "squares")
    elementwise = False

    def __init__(self, flat: FlatParameters, **choices: Any):
        super().__init__(flat, **choices)
        self.state["product"] = torch.ones((), dtype=torch.float64)

    def step(self, rate: float) -> None:
        """See the class."""
        self.state["product"] *= self._weight(self.steps + 1)
        super().step(rate)

    def update(self, w: Tensor, g: Tensor, rate: float, mean: Tensor, squares: Tensor) -> None:
        """See the class."""
        beta1, beta2 = self.betas
        now, ahead = self._weight(self.steps), self._weight(self.steps + 1)
        product = float(self.state["product"])
        mean.lerp_(g, 1 - beta1)
        squares.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        scale = squares.div(1 - beta2**self.steps).sqrt_().add_(1e-8)
        w.addcdiv_(g, scale, value=-rate * (1 - now) / (1 - product))
        w.addcdiv_(mean, scale, value=-rate * ahead / (1 - product * ahead))

    def _weight(self, step: int) -> float:
        """μ of one step."""
        return self.betas[0] * (1 - 0.5 * 0.96 ** (0.004 * step))


class Muon(AdamW):
    """Momentum made orthogonal, for weight matrices (Jordan et al., 2024); AdamW for all else.

    A gradient mostly pushes a layer along a few directions. With m = β₁·m + (1-β₁)·g and the singular
    values U·S·Vᵀ of g + β₁·(m - g), w -= η·0.2·√max(rows, columns)·U·Vᵀ moves it along all of them alike,
    as far as AdamW moves a weight on average (Liu et al., 2025), so that one η serves both. A convolution
    is a matrix of one row an output. Weight matrices are those that weight decay would shrink.
    """

    elementwise = False

    def settle(self, flat: FlatParameters, state: dict[str, Tensor]) -> None:
        """See `Optimiser.settle`."""
        super().settle(flat, state)
        self._matrices: dict[int, dict[tuple[int, int], list[slice]]] = {}
        for group, part in flat.groups:
            members = [
                (slice(own.start - part.start, own.stop - part.start), parameter)
                for own, parameter in zip(flat.parts, flat.parameters, strict=True)
                if part.start <= own.start < part.stop and parameter.numel()
            ]
            if group.decay and all(parameter.ndim > 1 for _, parameter in members):
                alike = defaultdict(list)
                for own, parameter in members:
                    alike[len(parameter), parameter[0].numel()].append(own)
                self._matrices[int(flat.weights[part].storage_offset())] = alike

    def update(self, w: Tensor, g: Tensor, rate: float, mean: Tensor, squares: Tensor) -> None:
        """See the class."""
        matrices = self._matrices.get(int(w.storage_offset()))
        if matrices is None:
            super().update(w, g, rate, mean, squares)
            return
        mean.lerp_(g, 1 - self.betas[0])
        ahead = g.lerp(mean, self.betas[0])
        for (rows, columns), places in matrices.items():
            pushes = orthogonal(torch.stack([ahead[own].view(rows, columns) for own in places]))
            for own, push in zip(places, pushes, strict=True):
                w[own].view_as(push).add_(push, alpha=-0.2 * rate * max(rows, columns) ** 0.5)


def orthogonal(matrices: Tensor) -> Tensor:
    """U·Vᵀ of U·S·Vᵀ for each matrix (N, R, C), nearly: singular values come out between 0.7 and 1.2.

    Five rounds of an odd polynomial, p(X) = 3.4445·X - 4.775·X·XᵀX + 2.0315·X·(XᵀX)², push them there (a
    Newton-Schulz iteration tuned for speed, Jordan et al., 2024); products in 16 bits are good enough.
    """
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.bfloat16().mT if tall else matrices.bfloat16()
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=-4.775, alpha=2.0315), x, beta=3.4445)
    return (x.mT if tall else x).to(matrices.dtype)


OPTIMISERS: dict[str, type[Optimiser]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": AdaGrad,
    "adadelta": AdaDelta,
    "rmsprop": RMSProp,
    "adam": Adam,
    "nadam": Nadam,
    "adamw": AdamW,
    "muon": Muon,
}
"""Every optimiser by the name it has in a plan."""
