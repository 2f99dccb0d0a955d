"""Where in a picture a net looked, and what its first layer looks for.

    saliency, grad_cam = looked_at(net.module, encoder, tensors, answer)      # each (B, H, W), 0 to 1
    first_filters(encoder)                                                    # (F, C, k, k), or None

*Saliency* (Simonyan et al., 2014) asks which pixels would change the answer most: the size of its gradient,
averaged over slightly noisy copies of the picture (SmoothGrad, Smilkov et al., 2017). *Grad-CAM* (Selvaraju
et al., 2017) asks which regions argue for the answer: the trunk's last map of features, each feature
weighed by how much the answer would grow with it.

Shapes: B pictures of C channels, height H and width W; F filters of k times k pixels; M members, K outputs.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

COPIES, NOISE = 8, 0.1
"""How many noisy copies are averaged, and their noise as a share of the picture's range (SmoothGrad)."""


@dataclass
class _Watch:
    """What went into an encoder as a picture, and the last map of features that came out of a layer."""

    noise: Generator | None
    picture: Tensor | None = None
    features: Tensor | None = None

    def enter(self, module: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        """Make the first picture of floats a leaf of the graph, noisy if asked for."""
        if self.picture is not None or not given or not _is_map(given[0]):
            return None
        picture = given[0].detach().clone()
        if self.noise is not None:
            spread = NOISE * (picture.amax() - picture.amin())
            picture += spread * torch.randn(picture.shape, generator=self.noise).to(picture.dtype)
        self.picture = picture.requires_grad_()
        return (self.picture, *given[1:])

    def leave(self, module: nn.Module, given: tuple[Tensor, ...], output: object) -> None:
        """Keep the last map that still has a place for things: more than one pixel."""
        if isinstance(output, Tensor) and _is_map(output) and output.requires_grad:
            self.features = output


def _is_map(x: Tensor) -> bool:
    return x.ndim == 4 and x.is_floating_point() and min(x.shape[2:]) > 1


@contextmanager
def _watched(encoder: nn.Module, noise: Generator | None) -> Iterator[_Watch]:
    watch = _Watch(noise)
    layers = [layer for layer in encoder.modules() if not list(layer.children())]
    hooks = [layer.register_forward_pre_hook(watch.enter) for layer in layers]
    hooks += [layer.register_forward_hook(watch.leave) for layer in encoder.modules()]
    try:
        yield watch
    finally:
        for hook in hooks:
            hook.remove()


def looked_at(
    module: nn.Module,
    encoder: nn.Module,
    tensors: Sequence[Tensor],
    answer: Callable[[Tensor], Tensor],
    *,
    seed: int = 0,
) -> tuple[Tensor, Tensor] | None:
    """Saliency and Grad-CAM of a batch, each (B, H, W) float32 from 0 (ignored) to 1 (looked at most).

    `encoder` is the part of `module` that sees the pictures; `answer` takes the net's output (B, M, K) and
    gives the (B,) numbers to be explained. None where no layer of the encoder is handed a picture.
    """
    generator = Generator().manual_seed(seed)
    plain = _gradients(module, encoder, tensors, answer, None)
    if plain is None:
        return None
    saliency = torch.zeros_like(plain[0])
    for _ in range(COPIES):
        noisy = _gradients(module, encoder, tensors, answer, generator)
        saliency += noisy[0] if noisy else 0
    size = (saliency.shape[1], saliency.shape[2])
    grad_cam = functional.interpolate(plain[1][:, None], size=size, mode="bilinear")[:, 0]
    return _scaled(_blurred(saliency)), _scaled(grad_cam)


@torch.enable_grad()
def _gradients(
    module: nn.Module,
    encoder: nn.Module,
    tensors: Sequence[Tensor],
    answer: Callable[[Tensor], Tensor],
    noise: Generator | None,
) -> tuple[Tensor, Tensor] | None:
    """The size of the gradient at each pixel (B, H, W), and Grad-CAM (B, h, w) of the last map."""
    with _watched(encoder, noise) as watch:
        explained = answer(module(*tensors))
    if watch.picture is None or watch.features is None:
        return None
    by_pixel, by_feature = torch.autograd.grad(explained.sum(), [watch.picture, watch.features])
    weight = by_feature.float().mean(dim=(2, 3), keepdim=True)
    grad_cam = (weight * watch.features.detach().float()).sum(dim=1).relu()
    return by_pixel.float().abs().amax(dim=1), grad_cam


def _blurred(x_BHW: Tensor) -> Tensor:
    """A little smoother: single pixels are noise, and eyes see patches."""
    return functional.avg_pool2d(x_BHW[:, None], 3, stride=1, padding=1, count_include_pad=False)[:, 0]


def _scaled(x_BHW: Tensor) -> Tensor:
    """From 0 to 1 in each picture; the strongest hundredth counts as 1."""
    top = x_BHW.flatten(1).quantile(0.99, dim=1)[:, None, None]
    return (x_BHW / top.clamp_min(1e-12)).clamp(0, 1)


def first_filters(encoder: nn.Module) -> Tensor | None:
    """(F, C, k, k): what each filter of the first convolution looks for; None unless it sees colours."""
    for layer in encoder.modules():
        if isinstance(layer, nn.Conv2d):
            seen = layer.in_channels in (1, 3) and min(layer.kernel_size) > 1
            return layer.weight.detach().float() if seen else None
    return None
