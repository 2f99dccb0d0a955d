"""What a run costs, and on what machine: memory, energy, carbon (textbook P14)."""

import os
import platform
import sys
from typing import Any

import psutil
import torch

from preceptor.errors import Mistake

# A busy core of a present-day laptop or server draws about this much, memory and supply included.
WATTS_PER_BUSY_CORE = 12.0
# World average of 2023, Ember's Global Electricity Review.
GRAMS_CO2_PER_WATT_HOUR = 0.48


def machine() -> dict[str, Any]:
    """Cores, memory (GB), versions, and the threads that torch uses."""
    return {
        "system": platform.platform(terse=True),
        "cores": psutil.cpu_count() or 1,
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def device(asked: str | None = None) -> torch.device:
    """Where nets are trained: what is asked for, else a GPU where there is one, each process's own.

    On a GPU, products in 32 bits may use its faster, shorter format (TF32). Raises Mistake where a GPU is
    asked for and there is none.
    """
    there = torch.cuda.is_available()
    if asked == "cuda" and not there:
        raise Mistake(
            "device-absent",
            "There is no GPU that torch can use.",
            why=f"This is torch {torch.__version__}.",
            todo="Leave out --device, or install a torch built for the GPU.",
        )
    if there and asked != "cpu":
        torch.set_float32_matmul_precision("high")
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    return torch.device("cpu")


def cost() -> dict[str, float]:
    """This process so far: CPU seconds, peak memory (MB), energy (Wh) and CO2 (g), both estimates."""
    times = psutil.Process().cpu_times()
    cpu_seconds = times.user + times.system
    watt_hours = cpu_seconds * WATTS_PER_BUSY_CORE / 3600
    return {
        "cpu_seconds": round(cpu_seconds, 1),
        "peak_memory_mb": round(_peak_memory_bytes() / 1e6),
        "energy_wh": round(watt_hours, 3),
        "co2_g": round(watt_hours * GRAMS_CO2_PER_WATT_HOUR, 3),
    }


def _peak_memory_bytes() -> float:
    """The process's largest resident memory."""
    if sys.platform == "win32":
        return float(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else 1024 * peak)
