"""The k nearest rows by L1 or L2 distance: exact, yet without measuring every pair (textbook C1).

    distances, rows = Nearest(training_rows, norm=1).find(queries, k=10)

Filter and refine (Seidl and Kriegel, "Optimal multi-step k-nearest neighbor search", 1998): a cheap lower
bound of every distance, the true distance of the few rows whose bounds are least, and then of those alone
whose bound does not exceed the k-th of these. What the filter drops is proven farther, so the answer is
that of measuring all pairs, ties going to the row that stands first.

- L1: rows are summed over blocks of neighbouring columns (pixels of a square, steps of a series). For any
  block |Σa - Σb| <= Σ|a - b|: a pyramid of ever finer sums, each asked only about what the coarser left.
- L2: rows are rounded to 256 levels, whose dot products are whole numbers and quick. By the triangle
  inequality rounding moves a distance by no more than the lengths of the two rounding errors; bytes need
  no rounding, and their bound is the distance itself.

Shapes: N rows, Q queries, B queries at a time, D columns, S sums, P rows left for one query.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

CELLS, MEASURED = 1 << 24, 1 << 23
"""How many bounds are held at a time (B x N), and cells of rows that are measured (P x D)."""

AT_ONCE = 1 << 12
"""How many rows are rounded or summed at a time, in numbers eight times as long as bytes."""

MORE = 8
"""How many rows beyond k are measured to learn how far the k-th is at most."""

FEWEST_SUMS = 32
"""The coarsest sums of a row: fewer tell rows apart too badly to be worth asking."""

MOST_COLUMNS = 1 << 15
"""Squared L2 distances of more columns of bytes would not fit 32 bits."""

ROUNDING = torch.finfo(torch.float32).eps


class Nearest:
    """Rows (N, ...) of bytes or float32 that queries are compared with, by L1 or L2 distance.

    The shape of a row tells which columns are neighbours: pictures (N, C, H, W), series (N, T, D).
    At most 32,768 columns.
    """

    def __init__(self, rows: Tensor, norm: int = 2):
        self.rows, self.norm = rows.flatten(1), norm
        assert self.rows.shape[1] <= MOST_COLUMNS, "so many columns overflow the filter's whole numbers"
        self.filter: Filter = Sums(rows) if norm == 1 else Rounded(self.rows)
        # Sums of that many bytes are whole in the 24 bits of a float32; sums of squares may not be.
        whole = norm == 1 and rows.dtype == torch.uint8
        self.exact = torch.float32 if whole else torch.float64

    def find(self, queries: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """Distances (Q, k) float64, ascending, and row numbers (Q, k) int64, of the k nearest rows.

        `k` is at most N. Queries have the rows' shape and type.
        """
        if not len(queries):
            return torch.empty(0, k, dtype=torch.float64), torch.empty(0, k, dtype=torch.int64)
        at_once = max(1, CELLS // len(self.rows))
        found = (pair for some in torch.split(queries, at_once) for pair in self._nearest(some, k))
        distances, numbers = zip(*found, strict=True)
        return torch.stack(distances).double(), torch.stack(numbers)

    def _nearest(self, queries: Tensor, k: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Distances (k,) and row numbers (k,) of one query after the other."""
        flat, bounds_BN = queries.flatten(1).to(self.exact), self.filter.bounds(queries)
        if (lacking_B := self.filter.lacking(queries)) is not None:
            yield from _ranked(bounds_BN, lacking_B, k)
            return
        likely_BM = bounds_BN.topk(min(k + MORE, len(self.rows)), dim=1, largest=False).indices
        measured = [self._measured(query, likely) for query, likely in zip(flat, likely_BM, strict=True)]
        reach_B = torch.stack(measured).kthvalue(k, dim=1).values.double()
        b_, n_ = (bounds_BN <= self.filter.limits(queries, reach_B)[:, None]).nonzero().unbind(1)
        left = torch.split(n_, b_.bincount(minlength=len(flat)).tolist())
        for query, left_P in zip(flat, self.filter.refined(queries, reach_B, left), strict=True):
            ordered = self._measured(query, left_P).sort(stable=True)
            yield ordered.values[:k], left_P[ordered.indices[:k]]

    def _measured(self, query: Tensor, left_P: Tensor) -> Tensor:
        """The true distances (P,) of some rows from a query."""
        parts = torch.split(left_P, max(1, MEASURED // len(query)))
        lengths = [_distances(query, self.rows[part].to(self.exact), self.norm) for part in parts]
        return lengths[0] if len(lengths) == 1 else torch.cat(lengths)


def _ranked(bounds_BN: Tensor, lacking_B: Tensor, k: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Distances (k,) and row numbers (k,) where squared distances are known but for what a query lacks."""
    reach_B = bounds_BN.topk(k, dim=1, largest=False).values.amax(dim=1)
    b_, n_ = (bounds_BN <= reach_B[:, None]).nonzero().unbind(1)
    counts_B, bounds = b_.bincount(minlength=len(bounds_BN)), bounds_BN[b_, n_]
    ordered = bounds.sort(stable=True).indices
    ordered = ordered[b_[ordered].sort(stable=True).indices]
    chosen_Bk = ordered[(counts_B.cumsum(0) - counts_B)[:, None] + torch.arange(k)]
    lengths_Bk = (bounds[chosen_Bk] + lacking_B[:, None]).double().sqrt()
    yield from zip(lengths_Bk, n_[chosen_Bk], strict=True)


def _distances(query: Tensor, rows: Tensor, norm: int) -> Tensor:
    """(P,): from one query (D,) to each row (P, D), gap by gap."""
    return torch.cdist(query[None], rows, norm, "donot_use_mm_for_euclid_dist")[0]


class Filter(ABC):
    """Lower bounds of distances, in units of its own."""

    @abstractmethod
    def bounds(self, queries: Tensor) -> Tensor:
        """(B, N): the less, the nearer the row may lie."""

    def lacking(self, queries: Tensor) -> Tensor | None:
        """(B,): what the bounds lack to be squared distances; None where they are bounds and no more."""
        return None

    @abstractmethod
    def limits(self, queries: Tensor, reach_B: Tensor) -> Tensor:
        """(B,): a row whose bound exceeds it lies beyond the query's reach, a distance."""

    def refined(self, queries: Tensor, reach_B: Tensor, left: Sequence[Tensor]) -> Iterable[Tensor]:
        """Of the rows left for each query, those that finer bounds leave."""
        return left


class Rounded(Filter):
    """Squared L2 distances between rows rounded to 256 levels, less the query's own square."""

    def __init__(self, rows: Tensor):
        self.low, self.step = 0.0, 1.0
        if rows.is_floating_point():
            low, high = rows.aminmax()
            self.low, self.step = float(low), float(high - low) / 255 or 1.0
        levels, lost = zip(*map(self._rounded, torch.split(rows, AT_ONCE)), strict=True)
        self.levels, self.lost = torch.cat(levels), torch.cat(lost).max()
        self.squares = _squares(self.levels)

    def _rounded(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Levels less 128 (N, D) int8, and the lengths (N,) of what rounding took away."""
        if not rows.is_floating_point():
            return (rows ^ 128).view(torch.int8), torch.zeros(len(rows), dtype=torch.float64)
        levels = rows.sub(self.low).div_(self.step).round_().clamp_(0, 255)
        lost = (rows.double() - self.low).sub_(levels, alpha=self.step).square_().sum(1).sqrt_()
        return levels.sub_(128).to(torch.int8), lost

    def bounds(self, queries: Tensor) -> Tensor:
        """(B, N) int32: |n|² - 2 b·n."""
        levels, _ = self._rounded(queries.flatten(1))
        return torch.sub(self.squares, _dots(levels, self.levels), alpha=2)

    def limits(self, queries: Tensor, reach_B: Tensor) -> Tensor:
        """(B,) int32."""
        levels, lost_B = self._rounded(queries.flatten(1))
        reach_B = (reach_B + lost_B + self.lost) * (1 + 1e-9) / self.step
        return (reach_B.square() - _squares(levels)).ceil().clamp(max=2**31 - 1).int()

    def lacking(self, queries: Tensor) -> Tensor | None:
        """(B,) int32: the square of each query of bytes, from which rounding took nothing away."""
        return None if queries.is_floating_point() else _squares(self._rounded(queries.flatten(1))[0])


def _squares(levels: Tensor) -> Tensor:
    """|x|² (N,) int32 of rows of levels."""
    return levels.float().square().sum(1, dtype=torch.float64).int()


EXACT_PRODUCTS = 1 << 10
"""Dot products of so many columns of levels are whole in the 24 bits of a float32."""


def _dots(a: Tensor, b: Tensor) -> Tensor:
    """Dot products (B, N) int32 of rows of levels: in bytes where the machine can, else in float32."""
    in_bytes = torch.backends.mkldnn.is_available()
    if in_bytes and a.shape[1] > 1:  # with one column torch 2.13 mistakes its transpose
        return torch._int_mm(a, b.T)
    parts = zip(torch.split(a, EXACT_PRODUCTS, dim=1), torch.split(b, EXACT_PRODUCTS, dim=1), strict=True)
    return torch.stack([(one.float() @ two.float().T).int() for one, two in parts]).sum(0, dtype=torch.int32)


class Sums(Filter):
    """L1 distances between sums over blocks of columns, the coarsest first."""

    def __init__(self, rows: Tensor):
        self.levels = _pyramid(rows)
        self.longest = rows.flatten(1).abs().sum(1, dtype=torch.float64).max()

    def bounds(self, queries: Tensor) -> Tensor:
        """(B, N) float32."""
        return torch.cdist(_pyramid(queries)[0], self.levels[0], p=1)

    def limits(self, queries: Tensor, reach_B: Tensor) -> Tensor:
        """(B,) float32."""
        return self._limits(_pyramid(queries)[0], reach_B)

    def _limits(self, sums: Tensor, reach_B: Tensor) -> Tensor:
        """Adding S numbers of 24 bits loses at most S roundings of what they add up to."""
        slack = ROUNDING * (sums.shape[1] + 4)
        return (reach_B * (1 + slack) + ROUNDING * (sums.abs().sum(1) + self.longest)).float()

    def refined(self, queries: Tensor, reach_B: Tensor, left: Sequence[Tensor]) -> Iterable[Tensor]:
        """Of the rows left for each query, those that finer sums leave."""
        asked = _pyramid(queries)[1:]
        limits = [self._limits(sums, reach_B) for sums in asked]
        for b, left_P in enumerate(left):
            for asked_BS, limits_B, sums in zip(asked, limits, self.levels[1:], strict=True):
                left_P = left_P[_distances(asked_BS[b], sums[left_P], 1) <= limits_B[b]]
            yield left_P


def _pyramid(rows: Tensor) -> list[Tensor]:
    """Sums (N, S) float32 over ever smaller blocks; where a row is short, its columns as they are."""
    return [torch.cat(level) for level in zip(*map(_levels, torch.split(rows, AT_ONCE)), strict=True)]


def _levels(rows: Tensor) -> list[Tensor]:
    sums, levels = _summed(rows.double()), []
    while sums[0].numel() >= FEWEST_SUMS:
        levels.append(sums.flatten(1).float())
        sums = _summed(sums)
    return levels[::-1] or [rows.flatten(1).float()]


def _summed(rows: Tensor) -> Tensor:
    """Sums of squares of four neighbours, or in a plain row of runs of four; 0 beyond the edge."""
    for axis in (-1, -2) if rows.ndim > 2 else (-1, -1):
        if rows.shape[axis] % 2:
            rows = torch.cat([rows, torch.zeros_like(rows.narrow(axis, 0, 1))], dim=axis)
        rows = torch.unflatten(rows, axis, (-1, 2)).sum(axis)
    return rows
