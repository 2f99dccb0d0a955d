"""How much each hyper-parameter mattered, by PED-ANOVA (Watanabe et al., 2023).

    importances(book)                            # {"training.learning_rate": 0.71, "net.width": 0.2, ...}

It compares where the best trials lie with where all lie: a hyper-parameter that the best agree on matters.
All trials are compared at the first rung, since that is the one that all of them have come to.
"""

import math
from collections.abc import Mapping
from typing import Any

from preceptor.search.asking import distributions
from preceptor.search.book import Book

FEWEST = 12
"""Trials that are needed for the best of them to be a group."""
BEST = 0.25
"""The share of the trials that count as the best."""


def importances(book: Book) -> dict[str, float]:
    """Shares of one, the greatest first; empty where there were too few trials or all were as good."""
    import optuna

    sign = -1.0 if book.higher_is_better else 1.0
    among: Mapping[str, Any] = distributions(book.space)
    study = optuna.create_study()
    for trial in book.trials():
        score = trial.scores[min(trial.scores)] if trial.scores else math.nan
        if trial.end != "running" and not math.isnan(score):
            study.add_trial(
                optuna.create_trial(params=trial.setting, distributions=dict(among), value=sign * score)
            )
    values = [trial.value for trial in study.get_trials(deepcopy=False)]
    if len(values) < FEWEST or len(set(values)) == 1:
        return {}
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=BEST)
    return {name: round(share, 4) for name, share in _shares(study, evaluator).items()}


def _shares(study: Any, evaluator: Any) -> dict[str, float]:
    import optuna

    return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))
