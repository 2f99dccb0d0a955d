"""Nearest neighbours: the same as measuring every pair, ties and all, on whatever rows there are."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from preceptor.rivals import nearest
from preceptor.rivals.nearest import Nearest
from preceptor.rivals.neighbours import NeighboursOfClasses, NeighboursOfNumbers


def by_measuring_all(rows: Tensor, queries: Tensor, norm: int, k: int) -> tuple[Tensor, Tensor]:
    """Every distance in float64, sorted so that ties go to the row that stands first."""
    gaps = (queries.flatten(1).double()[:, None] - rows.flatten(1).double()).abs()
    lengths = gaps.sum(2) if norm == 1 else gaps.square().sum(2).sqrt()
    ordered = lengths.sort(dim=1, stable=True)
    return ordered.values[:, :k], ordered.indices[:, :k]


def assert_exact(rows: Tensor, queries: Tensor, norm: int, k: int) -> None:
    distances, numbers = Nearest(rows, norm).find(queries, k)
    expected, order = by_measuring_all(rows, queries, norm, k)
    assert torch.equal(numbers, order)
    assert torch.allclose(distances, expected, rtol=1e-12, atol=0)


def smooth(rows: int, *sizes: int, seed: int = 0) -> Tensor:
    """Pictures of blobs, in which neighbouring pixels are alike: bytes."""
    random = torch.Generator().manual_seed(seed)
    coarse = torch.rand(rows, sizes[0], 4, 4, generator=random)
    fine = torch.nn.functional.interpolate(coarse, sizes[1:], mode="bilinear")
    return (240 * fine + 15 * torch.rand(fine.shape, generator=random)).to(torch.uint8)


@pytest.mark.parametrize("norm", [1, 2])
@pytest.mark.parametrize("k", [1, 10, 100])
def test_pictures_in_bytes_have_the_neighbours_that_measuring_all_finds(norm, k):
    rows = smooth(700, 3, 17, 20)
    assert_exact(rows, smooth(40, 3, 17, 20, seed=1), norm, k)
    assert_exact(rows, rows[:40], norm, k)


@pytest.mark.parametrize("norm", [1, 2])
def test_numbers_of_any_scale_have_them_too(norm):
    for scale, shift in ((1, 0), (1e-4, 0), (1e5, 0), (1, 1_000)):
        rows = smooth(400, 1, 28, 28).float() / 255 * scale + shift
        queries = smooth(20, 1, 28, 28, seed=1).float() / 255 * scale + shift
        assert_exact(rows, queries, norm, 7)
        assert_exact(rows.flatten(1), queries.flatten(1), norm, 7)


@settings(max_examples=30, deadline=None)
@given(st.data(), st.sampled_from([1, 2]), st.booleans())
def test_any_rows_with_ties_and_twins_and_outliers(data, norm, bytes_):
    count, width = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 150))
    random = torch.Generator().manual_seed(data.draw(st.integers(0, 1_000)))
    rows = torch.randint(0, data.draw(st.sampled_from([1, 2, 256])), (count, width), generator=random)
    rows = rows.to(torch.uint8)
    if not bytes_:
        rows = torch.randn(count, width, generator=random) * (1 + 999 * (rows == 1)) * rows.bool()
    queries = torch.cat([rows[: count // 2], rows.flip(0)[:5]])
    assert_exact(rows, queries, norm, data.draw(st.integers(1, count)))


@pytest.mark.parametrize("norm", [1, 2])
def test_queries_far_outside_what_the_rows_span_are_answered_exactly(norm):
    rows = torch.randn(300, 40, generator=torch.Generator().manual_seed(0))
    assert_exact(rows, 50 * rows[:10] + 100, norm, 5)


@pytest.mark.parametrize("norm", [1, 2])
def test_rows_come_in_blocks_of_memory_and_the_answer_is_the_same(norm, monkeypatch):
    rows, queries = smooth(300, 1, 28, 28), smooth(50, 1, 28, 28, seed=1)
    whole = Nearest(rows, norm).find(queries, 9)
    monkeypatch.setattr(nearest, "CELLS", 2_000)
    monkeypatch.setattr(nearest, "MEASURED", 5_000)
    monkeypatch.setattr(nearest, "AT_ONCE", 64)
    parts = Nearest(rows, norm).find(queries, 9)
    assert all(map(torch.equal, whole, parts))


def test_machines_without_products_of_bytes_find_the_same(monkeypatch):
    rows, queries = smooth(300, 3, 28, 28), smooth(20, 3, 28, 28, seed=1)
    quick = Nearest(rows, 2).find(queries, 9)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert all(map(torch.equal, quick, Nearest(rows, 2).find(queries, 9)))


@pytest.mark.parametrize("norm", [1, 2])
def test_the_filter_spares_most_measurements(norm, monkeypatch):
    measured = []
    lengths = nearest._distances

    def counted(query: Tensor, rows: Tensor, norm: int) -> Tensor:
        measured.append(rows.numel())
        return lengths(query, rows, norm)

    monkeypatch.setattr(nearest, "_distances", counted)
    rows, queries = smooth(2_000, 1, 28, 28), smooth(20, 1, 28, 28, seed=1)
    Nearest(rows, norm).find(queries, 5)
    assert sum(measured) < 0.1 * len(queries) * rows.numel()


def test_no_queries_have_no_neighbours():
    distances, rows = Nearest(torch.zeros(5, 3)).find(torch.zeros(0, 3), 2)
    assert distances.shape == rows.shape == (0, 2)


@pytest.mark.parametrize(("norm", "metric"), [(1, "manhattan"), (2, "euclidean")])
def test_classes_and_numbers_are_told_as_scikit_learn_tells_them(norm, metric):
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    random = np.random.default_rng(0)
    x, new = random.normal(size=(300, 6)).astype(np.float32), random.normal(size=(50, 6)).astype(np.float32)
    new[:10] = x[:10]
    classes, numbers = random.integers(3, 7, 300), random.normal(size=(300, 2))
    theirs = {"weights": "distance", "metric": metric, "algorithm": "brute"}
    expected = KNeighborsClassifier(5, **theirs).fit(x, classes).predict_proba(new)
    assert NeighboursOfClasses(5, norm).fit(x, classes).predict_proba(new) == pytest.approx(
        expected, abs=1e-4
    )
    expected = KNeighborsRegressor(5, **theirs).fit(x, numbers).predict(new)
    assert NeighboursOfNumbers(5, norm).fit(x, numbers).predict(new) == pytest.approx(expected, abs=1e-4)


@pytest.mark.slow
def test_the_nearest_raw_picture_of_cifar_is_right_about_four_times_in_ten():
    """38.6 % on the original pictures; this copy is compressed as JPEG, and 2,000 queries stand for all."""
    from benchmarks.knn import DATA, cifar

    if not (DATA / "cifar10_jpg").exists():
        pytest.skip("no CIFAR-10 in the folder of real data")
    (rows, classes), (queries, truth) = cifar("train"), cifar("test")
    some = torch.arange(0, len(queries), 5)
    _, numbers = Nearest(rows, norm=1).find(queries[some], 1)
    assert 0.35 < (classes[numbers[:, 0]] == truth[some]).double().mean() < 0.42
