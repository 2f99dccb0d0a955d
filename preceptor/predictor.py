"""What answers: fold models side by side, their scores averaged, families blended; saved as data.

    predictor = Predictor(problems, {"net": [net0, net1], "forest": [f0, f1]}, {"net": 0.7, "forest": 0.3})
    predictor.scores(table)                    # numpy, the target kind's scores
    predictor.save(folder); Predictor.load(folder)

The folder holds JSON, safetensors and skops files only: nothing in it can execute.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from preceptor.data.table import Table
from preceptor.ensemble import apply, sharpened
from preceptor.errors import Mistake
from preceptor.kinds.kind import Target
from preceptor.kinds.registry import kind_from_state
from preceptor.net import Net
from preceptor.problem import Problem
from preceptor.rivals import Rival
from preceptor.storage import write_atomically

FORMAT = 3
Member = Net | Rival
"""A fitted model of one fold."""


class Predictor:
    """Fold problems, their fitted families by name, and convex weights over the families.

    Probabilities of classes are raised to the power `sharpness`: see `preceptor.ensemble`.
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        families: dict[str, list[Member]],
        weights: dict[str, float],
        sharpness: float = 1.0,
    ) -> None:
        self.problems = list(problems)
        self.families = families
        self.weights = weights
        self.sharpness = sharpness

    @property
    def target(self) -> Target:
        """The target kind, which turns scores into answers."""
        return self.problems[0].target

    @property
    def name(self) -> str:
        """The family that ships, or "blend"."""
        return next(iter(self.weights)) if len(self.weights) == 1 else "blend"

    def scores(self, table: Table) -> np.ndarray:
        """Blended scores of every row, as sure as they are right."""
        return self.blended(self.scores_by_family(table, list(self.weights)))

    def blended(self, by_family: Mapping[str, np.ndarray]) -> np.ndarray:
        """The same, given each family's scores."""
        scores = apply(self.weights, by_family)
        return scores if self.sharpness == 1.0 else sharpened(scores, self.sharpness)

    def scores_by_family(self, table: Table, names: Sequence[str]) -> dict[str, np.ndarray]:
        """For each family the mean of its fold models' scores; every fold encodes once."""
        total: dict[str, Any] = dict.fromkeys(names, 0.0)
        for fold, problem in enumerate(self.problems):
            inputs = problem.encode(table)
            for name in names:
                if fold < len(self.families[name]):
                    total[name] = total[name] + self.families[name][fold].predict(inputs)
        return {name: total[name] / len(self.families[name]) for name in names}

    def to(self, device: torch.device) -> None:
        """Move every net to a device, where it answers from now on."""
        for member in (member for members in self.families.values() for member in members):
            if isinstance(member, Net):
                member.module.to(device)

    @property
    def _kept(self) -> list[str]:
        """What is saved: what answers, and the net, whose encoders a later run may start from."""
        return [name for name in self.families if name in self.weights or name == "net"]

    def save(self, folder: Path) -> None:
        """Write every family with a weight, the net in any case, and the kinds, into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        nets: dict[str, list[dict[str, Any]]] = {}
        for name in self._kept:
            for fold, member in enumerate(self.families[name]):
                if isinstance(member, Net):
                    made = {"design": member.design, **member.configuration}
                    nets.setdefault(name, []).append(made)
                    save_file(member.module.state_dict(), folder / f"{name}-{fold}.safetensors")
                else:
                    member.save(folder / f"{name}-{fold}.skops")
        description = {
            "format": FORMAT,
            "weights": self.weights,
            "sharpness": self.sharpness,
            "folds": {name: len(self.families[name]) for name in self._kept},
            "nets": nets,
            "problems": [problem.state() for problem in self.problems],
        }
        write_atomically(folder / "predictor.json", json.dumps(description).encode())

    @classmethod
    def load(cls, folder: Path) -> "Predictor":
        """The predictor that `save` wrote. Raises Mistake for another version's format."""
        description = json.loads((folder / "predictor.json").read_text(encoding="utf-8"))
        if description["format"] != FORMAT:
            raise Mistake(
                "model-version",
                f"This model was written in format {description['format']}; this preceptor reads {FORMAT}.",
                where=str(folder),
                todo="Use the version of preceptor that made it, or fit again.",
            )
        problems = [_problem(state) for state in description["problems"]]
        families: dict[str, list[Member]] = {
            name: [
                _net(
                    folder / f"{name}-{fold}.safetensors",
                    description["nets"][name][fold],
                    problems[fold].target,
                )
                if name in description["nets"]
                else Rival.load(folder / f"{name}-{fold}.skops")
                for fold in range(folds)
            ]
            for name, folds in description["folds"].items()
        }
        return cls(problems, families, description["weights"], description["sharpness"])


def _problem(state: dict[str, Any]) -> Problem:
    target = kind_from_state(state["target"])
    assert isinstance(target, Target)
    return Problem([kind_from_state(kind) for kind in state["inputs"]], target)


def _net(path: Path, configuration: dict[str, Any], target: Target) -> Net:
    design = configuration.pop("design")
    net = Net(design, configuration, target)
    net.module.load_state_dict(load_file(path))
    return net
