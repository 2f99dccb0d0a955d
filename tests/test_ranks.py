"""Several processes train as one does."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from many_ranks import Outcome, a_training, alone, on_ranks

from preceptor.errors import Mistake
from preceptor.plan import TrainingPlan
from preceptor.training.ranks import ALONE, Ranks

Outcomes = dict[str, list[Outcome]]


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    return alone(tmp_path_factory.mktemp("alone"))


@pytest.fixture(scope="module", params=[2, *(pytest.param(n, marks=pytest.mark.slow) for n in (3, 4))])
def several(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    return on_ranks(request.param, tmp_path_factory.mktemp("ranks"))


@pytest.mark.parametrize("case", ["plain", "averaged", "sharded"])
def test_without_dropout_any_number_of_ranks_comes_to_the_same(
    case: str, single: dict[str, Outcome], several: Outcomes
) -> None:
    for name, expected in single[case].items():
        assert torch.allclose(several[case][0][name], expected, atol=1e-5), name


@pytest.mark.parametrize("case", ["plain", "averaged", "noisy", "resumed", "sharded"])
def test_all_ranks_hold_the_same_bits(case: str, several: Outcomes) -> None:
    first, *others = several[case]
    for other in others:
        assert all(torch.equal(first[name], other[name]) for name in first)


def test_noise_is_a_function_of_seed_and_ranks(single: dict[str, Outcome], several: Outcomes) -> None:
    assert torch.equal(several["noisy"][0]["weights"], several["noisy_again"][0]["weights"])
    assert not torch.allclose(several["noisy"][0]["weights"], single["noisy"]["weights"], atol=1e-5)


@pytest.mark.parametrize("case", ["resumed", "sharded_and_resumed", "resharded"])
def test_a_resumed_training_of_several_ranks_ends_with_the_bits_of_the_unbroken_one(
    case: str, several: Outcomes
) -> None:
    for rank in several[case]:
        assert torch.equal(rank["weights"], several["noisy"][0]["weights"])


@pytest.mark.parametrize("case", ["broken", "sharded_and_broken"])
def test_a_broken_number_on_one_rank_ends_the_training_on_all(
    case: str, single: dict[str, Outcome], several: Outcomes
) -> None:
    for outcome in several[case]:
        assert outcome["over"]
        assert torch.equal(outcome["weights"], single["broken"]["weights"])
        assert outcome["losses"].isnan().any()


@settings(max_examples=20)
@given(size=st.integers(1, 6), each=st.integers(2, 5), more=st.integers(0, 5), steps=st.integers(1, 3))
def test_every_row_of_a_mini_batch_goes_to_one_rank(size: int, each: int, more: int, steps: int) -> None:
    batches = torch.randperm(steps * (size * each + more)).view(steps, -1)
    ranks = [Ranks(rank, size) for rank in range(size)]
    shares = [one.share(batches) for one in ranks]
    assert torch.equal(torch.cat(shares, dim=1), batches)
    assert sum(one.weight for one in ranks) == pytest.approx(1)
    assert all(
        one.weight == pytest.approx(s.shape[1] / batches.shape[1])
        for one, s in zip(ranks, shares, strict=True)
    )


def test_too_many_ranks_for_a_mini_batch_are_refused() -> None:
    with pytest.raises(Mistake) as caught:
        Ranks(0, 3).share(torch.arange(5))
    assert caught.value.code == "ranks-beyond-rows"


def test_a_rank_measures_its_own_part_of_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "10000")
    plan = TrainingPlan(batch_size=64)
    part = Ranks(0, 4).part_of(plan)
    assert (part.batch_size, part.threads) == (16, 1)
    assert ALONE.part_of(plan) == plan
    assert ALONE.combining_takes(100) == 0


def test_a_rank_keeps_its_stretch_of_the_memory_and_muon_is_refused_there() -> None:
    ranks = Ranks(1, 3)
    ranks.sharded = True
    training = a_training(ranks)
    numbers = len(training.flat.weights)
    own = training.shards.own
    lines = numbers // 16
    assert (own.start, own.stop) == (16 * (lines // 3), 16 * (2 * lines // 3))
    assert {len(slot) for slot in training.optimiser.state.values()} == {own.stop - own.start}
    with pytest.raises(Mistake) as caught:
        a_training(ranks, optimiser="muon")
    assert caught.value.code == "shard-cuts-matrices"
