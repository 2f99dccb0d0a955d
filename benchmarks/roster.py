"""Who takes part, and the targets in terms of them.

Each peer comes twice: as its own documentation advises, and lean, with all logging off. Targets are held
against the lean one.
"""

from collections.abc import Iterable
from typing import Any

from benchmarks.contest import Contestant

LEAN = ", lean"


def twice(name: str, module: str, venv: str = "") -> list[Contestant]:
    return [
        Contestant(name, module, venv, {"lean": False}),
        Contestant(name + LEAN, module, venv, {"lean": True}),
    ]


PRECEPTOR = [Contestant("preceptor", "own")]
LOADER = [Contestant("DataLoader loop", "loader")]
INDEXED = [Contestant("indexed tensors, fused Adam", "indexed")]
COMPILED = [Contestant("whole step compiled", "compiled")]
HANDMADE = [Contestant("backward by hand", "handmade")]
SCIKIT_LEARN = [Contestant("scikit-learn", "scikit_learn")]
KERAS_JAX = twice("Keras/JAX", "keras", "keras-jax")
TRAINERS = [
    *twice("Keras/torch", "keras", "keras-torch"),
    *twice("Lightning", "lightning", "lightning"),
    *twice("skorch", "skorch", "skorch"),
    *twice("fastai", "fastai", "fastai"),
    *twice("Trainer", "trainer", "transformers"),
]
ACCELERATE = [Contestant("accelerate", "accelerate", "transformers")]
AUTOGLUON = twice("AutoGluon", "autogluon", "autogluon")


def best(contestants: Iterable[Contestant]) -> list[Contestant]:
    """Each contestant once: lean, where it comes so."""
    return [one for one in contestants if one.options.get("lean", True)]


def faster(times: float, contestants: Iterable[Contestant]) -> list[dict[str, Any]]:
    """The targets to be so many times faster than each."""
    return [{"ours": "preceptor", "theirs": one.name, "at_least": times} for one in best(contestants)]


def within(times: float, contestants: Iterable[Contestant]) -> list[dict[str, Any]]:
    """The targets to take at most so many times as long as each."""
    return [{"ours": "preceptor", "theirs": one.name, "within": times} for one in best(contestants)]
