"""Checkpoints: what a training carries, on disk, such that no moment of death can spoil it.

    save(folder, identity, facts, tensors)
    found = load(folder, identity)                       # None when nothing was ever saved

The folder holds the two newest generations, each one safetensors file with its facts beside it in
`manifest.json`, which also holds the SHA-256 of each file. A generation counts from the moment the
manifest names it, and the manifest is replaced in one piece.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load as tensors_of
from safetensors.torch import save as bytes_of
from torch import Tensor

from preceptor.errors import Mistake
from preceptor.finding import Finding
from preceptor.storage import write_atomically

GENERATIONS = 2


@dataclass(frozen=True)
class Checkpoint:
    """What was saved; `finding` says which newer generation was damaged, if one was."""

    facts: dict[str, Any]
    tensors: dict[str, Tensor]
    finding: Finding | None = None


def save(folder: Path, identity: dict[str, Any], facts: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Add a generation and drop the oldest. Raises Mistake "disk-full" or "cannot-write"."""
    folder.mkdir(parents=True, exist_ok=True)
    older = _manifest(folder).get("generations", [])
    number = 1 + max((generation["number"] for generation in older), default=0)
    content = bytes_of(tensors)
    entry = {"number": number, "sha256": hashlib.sha256(content).hexdigest(), "facts": facts}
    kept = [entry, *older][:GENERATIONS]
    write_atomically(_file(folder, number), content)
    manifest = json.dumps({"identity": identity, "generations": kept}, indent=1)
    write_atomically(folder / "manifest.json", manifest.encode())
    for generation in [*older, entry]:
        if generation not in kept:
            _file(folder, generation["number"]).unlink(missing_ok=True)


def load(folder: Path, identity: dict[str, Any]) -> Checkpoint | None:
    """The newest sound generation in `folder`; None when there is no checkpoint.

    Raises Mistake "checkpoint-foreign" when it belongs to a training with another `identity`, and
    "checkpoint-damaged" when no generation is as it was written.
    """
    manifest = _manifest(folder)
    if not manifest:
        return None
    _check_identity(folder, manifest["identity"], json.loads(json.dumps(identity)))
    damaged: list[str] = []
    for generation in manifest["generations"]:
        file = _file(folder, generation["number"])
        content = file.read_bytes() if file.exists() else b""
        if hashlib.sha256(content).hexdigest() == generation["sha256"]:
            return Checkpoint(generation["facts"], tensors_of(content), _fallback(damaged, generation))
        damaged.append(file.name)
    raise _damaged(folder, f"No longer as they were written: {', '.join(damaged)}.")


def _file(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.safetensors"


def _manifest(folder: Path) -> dict[str, Any]:
    """The manifest; empty when there is none."""
    path = folder / "manifest.json"
    try:
        return json.loads(path.read_bytes()) if path.exists() else {}
    except ValueError as error:
        raise _damaged(folder, f"manifest.json: {error}.") from error


def _check_identity(folder: Path, saved: dict[str, Any], expected: dict[str, Any]) -> None:
    different = [name for name in expected if saved.get(name) != expected[name]]
    if different:
        raise Mistake(
            "checkpoint-foreign",
            "This checkpoint belongs to another training.",
            where=str(folder),
            why=f"Different: {', '.join(different)}.",
            todo="Resume with the plan the run was started with, or start afresh in another folder.",
        )


def _damaged(folder: Path, why: str) -> Mistake:
    return Mistake(
        "checkpoint-damaged",
        "The checkpoint cannot be trusted.",
        where=str(folder),
        why=why,
        todo="Delete the folder to train this part again from its beginning; the rest of the run stays.",
    )


def _fallback(damaged: list[str], used: dict[str, Any]) -> Finding | None:
    if not damaged:
        return None
    epoch = used["facts"].get("epoch")
    return Finding(
        "checkpoint-fallback",
        "note",
        f"The newest checkpoint ({damaged[0]}) is damaged; training goes on from epoch {epoch} instead.",
        evidence={"damaged": damaged, "epoch": epoch},
        done="The previous checkpoint was used; the result will be the same, it only takes longer.",
    )
