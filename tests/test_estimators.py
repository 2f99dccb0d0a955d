import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from preceptor import NeuralClassifier, NeuralRegressor


@parametrize_with_checks([NeuralRegressor(epochs=30), NeuralClassifier(epochs=30)])
def test_the_estimators_pass_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_the_regressor_explains_diabetes_about_as_well_as_anything_does():
    X, y = load_diabetes(return_X_y=True)
    scores = cross_val_score(make_pipeline(StandardScaler(), NeuralRegressor(random_state=0)), X, y, cv=3)
    assert scores.mean() > 0.38


def test_the_classifier_sits_in_a_grid_search_and_names_irises():
    X, y = load_iris(return_X_y=True)
    search = GridSearchCV(NeuralClassifier(epochs=40, random_state=0), {"width": [16, 64]}, cv=3)
    assert search.fit(X, y).best_score_ > 0.9


def test_the_same_random_state_gives_the_same_bits():
    X, y = load_diabetes(return_X_y=True)
    first, second = (NeuralRegressor(epochs=3, random_state=1).fit(X, y).predict(X) for _ in range(2))
    assert np.array_equal(first, second)


def test_one_class_is_refused_by_name():
    with pytest.raises(ValueError, match="one class"):
        NeuralClassifier().fit(np.zeros((9, 2)), np.zeros(9))
