"""Rivals on pictures, words and series: the same verbs, classical features, and recipes of their own."""

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import Tensor

from preceptor.problem import Inputs
from preceptor.rivals import RECIPES, Rival, affordable_rows, rivals_for
from preceptor.rivals.book import FAMILIES
from preceptor.rivals.features import PictureFeatures, Projected, StepFeatures, TokenFeatures, reader_for
from preceptor.rivals.gradients import colours, oriented_gradients
from preceptor.rivals.margin import SupportVectors
from preceptor.rivals.ngrams import Ngrams
from preceptor.rivals.words import NaiveBayesLogistic
from preceptor.shapes import Shape

OUTPUTS = {"number": 1, "two-class": 2, "many-class": 3, "tags": 3, "series": 4}
SHAPES = {"picture": (1, 12, 12), "tokens": (10, 40), "steps": (16, 2)}
OWN = [
    (task, family, recipe.name)
    for family, sizes in SHAPES.items()
    for task in OUTPUTS
    for recipe in rivals_for(task, 100, shapes=[Shape(family, sizes)])
    if recipe.reads == family != "steps" and task != "tags"
]


def rows_of(family: str, signal: Tensor, seed: int = 0) -> Tensor:
    """A column (N, ...) of the family in which classes 0, 1 and 2 can be told apart, with noise."""
    random = torch.Generator().manual_seed(seed)
    count, sizes = len(signal), SHAPES[family]
    if family == "picture":
        stripes = torch.stack([torch.sin(torch.arange(12.0) * 2)[None].expand(12, 12)] * 3)
        stripes = torch.stack([stripes[0], stripes[0].T, torch.zeros(12, 12)])
        noise = 20 * torch.randn(count, *sizes, generator=random)
        return (128 + 60 * stripes[signal][:, None] + noise).clamp(0, 255).to(torch.uint8)
    if family == "tokens":
        tokens = torch.randint(10, sizes[1], (count, sizes[0]), generator=random)
        tokens[:, 2] = 1 + signal
        tokens[:, 7] = 1 + signal
        tokens[::3, -2:] = 0
        return tokens.int()
    steps = torch.randn(count, *sizes, generator=random) + 2.0 * signal[:, None, None]
    steps[::4, :5] = torch.nan
    return steps


def alone(column: Tensor) -> Inputs:
    count = len(column)
    return Inputs(torch.empty(count, 0), torch.empty(count, 0, dtype=torch.int64), (column,))


def truth_of(task: str, signal: Tensor) -> np.ndarray:
    classes = signal.numpy()
    if task == "number":
        return 100.0 + 10 * classes
    if task == "series":
        return np.stack([classes * step + 5.0 for step in range(1, 5)], axis=1)
    if task == "tags":
        return np.eye(3, dtype=int)[classes]
    return classes if task == "many-class" else (classes > 0).astype(int)


def signal_of(rows: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 3, (rows,), generator=torch.Generator().manual_seed(seed))


def learnt(task: str, family: str, name: str, rows: int = 150) -> tuple[Rival, Inputs, np.ndarray]:
    signal, new = signal_of(rows), signal_of(60, seed=1)
    recipe = FAMILIES[family].get(name) or RECIPES[name]
    rival = Rival(recipe, task, OUTPUTS[task])
    rival.fit(alone(rows_of(family, signal)), truth_of(task, signal), seed=0)
    return rival, alone(rows_of(family, new, seed=1)), truth_of(task, new)


@pytest.mark.parametrize(("task", "family", "name"), OWN)
def test_a_recipe_made_for_a_family_learns_saves_and_repeats(task, family, name, tmp_path):
    rival, inputs, truth = learnt(task, family, name)
    scores = rival.predict(inputs)
    assert scores.dtype == np.float64
    if task in ("number", "series"):
        assert scores.shape == truth.shape
        assert np.square(scores - truth).mean() < 0.6 * np.square(truth - truth.mean(axis=0)).mean()
    else:
        assert scores.sum(axis=1) == pytest.approx(1)
        assert (scores.argmax(axis=1) == truth).mean() > 0.8
    rival.save(tmp_path / "rival.skops")
    assert np.array_equal(Rival.load(tmp_path / "rival.skops").predict(inputs), scores)
    assert np.array_equal(learnt(task, family, name)[0].predict(inputs), scores)


@pytest.mark.parametrize("family", SHAPES)
@pytest.mark.parametrize("name", ["logistic", "boosting", "forest", "neighbours-l1"])
def test_the_rivals_of_any_table_read_classical_features(family, name, tmp_path):
    signal, new = signal_of(150), signal_of(60, seed=1)
    rival = Rival(RECIPES[name], "many-class", 3)
    rival.fit(alone(rows_of(family, signal)), truth_of("many-class", signal), seed=0)
    inputs = alone(rows_of(family, new, seed=1))
    scores = rival.predict(inputs)
    assert (scores.argmax(axis=1) == new.numpy()).mean() > 0.8
    rival.save(tmp_path / "rival.skops")
    assert np.array_equal(Rival.load(tmp_path / "rival.skops").predict(inputs), scores)


@pytest.mark.parametrize("task", OUTPUTS)
def test_mixed_rows_are_read_whole(task):
    signal = signal_of(150)
    further = tuple(rows_of(family, signal) for family in SHAPES)
    inputs = Inputs(torch.randn(150, 2), torch.randint(0, 4, (150, 1)), further)
    shapes = [Shape(family, sizes) for family, sizes in SHAPES.items()]
    for recipe in rivals_for(task, 150, ["ridge", "logistic", "forest"], shapes, alone=False):
        scores = Rival(recipe, task, OUTPUTS[task]).fit(inputs, truth_of(task, signal), 0).predict(inputs)
        assert len(scores) == 150
        assert np.isfinite(scores).all()


def test_a_tag_each_is_learnt_by_recipes_made_for_a_family_as_well():
    rival, inputs, truth = learnt("tags", "tokens", "nb-svm")
    assert ((rival.predict(inputs) > 0.5) == truth).mean() > 0.9


def test_a_column_alone_meets_its_own_rivals_and_a_table_the_tables():
    def names(*families: str, **options: bool) -> list[str]:
        shapes = [Shape(family, SHAPES[family]) for family in families]
        return [recipe.name for recipe in rivals_for("many-class", 100, shapes=shapes, **options)]

    assert names("picture")[0] == names("tokens")[0] == "dumb"
    assert {"neighbours", "neighbours-l1", "visual-words"} < set(names("picture"))
    assert "nb-svm" in names("tokens")
    assert names("picture", "tokens") == names() == names("picture", alone=False)
    assert {recipe.reads for recipe in rivals_for("number", 100)} == {None}


def test_a_series_is_foretold_by_rivals_that_learn_several_numbers_at_once():
    recipes = rivals_for("series", 100)
    assert all(recipe.jointly for recipe in recipes)
    assert {"dumb", "ridge", "forest"} <= {recipe.name for recipe in recipes}


def test_rows_that_a_recipe_can_afford_are_measured_on_pictures_too():
    signal = signal_of(300)
    inputs, truth = alone(rows_of("picture", signal)), truth_of("many-class", signal)
    recipe = FAMILIES["picture"]["neighbours"]
    assert affordable_rows(recipe, "many-class", 3, inputs, truth, seconds=1e6) == 300
    assert affordable_rows(recipe, "many-class", 3, inputs, truth, seconds=1e-9) == 0


# ---------------------------------------------------------------------------- features


def test_each_family_has_its_reader_and_strangers_are_projected():
    readers = {family: type(reader_for(rows_of(family, signal_of(3)).numpy())) for family in SHAPES}
    assert readers == {"picture": PictureFeatures, "tokens": TokenFeatures, "steps": StepFeatures}
    strange = np.random.default_rng(0).normal(size=(80, 2, 3, 4, 5))
    features = reader_for(strange).fit(strange, seed=0).transform(strange)
    assert type(reader_for(strange)) is Projected
    assert features.shape == (80, 64)
    assert features.std(axis=0) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("family", SHAPES)
def test_features_of_a_row_do_not_hang_on_the_others(family):
    x = rows_of(family, signal_of(60)).numpy()
    reader = reader_for(x).fit(x, seed=0)
    assert reader.transform(x[7:8]) == pytest.approx(reader.transform(x)[7:8], abs=1e-4)
    assert np.isfinite(reader.transform(x)).all()


def test_a_series_that_is_absent_altogether_or_never_varies_has_finite_features():
    x = np.full((20, 6, 2), np.nan, dtype=np.float32)
    x[5:, :, 1] = 3.0
    features = reader_for(x).fit(x, seed=0).transform(x)
    assert np.isfinite(features).all()


def test_colours_are_shares_of_pixels():
    picture = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    picture[:, 1, :2] = 255
    shares = colours(picture).view(3, 8)
    assert shares.sum(1).tolist() == [1, 1, 1]
    assert shares[1].tolist() == [0.5, 0, 0, 0, 0, 0, 0, 0.5]


def test_gradients_point_where_the_picture_rises_and_light_hardly_matters():
    ramp = (torch.arange(28) * 4).to(torch.uint8).expand(1, 1, 28, 28)
    across, down = (oriented_gradients(x, 7)[0, 2, 2].view(9, 4).sum(1) for x in (ramp, ramp.mT))
    assert across.argmax() == 0
    assert down.argmax() in (4, 5)
    brighter = oriented_gradients(ramp + 40, 7)
    assert torch.allclose(brighter, oriented_gradients(ramp, 7), atol=1e-5)
    assert torch.allclose(oriented_gradients(ramp // 2, 7), brighter, atol=0.05)


@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 1, 9), (1, 5, 2), (3, 33, 70), (1, 120, 100)])
def test_pictures_of_any_size_are_read(sizes):
    random = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (12, *sizes), generator=random, dtype=torch.uint8)
    truth = np.arange(12) % 2
    for recipe in rivals_for("two-class", 12, shapes=[Shape("picture", sizes)]):
        scores = Rival(recipe, "two-class", 2).fit(alone(pictures), truth, seed=0).predict(alone(pictures))
        assert np.isfinite(scores).all()


# ---------------------------------------------------------------------------- words


def test_runs_of_tokens_are_found_and_padding_and_strangers_end_them():
    x = np.array([[1, 2, 3, 0], [2, 3, 0, 0], [2, 3, 1, 0]], dtype=np.int32)
    ngrams = Ngrams(2).fit(x)
    assert [len(known) for known in ngrams.known] == [3, 1]  # of the pairs only 2 3 is in two texts
    assert ngrams.transform(x).toarray().tolist() == [[1, 1, 1, 1], [0, 1, 1, 1], [1, 1, 1, 1]]
    strange = np.array([[2, 9, 3, 0], [0, 0, 0, 0], [2, 2, 2, 2]], dtype=np.int32)
    assert ngrams.transform(strange).toarray().tolist() == [[0, 1, 1, 0], [0, 0, 0, 0], [0, 1, 0, 0]]


def test_texts_stay_sparse():
    x = rows_of("tokens", signal_of(50)).numpy()
    counts = Ngrams(3).fit(x).transform(x)
    assert sparse.issparse(counts)
    assert counts.dtype == np.float32
    assert isinstance(
        NaiveBayesLogistic(1.0).fit(counts, signal_of(50).numpy()).predict_proba(counts), np.ndarray
    )


@pytest.mark.parametrize("task", ["two-class", "many-class", "number"])
def test_texts_that_are_all_empty_break_nothing(task):
    empty = torch.zeros(30, 5, dtype=torch.int32)
    truth = truth_of(task, signal_of(30))
    for recipe in rivals_for(task, 30, shapes=[Shape("tokens", (5, 1))]):
        scores = Rival(recipe, task, OUTPUTS[task]).fit(alone(empty), truth, seed=0).predict(alone(empty))
        assert np.isfinite(scores).all()


# ---------------------------------------------------------------------------- support vectors


def test_support_vectors_in_the_primal_are_those_of_scikit_learn():
    from sklearn.svm import LinearSVC

    random = np.random.default_rng(0)
    x = random.normal(size=(200, 5)).astype(np.float32)
    y = np.digitize(x[:, 0] + 0.3 * random.normal(size=200), [-0.5, 0.5])
    theirs = LinearSVC(C=0.1, dual=False, tol=1e-6).fit(x, y)
    ours = SupportVectors(cost=0.1).fit(x, y)
    assert ours.decision_function(x) == pytest.approx(theirs.decision_function(x), abs=0.02)
    two = SupportVectors(cost=0.1).fit(x, y > 0).decision_function(x)
    assert two.shape == (200,)
