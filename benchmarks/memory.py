"""What a library takes: bytes of memory at the peak of a fit (MLP 784-128-10 of `mlp`), and on the disk.

The peak is the whole process's, its data and imports included. On the disk counts what an installation adds
to one of torch alone.
"""

import sys
import sysconfig
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.contest import contest
from benchmarks.roster import ACCELERATE, KERAS_JAX, LOADER, PRECEPTOR, SCIKIT_LEARN, TRAINERS, best
from benchmarks.tasks import Task, pictures
from benchmarks.venvs import NotInstalled, interpreter

ROOTS = {
    "preceptor": ("", "preceptor"),
    "scikit-learn": ("", "scikit-learn"),
    "Keras/torch": ("keras-torch", "keras"),
    "Keras/JAX": ("keras-jax", "keras", "jax"),
    "Lightning": ("lightning", "lightning"),
    "skorch": ("skorch", "skorch"),
    "fastai, without torchvision": ("fastai", "fastai"),
    "Trainer": ("transformers", "transformers", "accelerate"),
    "accelerate": ("transformers", "accelerate"),
    "AutoGluon, tables alone": ("autogluon", "autogluon.tabular"),
}


def run(rounds: int, quick: bool = False) -> dict[str, Any]:
    x, y = pictures(6_000 if quick else 60_000)
    task = Task(x.reshape(len(x), -1), y, (784, 128, 10), batch=128, epochs=1)
    peers = [] if quick else best([*KERAS_JAX, *TRAINERS, *ACCELERATE])
    rows = contest(task, [*PRECEPTOR, *LOADER, *SCIKIT_LEARN, *peers], 1)
    peaks = {
        name: row if "absent" in row else {"values": [row["peak"] / 2**20]} for name, row in rows.items()
    }
    disk = {name: _on_disk(*root) for name, root in ROOTS.items()}
    return {
        "memory": {"title": "memory at the peak of a fit", "unit": "MiB", "contestants": peaks},
        "disk": {"title": "added to an installation of torch", "unit": "MiB", "contestants": disk},
    }


def _on_disk(venv: str, *names: str) -> dict[str, Any]:
    try:
        site = Path(sysconfig.get_path("purelib"))
        if venv:
            python = interpreter(venv)
            site = python.parent.parent / site.relative_to(sys.prefix)
    except NotInstalled as error:
        return {"absent": str(error)}
    known = {canonicalize_name(one.name): one for one in distributions(path=[str(site)])}
    added = _needed(known, names) - _needed(known, ["torch"])
    return {"values": [sum(_size(known[name]) for name in added) / 2**20], "packages": len(added)}


def _needed(known: dict[str, Distribution], names: Any) -> set[str]:
    """The installed packages that these need, themselves included."""
    found, left = set(), [canonicalize_name(name) for name in names]
    while left:
        if (name := left.pop()) in found or name not in known:
            continue
        found.add(name)
        wanted = [Requirement(text) for text in known[name].requires or []]
        left += [
            canonicalize_name(one.name)
            for one in wanted
            if one.marker is None or one.marker.evaluate({"extra": ""})
        ]
    return found


def _size(package: Distribution) -> int:
    paths = [Path(str(package.locate_file(file))) for file in package.files or []]
    return sum(path.stat().st_size for path in paths if path.is_file())
