"""The law-book: what every kind must obey, built in or brought by another package.

    for law in KIND_LAWS:
        law(Number, training_column, any_other_column)

A law is a function of a kind's class, a column to fit on and another column to meet later. It asserts.
"""

import json
from collections.abc import Callable
from functools import cache

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import strategies as st

from preceptor.data.pictures import cap_for, keep
from preceptor.errors import Mistake
from preceptor.kinds.kind import Kind, Target
from preceptor.kinds.registry import kind_from_state
from preceptor.shapes import Shape

Law = Callable[[type[Kind], pl.Series, pl.Series], None]
BOUND = 3.0
"""No encoding, of whatever value, is further from zero."""


# ------------------------------------------------------------------------------------ laws of every kind


def decode_undoes_encode(kind: type[Kind], column: pl.Series, other: pl.Series) -> None:
    """Training values come back: numbers and times to tolerance, labels exactly, missing as missing."""
    fitted = kind("c").fit(column)
    back = fitted.decode(fitted.encode(column))
    assert len(back) == len(column)
    if not getattr(kind, "lossless", True):
        return
    assert back.dtype == column.dtype
    if column.dtype.is_numeric() and fitted.shape.family == "numbers":
        _numbers_came_back(column, back)
    elif fitted.shape.family == "steps":
        _series_came_back(column, back)
    elif column.dtype.is_temporal():
        assert back.is_null().equals(column.is_null())
        apart, spread = (back - column).dt.total_microseconds().abs().max(), column.drop_nulls()
        span = (spread.max() - spread.min()).total_seconds() * 1e6 if len(spread) else 0
        assert (apart or 0) <= 1.2e-7 * span
    else:
        coded = fitted.shape.family == "codes"  # a rare label may share the code of unseen ones
        assert (back.eq_missing(column) | (back.is_null() & coded)).all(), "a value came back as another"
        often = column.is_duplicated() & column.is_not_null()
        assert back.filter(often).null_count() == 0, "a label seen twice was lost"


def _numbers_came_back(column: pl.Series, back: pl.Series) -> None:
    """Within 1e-6 quartile ranges near the median, as scaling.py states further out."""
    values, found = (np.array(s.cast(pl.Float64).fill_null(np.nan)) for s in (column, back))
    assert (np.isnan(values) == np.isnan(found)).all()
    finite = values[np.isfinite(values) & (np.abs(values) < 1e150)]
    if not len(finite):
        return
    quarter, median, three = np.quantile(finite, [0.25, 0.5, 0.75])
    scale = three - quarter or np.ptp(finite) / 2 or 1.0
    z = (values - median) / scale
    near = np.abs(z) < 1_000
    stated = scale * (5e-7 + 1.3e-7 * (1 + (z[near] / 3) ** 2) ** 1.5) + 1e-12 * np.abs(values[near])
    whole = 0.5 if column.dtype.is_integer() else 1e-150
    assert (np.abs(found - values)[near] <= stated + whole).all()


def _series_came_back(column: pl.Series, back: pl.Series) -> None:
    """To float32's precision, of each value or of the spread of all."""
    assert back.is_null().equals(column.is_null())
    values, found = (rows.drop_nulls().to_numpy() for rows in (column, back))
    assert np.allclose(found, values, rtol=1e-5, atol=1e-5 * np.abs(values).max(initial=0))


def one_equals_a_batch_of_one(kind: type[Kind], column: pl.Series, other: pl.Series) -> None:
    """A row's encoding does not depend on the rows beside it, nor on their order."""
    fitted = kind("c").fit(column)
    for rows in (column, other):
        batch = fitted.encode(rows)
        ones = [fitted.encode(rows.slice(place, 1)) for place in range(len(rows))]
        near = {"rtol": 0, "atol": 1e-5, "equal_nan": True}
        torch.testing.assert_close(torch.cat(ones) if ones else batch, batch, **near)
        torch.testing.assert_close(fitted.encode(rows.gather(range(len(rows))[::-1])).flip(0), batch, **near)


def saved_equals_loaded(kind: type[Kind], column: pl.Series, other: pl.Series) -> None:
    """A kind that went through JSON is the kind that was saved."""
    fitted = kind("c").fit(column)
    text = json.dumps({"kind": kind.name, **fitted.state()}, allow_nan=False)
    loaded = kind_from_state(json.loads(text))
    assert loaded.state() == fitted.state()
    assert loaded.shape == fitted.shape
    for rows in (column, other):
        assert np.array_equal(loaded.encode(rows), fitted.encode(rows), equal_nan=True)
    assert loaded.decode(fitted.encode(column)).equals(fitted.decode(fitted.encode(column)))


def fitting_sees_training_rows_only(kind: type[Kind], column: pl.Series, other: pl.Series) -> None:
    """Rows met later leave no trace, and fitting again forgets the rows before."""
    fitted = kind("c").fit(column)
    before = json.dumps(fitted.state())
    fitted.decode(fitted.encode(other))
    assert json.dumps(fitted.state()) == before
    assert json.dumps(kind("c").fit(other).fit(column).state()) == before


def everything_has_a_fate(kind: type[Kind], column: pl.Series, other: pl.Series) -> None:
    """Whatever arrives, of whatever type, is encoded in the promised shape, finite and in range."""
    fitted = kind("c").fit(column)
    for rows in (column, other, column.clear(), _as_text(column), _all_missing(column)):
        encoded = fitted.encode(rows)
        _as_promised(encoded, len(rows), fitted.shape)


def _as_promised(encoded: torch.Tensor, rows: int, shape: Shape) -> None:
    types = {"codes": torch.int64, "picture": torch.uint8, "tokens": torch.int32}
    assert encoded.dtype == types.get(shape.family, torch.float32)
    if shape.family in ("codes", "tokens"):
        length = shape.sizes[0] if shape.family == "tokens" else 1
        assert encoded.shape == (rows, length)
        assert ((encoded >= 0) & (encoded < shape.sizes[-1])).all()
        return
    assert encoded.shape == (rows, *shape.sizes)
    present = encoded[~encoded.isnan()] if shape.family == "steps" else encoded
    assert torch.isfinite(present).all()
    assert not shape.tabular or (present.abs() <= BOUND).all()


def _as_text(column: pl.Series) -> pl.Series:
    nested = column.dtype.is_nested()
    return pl.Series(column.name, map(str, column.to_list())) if nested else column.cast(pl.String)


def _all_missing(column: pl.Series) -> pl.Series:
    return pl.Series(column.name, [None] * 3, dtype=column.dtype)


KIND_LAWS: list[Law] = [
    decode_undoes_encode,
    one_equals_a_batch_of_one,
    saved_equals_loaded,
    fitting_sees_training_rows_only,
    everything_has_a_fate,
]


# ------------------------------------------------------------------------------------ laws of target kinds


def _answered(kind: type[Kind], column: pl.Series) -> tuple[Target, pl.Series]:
    """The kind fitted on the rows that have an answer."""
    assert issubclass(kind, Target)
    if column.dtype.is_float():
        column = column.filter(column.is_finite().fill_null(False) & (column.abs() < 1e150).fill_null(False))
    column = column.drop_nulls()
    return kind("c").fit(column), column


def a_perfect_prediction_reads_as_the_truth(kind: type[Kind], column: pl.Series, other: pl.Series) -> None:
    """Scores that put everything on the truth are answered with the column itself."""
    fitted, rows = _answered(kind, column)
    if not len(rows):
        return
    truth = fitted.truth(rows)
    scores = np.eye(fitted.outputs)[truth] if truth.dtype.kind == "i" and truth.ndim == 1 else truth
    answers = fitted.answers(scores.astype(np.float64))
    assert len(answers) == len(rows)
    if fitted.task == "number":
        assert answers["c"].to_list() == rows.cast(pl.Float64).to_list()
    else:
        assert answers["c"].equals(rows)


def loss_and_scores_agree(kind: type[Kind], column: pl.Series, other: pl.Series) -> None:
    """The loss is a finite scalar with a gradient, and descending it brings the scores to the truth."""
    fitted, rows = _answered(kind, column)
    if not len(rows) or not fitted.outputs:
        return
    output = torch.zeros(len(rows), fitted.outputs, requires_grad=True)
    goal = fitted.goal(rows)
    loss = fitted.loss(output, goal, smoothing=0.1)
    assert loss.shape == ()
    assert torch.isfinite(loss)
    (slope,) = torch.autograd.grad(fitted.loss(output, goal), output)
    amounts = fitted.task in ("number", "series")
    step = (0.5 if amounts else 20.0) * fitted.outputs
    near = fitted.scores(output - step * len(rows) * slope)
    assert near.dtype == np.float64
    truth = fitted.truth(rows)
    if amounts:
        assert np.allclose(near, truth, rtol=1e-4, atol=1e-5 * max(1.0, truth.std()))
    elif truth.ndim == 1:
        assert (near.argmax(axis=1) == truth).all()
        assert np.allclose(near.sum(axis=1), 1)
    else:
        assert ((near > 0.5) == truth).all()


def chance_is_one_row_of_scores(kind: type[Kind], column: pl.Series, other: pl.Series) -> None:
    """The dumb predictor's scores have the shape of one row's scores, and every metric takes them."""
    fitted, rows = _answered(kind, column)
    if not len(rows) or fitted.outputs < (2 if fitted.task == "two-class" else 1):
        return
    truth = fitted.truth(rows)
    scores = fitted.scores(torch.zeros(len(rows), fitted.outputs))
    chance = fitted.chance(truth)
    assert np.isfinite(chance).all()
    assert chance.shape == scores.shape[1:]
    constant = np.broadcast_to(chance, scores.shape)
    for name, metric in fitted.metrics().items():
        assert metric.name == name
        assert isinstance(metric.function(truth, constant, None), float)


def an_answer_must_be_there(kind: type[Kind], column: pl.Series, other: pl.Series) -> None:
    """A row without an answer is refused, never marked."""
    fitted, rows = _answered(kind, column)
    with pytest.raises(Mistake) as refused:
        fitted.truth(rows.extend_constant(None, 1))
    assert refused.value.code == "answer-missing"


TARGET_LAWS: list[Law] = [
    a_perfect_prediction_reads_as_the_truth,
    loss_and_scores_agree,
    chance_is_one_row_of_scores,
    an_answer_must_be_there,
]


# ------------------------------------------------------------------------------------ columns to judge by

_visible = st.characters(exclude_categories=["C", "Z"], exclude_characters="|;,")
_words = st.text(_visible, min_size=1, max_size=6)


def _column(values: st.SearchStrategy, dtype: pl.DataType, most: int = 12) -> st.SearchStrategy[pl.Series]:
    """Columns of 1 to `most` values, some missing, some constant, some all missing."""
    some = st.lists(st.none() | values, min_size=1, max_size=most)
    same = st.builds(lambda value, rows: [value] * rows, st.none() | values, st.integers(1, most))
    return st.builds(lambda rows: pl.Series("c", rows, dtype=dtype), some | same)


def _repeated(values: st.SearchStrategy, dtype: pl.DataType) -> st.SearchStrategy[pl.Series]:
    """Columns of up to 60 rows over few or many different values."""
    pools = st.lists(values, min_size=1, max_size=40, unique=True)
    return pools.flatmap(lambda pool: _column(st.sampled_from(pool), dtype, most=60))


_numbers = _column(st.floats(), pl.Float64()) | _column(st.integers(-(2**62), 2**62), pl.Int64())
_heavy = _column(st.floats(-3, 3).map(lambda x: 10.0 ** (2 * x)), pl.Float64(), most=60)
_labels = (
    _repeated(st.text(max_size=5), pl.String())
    | _repeated(st.integers(-(2**62), 2**62), pl.Int64())
    | _repeated(st.floats(allow_nan=False), pl.Float64())
    | _column(st.booleans(), pl.Boolean())
)
_cells = st.lists(_words, max_size=4, unique=True).map(lambda tags: "|".join(sorted(tags)))
_values = st.floats(-1e6, 1e6, width=32)
_windows = st.tuples(st.integers(1, 4), st.integers(1, 3)).flatmap(
    lambda shape: _column(
        st.lists(
            st.lists(_values, min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
        ),
        pl.Array(pl.Float64, shape),
        most=6,
    )
)
_times = _column(st.datetimes(), pl.Datetime("us")) | _column(st.dates(), pl.Date())


@cache
def _pictures() -> list[bytes]:
    """Keys of a few pictures: grey and colour, of one pixel, wide, and larger than any kind wants them."""
    rng = np.random.default_rng(0)
    sizes = [(1, 1, 1), (8, 8, 1), (28, 28, 1), (28, 28, 3), (40, 9, 3), (3, 70, 3), (150, 200, 3)]
    made = [rng.integers(0, 256, size, dtype=np.uint8) for size in sizes]
    return [kept.key for kept in keep(made, cap_for(1)) if kept.key]


_looks = st.integers(0, 6).map(lambda place: _pictures()[place])

COLUMNS: dict[str, st.SearchStrategy[pl.Series]] = {
    "number": _numbers | _heavy,
    "category": _labels,
    "tags": _column(_cells, pl.String(), most=30),
    "datetime": _times,
    "series": _windows,
    "text": _column(st.text(max_size=40), pl.String()),
    "image": _column(_looks, pl.Binary()),
}
"""For each kind, columns that it is made for."""

ANY_COLUMN = st.one_of(*COLUMNS.values())
