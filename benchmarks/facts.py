"""On what machine, and with which versions, something was measured."""

import os
import platform
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.venvs import LISTS, TORCH

OURS = ("preceptor", "torch", "numpy", "scikit-learn", "polars", "optuna")


def machine() -> dict[str, Any]:
    """Processor, cores, memory, system, the load of the last minute, and the state of the source."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
        "when": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
        "commit": _commit(),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def versions() -> dict[str, dict[str, str]]:
    """Our own packages that matter, and every package of each peer's environment."""
    own = {}
    for name in OURS:
        try:
            own[name] = version(name)
        except ModuleNotFoundError:
            own[name] = "not installed"
    peers = {
        path.stem: _pins(path) | {"torch": TORCH.rpartition("=")[2]} for path in sorted(LISTS.glob("*.txt"))
    }
    return {"ours": own, **peers}


def _pins(path: Path) -> dict[str, str]:
    lines = [line.split("==") for line in path.read_text().splitlines() if "==" in line]
    return {name: pinned for name, pinned in lines}
