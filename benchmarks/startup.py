"""Seconds from the start of Python until a library can be used: all that a first fit would import."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.venvs import NotInstalled, interpreter

OURS = {
    "ready to fit": "import preceptor; preceptor.fit, preceptor.NeuralRegressor",
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
    rows: dict[str, dict[str, Any]] = {}
    commands = {name: [Path(sys.executable), "-c", code] for name, code in OURS.items()}
    for name, (venv, code) in ({} if quick else PEERS).items():
        try:
            commands[name] = [interpreter(venv), "-c", code]
        except NotInstalled as error:
            rows[name] = {"absent": str(error)}
    for name, command in list(commands.items()):
        try:
            seconds(command)  # the files come into the system's memory
        except subprocess.CalledProcessError as error:
            rows[name] = {"absent": error.stderr.decode().strip().splitlines()[-1]}
            del commands[name]
    measured = [{name: seconds(command) for name, command in commands.items()} for _ in range(rounds)]
    rows = {name: {"values": [one[name] for one in measured]} for name in commands} | rows
    targets = [
        {"ours": "import preceptor", "theirs": "import torch", "within": 1.0, "plus": 0.3},
        {"ours": "ready to fit", "theirs": "import torch", "within": 1.0, "plus": 0.3},
        {"ours": "preceptor --help", "at_most": 0.3},
    ]
    return {"startup": {"title": __doc__, "unit": "s", "contestants": rows, "targets": targets}}


def seconds(command: list[Any]) -> float:
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
    return time.perf_counter() - started
