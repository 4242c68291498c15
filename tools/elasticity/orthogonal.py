"""A second opinion on the shop's elasticity by double machine learning (Chernozhukov et al., 2018)."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tools.elasticity.estimate import Second
from tools.elasticity.fit import Fitted
from tools.elasticity.observations import Observations
from tools.elasticity.within import Array

_LEAST = 2_000  # rows below which boosted nuisances learn noise
_MOST = 40_000
_FOLDS = 3


def second_opinion(data: Observations, fitted: Fitted, seed: int = 0) -> Second | None:
    """The common elasticity by econml's LinearDML beside the regression's; None for small panels.

    Units and price have product and week effects taken out at the Poisson weights, then LightGBM learns from the
    controls, the past surprises and the season what else moved either; what is left of demand is regressed on what is
    left of price. Where it disagrees with the regression, something non-linear set the prices.
    """
    moved, left, mean = fitted.response
    if len(moved) < _LEAST:
        return None
    from econml.dml import LinearDML
    from lightgbm import LGBMRegressor

    base = np.array([each.value for each in fitted.products])[data.product]
    rows = np.random.default_rng(seed).permutation(len(moved))[:_MOST]
    settings: dict[str, Any] = {"n_estimators": 80, "num_leaves": 15, "learning_rate": 0.08, "n_jobs": 1}
    settings |= {"min_child_samples": 60, "random_state": seed, "verbose": -1}
    model = LinearDML(
        model_y=LGBMRegressor(**settings), model_t=LGBMRegressor(**settings), cv=_FOLDS, random_state=seed
    )
    weight = mean[rows] / mean[rows].mean()
    with warnings.catch_warnings():
        # sklearn and econml warn about feature names and array shapes that are theirs to settle.
        warnings.simplefilter("ignore")
        model.fit(
            (left + base * moved)[rows],
            moved[rows],
            W=_known(data, fitted)[rows],
            sample_weight=weight,
            groups=data.series[rows],
        )
        result = model.intercept__inference()
    return Second(float(np.ravel(result.point_estimate)[0]), float(np.ravel(result.stderr)[0]), *fitted.common)


def _known(data: Observations, fitted: Fitted) -> Array:
    """What the shop could see when it set the price (n, k)."""
    season = 2 * np.pi * data.period / 52.18
    return np.column_stack([data.controls, fitted.past, np.sin(season), np.cos(season), np.log(fitted.response[2])])
