"""One contestant in a process and an environment of its own: a line of JSON in, a line of JSON out.

    python benchmarks/worker.py          # started by benchmarks/contest.py, in a peer's environment

Asked for a fit, it times one; whatever the contestant prints goes to the standard error. It is killed by its
own errors: the traceback is then the last that it says.
"""

import gc
import json
import os
import sys
import time
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tasks import Task

MARKED = 10_000
"""How many rows the final loss is measured on."""


def main() -> None:
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # progress bars and logs do not mix with replies
    for line in sys.stdin:
        reply = fit(**json.loads(line))
        print(json.dumps(reply), file=replies, flush=True)


def fit(module: str, task: str, brief: bool, threads: int, options: dict[str, Any]) -> dict[str, float]:
    """Fit once: seconds, seconds of processors, loss on validation or training rows, peak bytes."""
    contestant, asked = import_module(module), _task(task, brief)
    use_threads(contestant, threads)
    gc.collect()
    wall, processor = time.perf_counter(), time.process_time()
    predict = contestant.fit(asked, **options)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    x, y = asked.validation or (asked.x[:MARKED], asked.y[:MARKED])
    loss = asked.loss(np.asarray(predict(x)), y)
    return {"seconds": wall, "processor": processor, "loss": loss, "peak": peak_memory()}


@cache
def _task(folder: str, brief: bool) -> Task:
    task = Task.load(Path(folder))
    return task.brief() if brief else task


def use_threads(contestant: Any, threads: int) -> None:
    """So many threads for one fit: by the contestant's own way, else by torch's."""
    if hasattr(contestant, "use_threads"):
        contestant.use_threads(threads)
    else:
        import torch

        torch.set_num_threads(threads)


def peak_memory() -> int:
    """The most bytes this process has held; getrusage would count its parent's before the exec."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    main()
