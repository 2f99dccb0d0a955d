"""On a GPU: rows, images and tokens a second, the share of the peak that is used, CIFAR-10 to 94 %.

Everything goes through `preceptor.training.train`, data and net on the device. The peak is not a data
sheet's but a product of two large matrices in 16 bits, measured here; the arithmetic of a step is counted by
torch. Where there is no GPU every table says so; `quick` runs all of it, tiny, on whatever there is.
"""

import io
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.tasks import DATA
from preceptor.augmentation.choice import changes_for
from preceptor.augmentation.picture import Augmenter
from preceptor.models.mlp import MLP, dense
from preceptor.models.pictures import PictureEncoder
from preceptor.models.transformer import Transformer
from preceptor.plan import TrainingPlan
from preceptor.training import Training, train

GOAL = 0.94
"""Of CIFAR-10; a speed-run recipe on lossless pictures takes 3.3 s on one A100."""
HELD_OUT = 5_000


class Work(NamedTuple):
    """A net, what it learns from, and what one row counts: 1 image, or so many tokens."""

    net: nn.Module
    inputs: Sequence[Tensor]
    goal: Tensor
    plan: TrainingPlan
    each: int = 1


class Classified(nn.Module):
    """An encoder and a linear classifier."""

    def __init__(self, encoder: nn.Module, width: int, classes: int):
        super().__init__()
        self.encoder, self.last = encoder, dense(width, classes, gain=0.0)

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.last(self.encoder(*inputs))


def run(rounds: int, quick: bool = False) -> dict[str, Any]:
    there = torch.cuda.is_available()
    device = torch.device("cuda" if there else "cpu")
    if not there and not quick:
        return {name: _absent(title) for name, title in TITLES.items()}
    peak = _peak(device, 256 if quick else 8192)
    tables = {name: _throughput(name, make(device, quick), peak, rounds) for name, make in WORKS.items()}
    return tables | {"gpu-cifar": _cifar(device, rounds, quick)}


def _absent(title: str) -> dict[str, Any]:
    return {
        "title": title,
        "unit": "",
        "contestants": {"preceptor": {"absent": "there is no GPU here"}},
        "targets": [],
    }


def _waited(device: torch.device) -> float:
    """The time, once the device has done all that it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def _peak(device: torch.device, side: int) -> float:
    """Operations a second of a product of two square matrices in 16 bits: the best of ten."""
    a, b = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    best = float("inf")
    for _ in range(10):
        began = _waited(device)
        torch.mm(a, b)
        best = min(best, _waited(device) - began)
    return 2 * side**3 / best


def _rows(device: torch.device, quick: bool) -> Work:
    x = torch.randn(2_048 if quick else 1_000_000, 8, device=device)
    plan = _plan(batch=256 if quick else 8192, precision="float32")
    return Work(MLP(8, 1, widths=(64, 64)).to(device), (x,), x[:, :1] * x[:, 1:2], plan)


def _images(device: torch.device, quick: bool) -> Work:
    rows, side = (64, 8) if quick else (50_000, 32)
    pixels = torch.randint(0, 256, (rows, 3, side, side), dtype=torch.uint8, device=device)
    encoder = PictureEncoder((3, side, side), trunk="small-conv-16" if quick else "resnet18")
    net = Classified(encoder, encoder.width, 10).to(device)
    plan = _plan(batch=32 if quick else 1024, precision="bfloat16")
    return Work(net, (pixels,), torch.arange(rows, device=device) % 10, plan)


def _tokens(device: torch.device, quick: bool) -> Work:
    rows, long, width, layers = (32, 16, 64, 1) if quick else (8_192, 256, 512, 8)
    x = torch.randn(rows, long, width, device=device)
    present = torch.ones(rows, long, dtype=torch.bool, device=device)
    trunk = Transformer(width, width=width, layers=layers)
    plan = _plan(batch=16 if quick else 128, precision="bfloat16")
    net = Classified(trunk, trunk.width, 10).to(device)
    return Work(net, (x, present), torch.arange(rows, device=device) % 10, plan, each=long)


def _plan(batch: int, precision: Literal["float32", "bfloat16"]) -> TrainingPlan:
    return TrainingPlan(optimiser="adamw", learning_rate=1e-3, batch_size=batch, precision=precision)


WORKS: dict[str, Callable[[torch.device, bool], Work]] = {
    "gpu-rows": _rows,
    "gpu-images": _images,
    "gpu-tokens": _tokens,
}
TITLES = {
    "gpu-rows": "MLP 8-64-64-1, batch 8,192, float32: rows a second",
    "gpu-images": "ResNet-18 on 32 x 32, batch 1,024, bfloat16: images a second",
    "gpu-tokens": "transformer, width 512, 8 layers, 256 tokens, batch 128, bfloat16: tokens a second",
    "gpu-cifar": "CIFAR-10 (JPEG copy), 45,000 rows: seconds to 94 % of 5,000 others",
}


def _throughput(name: str, work: Work, peak: float, rounds: int) -> dict[str, Any]:
    """Rows, images or tokens a second of a whole epoch after the first, and the share of the peak."""
    loss = functional.mse_loss if work.goal.is_floating_point() else functional.cross_entropy
    training = Training(work.net, work.plan, epochs=rounds + 1, seed=0)
    device, values, began = work.goal.device, [], 0.0
    for epoch in train(training, work.inputs, work.goal, loss):
        now = _waited(device)
        if epoch.number > 1:
            values.append(work.each * len(work.goal) / (now - began))
        began = _waited(device)
    used = _operations(work, loss) * max(values) / work.each / peak
    row = {"values": values, "note": f"{used:.1%} of the measured peak of {peak / 1e12:.0f} TFLOP/s"}
    return {
        "title": TITLES[name],
        "unit": "1/s",
        "better": "more",
        "contestants": {"preceptor": row},
        "targets": [],
    }


def _operations(work: Work, loss: Callable[[Tensor, Tensor], Tensor]) -> float:
    """Operations of a row's forward and backward pass."""
    few = slice(0, 8)
    with FlopCounterMode(display=False) as counter:
        torch.autograd.backward(loss(work.net(*(part[few] for part in work.inputs)), work.goal[few]))
    return counter.get_total_flops() / 8


def _cifar(device: torch.device, rounds: int, quick: bool) -> dict[str, Any]:
    """Seconds until 94 % of rows held out from the training pictures are right; the test is not touched."""
    source = DATA / "cifar10_jpg" / "train.parquet"
    if not source.exists():
        return _absent(TITLES["gpu-cifar"])
    pixels, labels = _pictures(source, 600 if quick else 50_000)
    runs = [_to_goal(pixels.to(device), labels.to(device), seed, quick) for seed in range(rounds)]
    row = {
        "values": [seconds for seconds, _ in runs],
        "note": f"accuracy {[round(right, 4) for _, right in runs]}",
    }
    return {"title": TITLES["gpu-cifar"], "unit": "s", "contestants": {"preceptor": row}, "targets": []}


def _pictures(source: Any, rows: int) -> tuple[Tensor, Tensor]:
    frame = pl.read_parquet(source).sample(rows, shuffle=True, seed=0)  # the file is sorted by class
    arrays = [np.asarray(Image.open(io.BytesIO(content)).convert("RGB")) for content in frame["image"]]
    pixels = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()
    return pixels, torch.from_numpy(frame["label"].rank("dense").to_numpy().astype(np.int64) - 1)


def _to_goal(pixels: Tensor, labels: Tensor, seed: int, quick: bool) -> tuple[float, float]:
    """Train on all but the rows held out; seconds until they are told well enough, or in all."""
    held = min(HELD_OUT, len(labels) // 6)
    encoder = PictureEncoder((3, 32, 32), trunk="small-conv-16" if quick else "small-conv-64", mirrored=True)
    plan = TrainingPlan(**PictureEncoder.good_training(len(labels)), precision="bfloat16")
    encoder.remember(pixels[held:].cpu())
    net = Classified(encoder, encoder.width, 10).to(labels.device)
    training = Training(net, plan, epochs=1 if quick else 12, seed=seed, higher_is_better=True)
    learnt = pixels[held:]
    change = Augmenter((3, 32, 32), changes_for(learnt), seed, pictures=learnt)
    loss = _smoothed(plan.label_smoothing)
    right, began = 0.0, _waited(labels.device)
    for _ in train(training, (learnt,), labels[held:], loss, augment=lambda x, *at: [change(x[0], *at)]):
        with training.evaluating():
            told = torch.cat([net(part).argmax(1) for part in torch.split(pixels[:held], 1000)])
        right = float((told == labels[:held]).float().mean())
        if right >= GOAL:
            break
    return _waited(labels.device) - began, right


def _smoothed(smoothing: float) -> Callable[[Tensor, Tensor], Tensor]:
    def loss(output: Tensor, goal: Tensor) -> Tensor:
        return functional.cross_entropy(output, goal, label_smoothing=smoothing)

    return loss
