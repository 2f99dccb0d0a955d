"""Words put out of sight: which, how many, and never by chance alone."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from preceptor.augmentation.words import FIRST, UNKNOWN, WordDropout


def texts(rows: int, length: int, seed: int = 0) -> torch.Tensor:
    """Ids with padding at the end and all that is no word in front."""
    ids = torch.randint(0, 50, (rows, length), generator=torch.Generator().manual_seed(seed))
    ids[:, -2:] = 0
    return ids.int()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 40), st.floats(0, 1), st.permutations(range(6)))
def test_a_text_loses_the_same_words_in_whatever_batch_it_is(seed, epoch, rate, order):
    x, rows, forget = texts(6, 9), torch.tensor([3, 1, 4, 15, 9, 26]), WordDropout(rate, seed)
    together = forget(x, rows, epoch)
    assert torch.equal(forget(x[list(order)], rows[list(order)], epoch), together[list(order)])
    assert torch.equal(forget(x[2:3], rows[2:3], epoch), together[2:3])
    assert together.dtype == x.dtype


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 40), st.floats(0, 1))
def test_only_words_are_hidden_and_all_others_stay(seed, epoch, rate):
    x = texts(8, 12)
    y = WordDropout(rate, seed)(x, torch.arange(8), epoch)
    assert torch.equal(y[x < FIRST], x[x < FIRST])
    assert ((y == x) | (y == UNKNOWN)).all()


def test_the_share_of_hidden_words_is_the_rate():
    x = torch.full((400, 50), 7).int()
    for rate in (0.0, 0.1, 0.3, 1.0):
        share = (WordDropout(rate, 1)(x, torch.arange(400), 3) == UNKNOWN).float().mean()
        assert abs(float(share) - rate) < 0.012


def test_other_epochs_rows_and_seeds_hide_other_words():
    x, rows = torch.full((20, 30), 7).int(), torch.arange(20)
    first = WordDropout(0.5, 0)(x, rows, 0)
    others = (
        WordDropout(0.5, 0)(x, rows, 1),
        WordDropout(0.5, 0)(x, rows + 1, 0),
        WordDropout(0.5, 1)(x, rows, 0),
    )
    for other in others:
        assert 0.4 < (first == other).float().mean() < 0.6


def test_the_texts_given_stay_as_they_are():
    x = texts(5, 8)
    before = x.clone()
    WordDropout(0.9, 0)(x, torch.arange(5), 0)
    assert torch.equal(x, before)
