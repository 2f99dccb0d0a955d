"""The picture encoder and its default net: the laws that every model obeys, and what they promise."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from preceptor.models.pictures import PictureEncoder, PixelScale
from preceptor.models.small_conv import SMALL_CONVS, Block, SmallConv, Whitening
from preceptor.plan import TrainingPlan
from preceptor.training import Training, train

WIDTHS = (6, 8)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(rows: int, channels: int = 3, height: int = 12, width: int = 12, seed: int = 1) -> Tensor:
    """Smooth ones, as real ones are: a pixel resembles its neighbours."""
    coarse = torch.rand(rows, channels, -(-height // 3), -(-width // 3), generator=seeded(seed))
    fine = nn.functional.interpolate(coarse, size=(height, width), mode="bilinear")
    return (255 * fine).round().to(torch.uint8)


def trained(encoder: nn.Module, x: Tensor) -> nn.Module:
    """The encoder once it has remembered, and every parameter and running mean has moved a little."""
    encoder.remember(x)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.01 * torch.randn(parameter.shape, generator=seeded(3)))
        encoder.train()(x)
    return encoder.eval()


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([1, 3]), st.integers(1, 70), st.integers(1, 70), st.lists(st.integers(1, 9), min_size=1)
)
def test_a_picture_of_any_size_becomes_one_finite_vector(
    channels: int, height: int, width: int, widths: list[int]
):
    trunk = SmallConv(channels, max(height, width), widths=tuple(widths), generator=seeded()).eval()
    x = torch.randn(2, channels, height, width, generator=seeded(1))
    trunk.remember(x)
    y = trunk(x)
    assert y.shape == (2, trunk.width)
    assert y.isfinite().all()


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([1, 3]), st.integers(1, 300), st.lists(st.integers(1, 40), min_size=1, max_size=4))
def test_parameters_are_as_many_as_the_formula_says(channels: int, side: int, widths: list[int]):
    trunk = SmallConv(channels, side, widths=tuple(widths))
    found = sum(parameter.numel() for parameter in trunk.parameters())
    assert found == SmallConv.parameter_count(channels, side, widths=tuple(widths))


@settings(max_examples=10, deadline=None)
@given(st.sampled_from([1, 3]), st.integers(8, 70), st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_multiplications_are_as_many_as_the_formula_says(channels: int, side: int, widths: list[int]):
    trunk = SmallConv(channels, side, widths=tuple(widths)).eval()
    with FlopCounterMode(display=False) as counter:
        trunk(torch.zeros(1, channels, side, side))
    assert counter.get_total_flops() == 2 * SmallConv.multiplications(channels, side, widths=tuple(widths))


def test_more_time_or_fewer_pictures_allow_a_wider_net():
    def cost(rows: int, minutes: float) -> int:
        name = PictureEncoder.good_options((1, 28, 28), rows, minutes)["trunk"]
        return list(SMALL_CONVS).index(name)

    assert cost(10**7, 1) == 0
    assert cost(60_000, 5) < cost(60_000, 20) <= len(SMALL_CONVS) - 1
    assert cost(500, 1) == len(SMALL_CONVS) - 1


@pytest.mark.parametrize("trunk", ["small-conv", "lenet"])
def test_the_encoder_counts_its_parameters(trunk: str):
    found = sum(parameter.numel() for parameter in PictureEncoder((1, 20, 28), trunk=trunk).parameters())
    assert found == PictureEncoder.parameter_count((1, 20, 28), trunk=trunk)


def test_whitened_patches_are_uncorrelated_and_equally_strong():
    x = (pictures(200).float() - 128) / 60
    patches = Whitening(channels=3, parts=12, stride=1)
    patches.remember(x)
    parts_PS = patches(x).detach().transpose(0, 1).flatten(1)
    torch.testing.assert_close(parts_PS[12:], -parts_PS[:12])
    parts_PS = parts_PS[:12]
    second = parts_PS @ parts_PS.T / parts_PS.shape[1]
    strength = second.diagonal()
    torch.testing.assert_close(second - strength.diag(), torch.zeros(12, 12), atol=2e-3, rtol=0)
    assert ((strength > 0.5) & (strength <= 1.001)).sum() >= 6
    raw_PS = nn.functional.unfold(x, 2).transpose(0, 1).flatten(1)
    assert torch.corrcoef(raw_PS)[0, 1] > 0.5


def test_the_first_layer_looks_for_the_same_after_training():
    encoder = PictureEncoder((3, 12, 12), generator=seeded())
    encoder.remember(pictures(20))
    before = encoder.trunk.patches.weight.clone()
    plan = TrainingPlan(**PictureEncoder.good_training(20) | {"threads": 1})
    training = Training(encoder, plan, epochs=2, seed=0)
    for _ in train(training, [pictures(20)], torch.randn(20, encoder.width), nn.functional.mse_loss):
        pass
    assert torch.equal(encoder.trunk.patches.weight, before)


def test_a_block_lets_its_inputs_through_from_the_start():
    block, x = Block(4, 6, generator=seeded()), torch.randn(2, 4, 6, 6, generator=seeded(1))
    torch.testing.assert_close(block.first(x)[:, :4], x)


def test_pixels_have_mean_zero_and_variance_one_and_a_constant_channel_is_harmless():
    x = pictures(50)
    x[:, 1] = 9
    scale = PixelScale(3)
    scale.remember(x)
    y = scale(x.float())
    assert y.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(y.mean((0, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(
        y.var((0, 2, 3), unbiased=False), torch.tensor([1.0, 0.0, 1.0]), atol=1e-4, rtol=0
    )


def test_once_trained_a_mirrored_encoder_gives_a_picture_and_its_mirror_image_one_answer():
    x = pictures(8)
    encoder = trained(PictureEncoder((3, 12, 12), mirrored=True, generator=seeded()), x)
    torch.testing.assert_close(encoder(x.flip(3)), encoder(x))
    plain = trained(PictureEncoder((3, 12, 12), generator=seeded()), x)
    assert (plain(x.flip(3)) - plain(x)).abs().max() > 1e-2


@pytest.mark.parametrize("mirrored", [False, True])
def test_once_trained_an_answer_does_not_depend_on_the_other_rows(mirrored: bool):
    x = pictures(8)
    encoder = trained(PictureEncoder((3, 12, 12), mirrored=mirrored, generator=seeded()), x)
    together, alone = encoder(x), torch.cat([encoder(row) for row in x.split(1)])
    torch.testing.assert_close(alone, together, rtol=1e-4, atol=1e-5)


def test_gradients_reach_every_parameter():
    encoder = PictureEncoder((3, 12, 12), generator=seeded()).train()
    encoder.remember(pictures(8))
    encoder(pictures(8)).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in encoder.parameters())


def test_saved_equals_loaded():
    x = pictures(8)
    encoder = trained(PictureEncoder((3, 12, 12), generator=seeded()), x)
    other = PictureEncoder((3, 12, 12), generator=seeded(5)).eval()
    assert not torch.equal(other(x), encoder(x))
    other.load_state_dict(encoder.state_dict())
    assert torch.equal(other(x), encoder(x))


def test_sixteen_bit_products_give_about_the_same_answer_as_float32():
    x = pictures(8)
    encoder = trained(PictureEncoder((3, 12, 12), generator=seeded()), x)
    with torch.autocast("cpu", torch.bfloat16):
        rough = encoder(x)
    assert rough.dtype == torch.float32
    assert (rough - encoder(x)).abs().mean() < 0.05 * encoder(x).abs().mean()


def test_the_plan_for_training_holds_only_fields_of_a_plan():
    for rows in (50, 5_000, 500_000):
        TrainingPlan(**PictureEncoder.good_training(rows))
