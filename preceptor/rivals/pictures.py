"""The classical rivals for pictures: raw pixels, and hand-made features with support vectors (textbook C13).

    Rival(PICTURES["visual-words"], "many-class", outputs=10).fit(inputs, truth, seed=0)

Visual words: small patches, each brought to the same light and contrast and then decorrelated, are
clustered; a picture is how near its patches lie to each cluster, quarter by quarter (Csurka et al., "Visual
categorization with bags of keypoints", 2004; with the softer counts of Coates, Lee and Ng, 2011).

Shapes: N pictures, C channels, H height, W width, L patches of a picture, F features, V words.
"""

from typing import Any, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from preceptor.rivals.chain import Chain
from preceptor.rivals.features import Standardised
from preceptor.rivals.gradients import colours, oriented_gradients
from preceptor.rivals.margin import SupportVectors
from preceptor.rivals.neighbours import NeighboursOfClasses, NeighboursOfNumbers
from preceptor.rivals.recipes import Estimator, Maker, Recipe, Task

Array = np.ndarray[Any, np.dtype[Any]]

WORDS, PATCH, LEARNT_FROM = 200, 6, 30_000
"""Words of the book, pixels along a patch, patches the book is learnt from."""

MOST_SIDE, POSITIONS, CELLS = 48, 12, 7
"""Pixels along the longer side, patches and gradient cells along the shorter."""

AT_ONCE = 500


def shrunk(x: Array) -> Tensor:
    """Pictures (N, C, H, W) uint8, at most 48 pixels wide and high: whole squares of pixels averaged."""
    pictures = torch.from_numpy(x)
    size = -(-max(pictures.shape[2:]) // MOST_SIDE)
    if size == 1:
        return pictures
    parts = torch.split(pictures, AT_ONCE)
    small = [functional.avg_pool2d(part.float(), size, ceil_mode=True).round() for part in parts]
    return torch.cat(small).to(torch.uint8)


class Shrunk:
    """Pictures small enough to compare pixel by pixel, (N, C, H, W) uint8."""

    def fit(self, x: Array, y: Array | None = None) -> Self:
        """Nothing to learn."""
        return self

    def transform(self, x: Array) -> Array:
        """(N, C, H, W) uint8."""
        return shrunk(x).numpy()


class Pixels(Shrunk):
    """The pixels in a row, within 0..1."""

    def transform(self, x: Array) -> Array:
        """(N, F) float32."""
        return (shrunk(x).flatten(1).float() / 255).numpy()


class VisualWords:
    """Colour histogram, oriented gradients and visual words, standardised."""

    def __init__(self, seed: int):
        self.seed = seed

    def fit(self, x: Array, y: Array | None = None) -> Self:
        """Learn the book of words, and each feature's mean and spread, from training pictures."""
        from sklearn.cluster import MiniBatchKMeans

        random, pictures = np.random.default_rng(self.seed), shrunk(x)
        some = pictures[torch.from_numpy(random.permutation(len(pictures))[:AT_ONCE])]
        patches = _patches(some)[0].flatten(0, 1)
        patches = patches[torch.from_numpy(random.permutation(len(patches))[:LEARNT_FROM])]
        self.whitener = _whitener(patches).numpy()
        book = MiniBatchKMeans(
            min(WORDS, len(patches)), random_state=self.seed, batch_size=4096, n_init=1, max_iter=20
        )
        self.words = book.fit((patches @ torch.from_numpy(self.whitener)).numpy()).cluster_centers_
        self.scale = Standardised().fit(self._features(pictures))
        return self

    def transform(self, x: Array) -> Array:
        """(N, F) float32."""
        return self.scale.transform(self._features(shrunk(x)))

    def _features(self, pictures: Tensor) -> Array:
        gradients = oriented_gradients(pictures, CELLS).flatten(1)
        words = torch.cat([self._spelt(part) for part in torch.split(pictures, AT_ONCE)])
        return torch.cat([colours(pictures), gradients, words], dim=1).numpy()

    def _spelt(self, pictures: Tensor) -> Tensor:
        """(N, 4 V): by how much each word is nearer than words are on average, mean over each quarter."""
        patches, (high, wide) = _patches(pictures)
        points = (patches @ torch.from_numpy(self.whitener)).flatten(0, 1)
        distance = torch.cdist(points, torch.from_numpy(self.words))
        nearness = (distance.mean(1, keepdim=True) - distance).clamp_(min=0)
        grid = nearness.view(len(pictures), high, wide, -1).permute(0, 3, 1, 2)
        return functional.adaptive_avg_pool2d(grid, 2).flatten(1)


def _patches(pictures: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """Patches (N, L, C * 36) of even light and contrast, and how many stand down and across."""
    height, width = pictures.shape[2:]
    side = min(PATCH, height, width)
    step = max(1, (min(height, width) - side) // (POSITIONS - 1))
    patches = functional.unfold(pictures.float() / 255, side, stride=step).transpose(1, 2)
    patches = patches - patches.mean(2, keepdim=True)
    patches = patches / (patches.square().mean(2, keepdim=True) + 0.01).sqrt()
    return patches, ((height - side) // step + 1, (width - side) // step + 1)


def _whitener(patches: Tensor) -> Tensor:
    """What turns patches (P, F) so that their numbers no longer go together (ZCA)."""
    spread, directions = torch.linalg.eigh(patches.T @ patches / len(patches))
    return directions * (spread + 0.1).rsqrt() @ directions.T


def _neighbours(norm: int) -> tuple[Maker, Maker]:
    from functools import partial

    def made(kind: type, task: Task) -> Estimator:
        return Chain(Shrunk(), kind(min(NEIGHBOURS, task.rows), norm))

    return partial(made, NeighboursOfNumbers), partial(made, NeighboursOfClasses)


def _ridge(task: Task) -> Estimator:
    from sklearn.linear_model import Ridge

    return Chain(Pixels(), Ridge(alpha=10.0))


def _softmax(task: Task) -> Estimator:
    from sklearn.linear_model import LogisticRegression

    return Chain(Pixels(), LogisticRegression(C=0.1, max_iter=60))


def _words_of_numbers(task: Task) -> Estimator:
    from sklearn.linear_model import Ridge

    return Chain(VisualWords(task.seed), Ridge(alpha=1000.0))


def _words_of_classes(task: Task) -> Estimator:
    return Chain(VisualWords(task.seed), SupportVectors(cost=1e-3))


NEIGHBOURS = 5

PICTURES = (
    Recipe("ridge", "ridge regression on pixels", _ridge, None, jointly=True, reads="picture"),
    Recipe("logistic", "softmax regression on pixels", None, _softmax, reads="picture"),
    Recipe("neighbours", "nearest neighbours of pixels (L2)", *_neighbours(2), jointly=True, reads="picture"),
    Recipe(
        "neighbours-l1",
        "nearest neighbours of pixels (L1)",
        *_neighbours(1),
        jointly=True,
        reads="picture",
    ),
    Recipe(
        "visual-words",
        "support vectors on gradients and visual words",
        _words_of_numbers,
        _words_of_classes,
        jointly=True,
        reads="picture",
    ),
)
"""The rivals of a single column of pictures."""
