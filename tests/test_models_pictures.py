"""The textbook's architectures for pictures: the laws that each obeys, and the published sizes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn

from preceptor.models.convolution import ConvNorm, Convolution, average_pool, global_mean, max_pool
from preceptor.models.densenet import DenseNet
from preceptor.models.lenet import LeNet
from preceptor.models.resnet import BLOCKS, Padding, Residual, ResNet, basic
from preceptor.models.resnext import ResNeXt
from preceptor.models.trunks import SMALL, TRUNKS
from preceptor.models.vgg import VGG
from preceptor.models.vit import ViT

B, C, SIDE = 3, 3, 12


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


PICTURES = torch.randn(B, C, SIDE, SIDE, generator=seeded(1))

# One of each kind of block, stem and shortcut: (family, arguments of the count, further arguments).
CASES = {
    "lenet": (LeNet, (C, SIDE), {}),
    "lenet-of-three": (LeNet, (C, SIDE), {"maps": (4, 5, 6), "widths": (7,)}),
    "vgg": (VGG, (C, 11), {"first": 4}),
    "vgg-without-norm": (VGG, (C, 16), {"first": 4, "batch_norm": False}),
    "resnet-basic": (ResNet, (C, 20), {}),
    "resnet-projecting": (ResNet, (C, 18), {"small": True}),
    "resnet-bottleneck": (ResNet, (C, 50), {}),
    "plain": (ResNet, (C, 20), {"skips": False}),
    "resnext": (ResNeXt, (C, 50), {"groups": 4, "each": 2, "small": True}),
    "densenet": (DenseNet, (C, 121), {"growth": 4}),
    "densenet-small": (DenseNet, (C, 100), {}),
    "vit": (ViT, (C, SIDE), {"width": 32, "layers": 2}),
}
COUNTLESS = {"vit": {"heads": 4}}


def build(name: str, seed: int = 0) -> nn.Module:
    family, sizes, choices = CASES[name]
    return family(*sizes, **choices, **COUNTLESS.get(name, {}), generator=seeded(seed))


def awake(name: str) -> nn.Module:
    """The trunk in eval mode, once it has seen pictures and every parameter has moved a little."""
    trunk = build(name).train()
    with torch.no_grad():
        for parameter in trunk.parameters():
            parameter.add_(0.01 * torch.randn(parameter.shape, generator=seeded(3)))
        trunk(PICTURES)
    return trunk.eval()


def size_of(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


WIDE = {"resnet-projecting", "resnet-bottleneck"}
LAW = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in WIDE)) for name in CASES]
)


@LAW
def test_every_picture_gets_as_many_features_as_promised(name):
    trunk = build(name)
    assert trunk(PICTURES).shape == (B, trunk.width)


@LAW
def test_pictures_of_a_batch_do_not_see_each_other(name):
    trunk = awake(name)
    with torch.inference_mode():
        together = trunk(PICTURES)
        alone = torch.cat([trunk(picture[None]) for picture in PICTURES])
    assert together.std(dim=0).max() > 0
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-5)


@LAW
def test_gradients_reach_every_parameter(name):
    trunk = build(name).train()
    side = 4 * SIDE  # large enough that the last map is more than the middle of a window
    x = torch.randn(4, C, side, side, generator=seeded(2))
    trunk(x).square().sum().backward()
    unreached = [path for path, parameter in trunk.named_parameters() if not parameter.grad.any()]
    assert not unreached


@LAW
def test_a_saved_trunk_equals_the_loaded_one(name, tmp_path):
    trunk = awake(name)
    save_file(trunk.state_dict(), tmp_path / "trunk.safetensors")
    again = build(name, seed=9).eval()
    again.load_state_dict(load_file(tmp_path / "trunk.safetensors"))
    with torch.inference_mode():
        assert torch.equal(trunk(PICTURES), again(PICTURES))


@LAW
def test_the_parameter_count_equals_its_formula(name):
    family, sizes, choices = CASES[name]
    assert size_of(build(name)) == family.parameter_count(*sizes, **choices)


@LAW
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(name):
    first, second, other = (build(name, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


@LAW
def test_no_picture_is_too_small_nor_of_another_shape(name):
    trunk = awake(name)
    with torch.inference_mode():
        for height, width in [(1, 1), (2, 1), (5, 9), (8, 8), (40, 24)]:
            x = torch.randn(2, C, height, width, generator=seeded(4))
            features = trunk(x)
            assert features.shape == (2, trunk.width)
            assert features.isfinite().all()


@LAW
def test_channels_last_gives_the_same_features(name):
    trunk = awake(name)
    with torch.inference_mode():
        plain = trunk(PICTURES)
        turned = trunk.to(memory_format=torch.channels_last)(
            PICTURES.contiguous(memory_format=torch.channels_last)
        )
    torch.testing.assert_close(plain, turned, rtol=1e-3, atol=1e-4)


@LAW
def test_a_step_in_half_precision_and_channels_last_goes_through(name):
    trunk = build(name).train().to(memory_format=torch.channels_last)
    x = PICTURES.contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        loss = trunk(x).float().square().mean()
    loss.backward()
    assert loss.isfinite()
    assert all(parameter.grad.isfinite().all() for parameter in trunk.parameters())


# ---------------------------------------------------------------- the published sizes


@pytest.mark.parametrize(
    ("family", "sizes", "choices", "published"),
    [
        (ResNet, (3, 50), {}, 23_508_032),
        (ResNet, (3, 18), {}, 11_176_512),
        (ResNet, (3, 34), {}, 21_284_672),
        (ResNet, (3, 101), {}, 42_500_160),
        (ResNet, (3, 152), {}, 58_143_808),
        (ResNet, (3, 20), {}, 269_072),
        (ResNet, (3, 110), {}, 1_727_312),
        (ResNeXt, (3, 50), {}, 22_979_904),
        (ResNeXt, (3, 101), {}, 42_128_704),
        (VGG, (3, 16), {"batch_norm": False}, 14_714_688),
        (VGG, (3, 11), {"batch_norm": False}, 9_220_480),
        (VGG, (3, 19), {"batch_norm": False}, 20_024_384),
        (DenseNet, (3, 121), {}, 6_953_856),
        (DenseNet, (3, 169), {}, 12_484_480),
        (DenseNet, (3, 201), {}, 18_092_928),
        (ViT, (3, 224), {"width": 192}, 5_524_416),
        (ViT, (3, 224), {"width": 768}, 85_798_656),
    ],
)
def test_g12_sizes_without_the_last_layer_are_the_published_ones(family, sizes, choices, published):
    assert family.parameter_count(*sizes, **choices) == published
    with torch.device("meta"):
        assert size_of(family(*sizes, **choices)) == published


def test_g12_resnet_50_without_its_last_layer_has_about_23_million_parameters():
    assert 23e6 <= ResNet.parameter_count(3, 50) < 24e6


def test_lenet_has_the_sizes_of_its_table():
    assert LeNet.parameter_count(1, 28) == 156 + 2_416 + 94_200 + 10_164


# ---------------------------------------------------------------- B1: convolution and pooling


G7 = [[1, 3, 5, 3], [4, 2, 3, 1], [3, 1, 1, 3], [0, 1, 0, 4]]


def test_g7_max_pooling_keeps_the_largest_of_each_window():
    assert max_pool()(torch.tensor([[G7]]).float()).tolist() == [[[[4, 5], [3, 4]]]]


def test_b1_average_pooling_takes_the_mean_of_each_window():
    assert average_pool()(torch.tensor([[G7]]).float()).tolist() == [[[[2.5, 3], [1.25, 2]]]]


def test_b1_pooling_counts_the_incomplete_windows_at_the_edge():
    x = torch.tensor([[[[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]]])
    assert max_pool()(x).tolist() == [[[[5, 6], [8, 9]]]]
    assert average_pool()(x).tolist() == [[[[3, 4.5], [7.5, 9]]]]


def test_b1_a_convolution_is_the_same_weighted_sum_everywhere():
    look = Convolution(1, 1)
    window = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])
    with torch.no_grad():
        look.weight.copy_(window)
        look.bias.fill_(0.5)
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    framed = nn.functional.pad(x, (1, 1, 1, 1))[0, 0]
    by_hand = [(window * framed[r : r + 3, c : c + 3]).sum() + 0.5 for r in range(4) for c in range(4)]
    assert look(x).flatten().tolist() == pytest.approx([float(value) for value in by_hand])


def test_b1_groups_do_not_see_each_other():
    look = Convolution(4, 6, groups=2, generator=seeded())
    x = torch.randn(1, 4, 5, 5, generator=seeded(1))
    changed = x.clone()
    changed[:, 2:] += 1
    same = (look(x) == look(changed)).all(dim=(0, 2, 3))
    assert same.tolist() == [True] * 3 + [False] * 3


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3, 5, 7]), st.integers(1, 3))
def test_b1_a_convolution_divides_height_and_width_rounding_up(height, width, side, stride):
    map_BCHW = Convolution(1, 2, side, stride=stride)(torch.zeros(1, 1, height, width))
    assert map_BCHW.shape == (1, 2, -(-height // stride), -(-width // stride))


def test_batch_normalisation_gives_every_channel_mean_0_and_variance_1():
    map_BCHW = ConvNorm(C, 5, generator=seeded())(PICTURES)
    torch.testing.assert_close(map_BCHW.mean((0, 2, 3)), torch.zeros(5), rtol=0, atol=1e-5)
    torch.testing.assert_close(map_BCHW.var((0, 2, 3), correction=0), torch.ones(5), rtol=0, atol=1e-3)


def test_the_mean_over_the_map_does_not_care_where_a_feature_lies():
    x = torch.zeros(2, 1, 4, 4)
    x[0, 0, 1, 2] = x[1, 0, 3, 0] = 8
    assert global_mean(x).tolist() == [[0.5], [0.5]]


# ---------------------------------------------------------------- what makes each family what it is


def test_a_residual_block_that_learnt_nothing_passes_what_it_was_given():
    block = Residual(basic(4, 4, 4, 1), "projection", 0.0, seeded()).eval()
    x = torch.randn(2, 4, 6, 6, generator=seeded(1)).relu()
    assert torch.equal(block(x), x)
    plain = Residual(basic(4, 4, 4, 1), "none", 0.0, seeded()).eval()
    assert not plain(x).any()


def test_the_shortcut_without_weights_thins_pixels_and_adds_channels_of_zeros():
    x = torch.arange(1.0, 19).reshape(1, 2, 3, 3)
    padded = Padding(2, 2)(x)
    assert padded[0, 0].tolist() == [[1, 3], [7, 9]]
    assert padded[0, 1].tolist() == [[10, 12], [16, 18]]
    assert not padded[0, 2:].any()
    assert padded.shape == (1, 4, 2, 2)


@pytest.mark.parametrize("depth", [20, 56, 110])
def test_the_gradient_finds_the_first_layer_of_a_deep_net_only_with_skips(depth):
    """What a change of the first layer does to the features, before anything is learnt."""
    reached = {}
    for skips in (True, False):
        trunk = ResNet(C, depth, skips=skips, generator=seeded()).eval()
        trunk(PICTURES).square().mean().sqrt().backward()
        reached[skips] = float(trunk.stem[0].look.weight.grad.norm())
    assert reached[True] > 0.01
    assert reached[False] < reached[True]
    if depth == 110:
        assert reached[False] < 1e-3 * reached[True]


@pytest.mark.parametrize("depth", [18, 152, 20, 110])
def test_residual_nets_of_any_depth_keep_the_size_of_their_signal(depth):
    with torch.inference_mode():
        features = ResNet(C, depth, small=True, generator=seeded()).eval()(PICTURES)
    assert 0.05 < features.square().mean().sqrt() < 5


def test_the_name_of_a_net_counts_its_layers():
    """Convolutions on the way, the last layer that a trunk leaves out, no shortcuts."""
    for depth in BLOCKS:
        with torch.device("meta"):
            trunk = ResNet(C, depth, skips=False)
        layers = sum(isinstance(module, nn.Conv2d) for module in trunk.modules())
        assert layers + 1 == depth


def test_the_layers_of_a_dense_block_leave_what_they_read_as_it_was():
    layer = DenseNet(C, 100, generator=seeded()).pieces[0]
    x = torch.randn(1, 24, 4, 4, generator=seeded(1))
    out = layer(x)
    assert torch.equal(out[:, :24], x)
    assert out.shape[1] == 24 + 12


def test_a_vision_transformer_knows_where_a_patch_lay():
    trunk = awake("vit")
    with torch.inference_mode():
        moved = trunk(PICTURES.roll(4, dims=3))
        assert not torch.allclose(moved, trunk(PICTURES), atol=1e-4)


def test_a_vision_transformer_reads_a_padded_picture_as_itself():
    trunk = awake("vit")
    odd = PICTURES[:, :, :11, :11]
    padded = nn.functional.pad(odd, (0, 1, 0, 1))
    with torch.inference_mode():
        assert torch.equal(trunk(odd), trunk(padded))


# ---------------------------------------------------------------- the names


@pytest.mark.parametrize("name", TRUNKS)
def test_every_name_makes_a_trunk_that_reads_grey_pictures(name):
    with torch.device("meta"):
        trunk = TRUNKS[name](1, 28, None)
        assert trunk(torch.zeros(2, 1, 28, 28)).shape == (2, trunk.width)


def test_a_small_picture_keeps_its_pixels_in_the_stem_and_a_large_one_is_thinned():
    makers = {name: TRUNKS[name] for name in ("resnet18", "resnext50", "densenet121")}
    for make in makers.values():
        with torch.device("meta"):
            stems = [make(C, side, None).stem for side in (SMALL, SMALL + 1)]
            sides = [stem(torch.zeros(1, C, 64, 64)).shape[2] for stem in stems]
        assert sides == [64, 16]


def test_a_trunk_learns_to_tell_stripes_from_spots():
    """A few steps of gradient descent on two textures that have the same mean."""
    stripes = torch.tensor([1.0, -1.0]).repeat(6).expand(1, SIDE, SIDE)
    spots = torch.outer(stripes[0, 0], stripes[0, 0])[None]
    noise = torch.randn(16, 1, SIDE, SIDE, generator=seeded(5))
    x = torch.stack([stripes, spots]).repeat(8, 1, 1, 1) + 0.5 * noise
    y = torch.tensor([0, 1]).repeat(8)
    net = nn.Sequential(LeNet(1, SIDE, generator=seeded()), nn.Linear(84, 2))
    optimiser = torch.optim.Adam(net.parameters(), lr=0.003)
    for _ in range(30):
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimiser.step()
    assert loss < 0.1
