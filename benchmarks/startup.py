"""Seconds from the start of Python until a library can be used, its bytecode at hand as once installed.

"All that a fit loads" is what comes later, each part where it is first used. Who asks for the estimators gets
scikit-learn with them, which they are made of.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.venvs import NotInstalled, interpreter

OURS = {
    "ready to fit": "import preceptor; preceptor.fit",
    "ready to answer": "import preceptor.answering",
    "all that a fit loads": "import preceptor.study, preceptor.report.page, sklearn.ensemble, scipy.stats",
    "estimators": "import preceptor; preceptor.NeuralRegressor",
    "import preceptor": "import preceptor",
    "preceptor --help": "import sys; sys.argv[1:] = ['--help']; from preceptor.cli import main; main()",
    "import torch": "import torch",
    "scikit-learn": "import sklearn.neural_network, sklearn.ensemble",
}
PEERS = {
    "Keras/torch": ("keras-torch", "import os; os.environ['KERAS_BACKEND'] = 'torch'; import keras"),
    "Keras/JAX": ("keras-jax", "import os; os.environ['KERAS_BACKEND'] = 'jax'; import keras"),
    "Lightning": ("lightning", "import lightning"),
    "skorch": ("skorch", "import skorch"),
    "fastai": ("fastai", "import fastai.learner, fastai.data.core"),
    "Trainer": ("transformers", "import transformers; transformers.Trainer, transformers.TrainingArguments"),
    "accelerate": ("transformers", "import accelerate"),
    "AutoGluon": ("autogluon", "import autogluon.tabular.models"),
}


def run(rounds: int, quick: bool = False) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as bytecode:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return _measured(rounds, quick, environment | {"PYTHONPYCACHEPREFIX": bytecode})


def _measured(rounds: int, quick: bool, environment: dict[str, str]) -> dict[str, Any]:
    rows: dict[str, dict[str, Any]] = {}
    commands = {name: [Path(sys.executable), "-c", code] for name, code in OURS.items()}
    for name, (venv, code) in ({} if quick else PEERS).items():
        try:
            commands[name] = [interpreter(venv), "-c", code]
        except NotInstalled as error:
            rows[name] = {"absent": str(error)}
    for name, command in list(commands.items()):
        try:
            seconds(command, environment)  # files come into the system's memory, and are compiled
        except subprocess.CalledProcessError as error:
            rows[name] = {"absent": error.stderr.decode().strip().splitlines()[-1]}
            del commands[name]
    measured = [{name: seconds(one, environment) for name, one in commands.items()} for _ in range(rounds)]
    rows = {name: {"values": [one[name] for one in measured]} for name in commands} | rows
    targets = [
        {"ours": "import preceptor", "theirs": "import torch", "within": 1.0, "plus": 0.3},
        {"ours": "ready to fit", "theirs": "import torch", "within": 1.0, "plus": 0.3},
        {"ours": "ready to answer", "theirs": "import torch", "within": 1.0, "plus": 0.3},
        {"ours": "preceptor --help", "at_most": 0.3},
    ]
    return {"startup": {"title": "until usable", "unit": "s", "contestants": rows, "targets": targets}}


def seconds(command: list[Any], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
    return time.perf_counter() - started
