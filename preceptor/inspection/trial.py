"""A quick trial: does it matter which rows are kept apart from the training rows?

A small forest answers the same rows twice: once fitted on rows of other parties only (other groups, or the
past), once on as many rows drawn by lot. Where the first error is the larger, a split by lot flatters.
"""

import numpy as np
import polars as pl

from preceptor.inspection.roles import Roles
from preceptor.inspection.sampling import as_numbers, thinned

ROWS, CELLS, PARTIES = 8_000, 400_000, 40


def flattery(frame: pl.DataFrame, roles: Roles, party: pl.Series, *, ordered: bool) -> float:
    """How many times larger the error is when whole parties are kept apart; 1.0 where nothing can be told.

    `party` (N,) names each row's party. `ordered` keeps the last quarter of the rows apart, as the future;
    otherwise each half of the parties takes its turn, and their name is no input.
    """
    names = [name for name in roles.inputs if ordered or name != party.name]
    if not names:
        return 1.0
    sample = frame.select(roles.target, *names).with_columns(party.rank("dense").alias("")).drop_nulls("")
    rows = min(ROWS, CELLS // len(names))
    sample = thinned(sample if ordered else _some_parties(sample, rows), rows)
    inputs = np.column_stack([as_numbers(sample[name]) for name in names])
    answers = yardstick(sample[roles.target], number=roles.asks_number)
    rng = np.random.default_rng(0)
    turns = _turns(sample[""].to_numpy(), rng, ordered=ordered)
    errors = [_errors(inputs, answers, away, rng) for away in turns if 1 < away.sum() < len(away) - 1]
    apart, by_lot = np.sum(errors, axis=0) if errors else (0.0, 0.0)
    return float(np.sqrt(apart / by_lot)) if by_lot > 0 else 1.0


def yardstick(answers: pl.Series, *, number: bool) -> np.ndarray:
    """(N,) floats from 0 to 1: a number's rank, which no outlier sways; 1 where a class is the commonest."""
    if number:
        return answers.cast(pl.Float64).rank().to_numpy() / len(answers)
    return (answers == answers.mode().sort()[0]).fill_null(False).cast(pl.Float64).to_numpy()


def _some_parties(frame: pl.DataFrame, rows: int) -> pl.DataFrame:
    """Whole parties, about `rows` rows of them but no fewer than `PARTIES`."""
    parties = frame[""].unique().sort()
    wanted = max(PARTIES, rows * len(parties) // frame.height)
    drawn = thinned(parties.to_frame(), wanted)
    return frame.join(drawn, on="", how="semi", maintain_order="left")


def _turns(party: np.ndarray, rng: np.random.Generator, *, ordered: bool) -> list[np.ndarray]:
    """(N,) booleans a turn: the rows kept apart."""
    if ordered:
        return [party > np.quantile(party, 0.75)]
    numbers = np.unique(party, return_inverse=True)[1]
    half = rng.permutation(numbers.max(initial=0) + 1)[numbers] % 2 == 0
    return [half, ~half]


def _errors(
    inputs: np.ndarray, answers: np.ndarray, away: np.ndarray, rng: np.random.Generator
) -> tuple[float, float]:
    """Squared errors on the rows kept `away`, told by the others, and told by rows drawn from all."""
    others, tested = np.flatnonzero(~away), rng.permutation(np.flatnonzero(away))
    apart, by_lot = _told(inputs, answers, others, tested), np.empty(len(tested))
    for half in np.array_split(np.arange(len(tested)), 2):
        mixed = rng.permutation(np.setdiff1d(np.arange(len(away)), tested[half]))[: len(others)]
        by_lot[half] = _told(inputs, answers, mixed, tested[half])
    return float(((apart - answers[tested]) ** 2).sum()), float(((by_lot - answers[tested]) ** 2).sum())


def _told(inputs: np.ndarray, answers: np.ndarray, learnt: np.ndarray, tested: np.ndarray) -> np.ndarray:
    from sklearn.ensemble import ExtraTreesRegressor  # whoever only predicts does without

    forest = ExtraTreesRegressor(30, max_features=0.5, min_samples_leaf=2, random_state=0)
    return forest.fit(inputs[learnt], answers[learnt]).predict(inputs[tested])
