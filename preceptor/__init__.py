"""preceptor: real-world input -> tensor -> model -> tensor -> real-world output.

run = preceptor.fit("houses.csv", target="price")
run.predict("new.csv")
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from preceptor.diagnose import watch
    from preceptor.estimators import NeuralClassifier, NeuralRegressor
    from preceptor.report import write_findings
    from preceptor.run import Run, fit

__version__ = "0.1.0"
__all__ = ["NeuralClassifier", "NeuralRegressor", "Run", "fit", "watch", "write_findings"]

# How long a thread that waits for its team spins before it sleeps. For long, and beside a busy neighbour it
# takes the core from the one waited for; not at all, and waking it costs more than a small step. GCC's OpenMP
# spins for about as long as waking takes; others are asked to sleep. Read when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

# Imported when first asked for, so that `preceptor --help` does not wait for torch.
_ROOMS = {
    "fit": "preceptor.run",
    "Run": "preceptor.run",
    "NeuralClassifier": "preceptor.estimators",
    "NeuralRegressor": "preceptor.estimators",
    "watch": "preceptor.diagnose",
    "write_findings": "preceptor.report",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'preceptor' has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)
