"""torchrun starts a fit by several processes, and starts it again when one of them is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from safetensors.torch import load_file
from torch import Tensor

from preceptor.data.samples import sample
from preceptor.errors import Mistake
from preceptor.following import fit_together

SAMPLE = sample("penguins")
EPOCHS = 200
"""They last longer than the seconds between two checkpoints."""
LEFT_OUT = [f"time to ask: {what}" for what in ("data", "learning rate", "bias and variance")]
LEFT_OUT += ["time for remedy 1"]


def start(folder: Path, *flags: str) -> "subprocess.Popen[str]":
    """torchrun with a fit of so many epochs whatever the clock says, by two processes."""
    plan = {
        "target": SAMPLE.target,
        "folds": 1,
        "minutes": 10,
        "rivals": ["dumb"],
        "training": {"patience": EPOCHS},
        "decisions": {"schedule": [1, "float32", 1, EPOCHS, 1, False], **dict.fromkeys(LEFT_OUT, False)},
    }
    (folder.parent / "plan.json").write_text(json.dumps(plan))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *flags]
    command += ["-m", "preceptor", "fit", str(SAMPLE.path), "--plan", str(folder.parent / "plan.json")]
    return subprocess.Popen(
        [*command, "--out", str(folder)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.STDOUT,
        stdout=subprocess.PIPE,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> str:
    """What torchrun has printed, once it has ended well."""
    said, _ = process.communicate(timeout=240)
    assert process.returncode == 0, said
    return said


def model(folder: Path) -> dict[str, Tensor]:
    return {
        f"{file.name}:{name}": tensor
        for file in sorted((folder / "model").rglob("*.safetensors"))
        for name, tensor in load_file(file).items()
    }


def kill(process: "subprocess.Popen[str]", rank: int) -> None:
    """Kill the process of this rank, as a machine that fails would."""
    workers = psutil.Process(process.pid).children()
    (victim,) = (worker for worker in workers if worker.environ().get("RANK") == str(rank))
    victim.send_signal(signal.SIGKILL)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    said = ended(start(folder))
    assert said.count("report.html") == 2  # the last stage line and the path, from one process alone
    return model(folder)


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_fit_that_lost_a_process_ends_with_the_weights_of_the_unbroken_one(
    rank: int, unbroken: dict[str, Tensor], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    process = start(folder, "--max-restarts", "2")
    while not (folder / "checkpoint" / "fold-0" / "manifest.json").exists():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    kill(process, rank)
    ended(process)
    again = model(folder)
    assert again.keys() == unbroken.keys()
    assert all(again[name].equal(unbroken[name]) for name in again)
    events = [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]
    assert len([event for event in events if event["event"] == "train"]) == 1
    assert len([event for event in events if event["event"] == "exam"]) == 1


def test_a_fit_that_may_be_restarted_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_MAX_RESTARTS", "3")
    with pytest.raises(Mistake) as caught:
        fit_together(SAMPLE.path, target=SAMPLE.target)
    assert caught.value.code == "restart-unnamed"
