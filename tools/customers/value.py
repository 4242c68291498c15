"""What customers will spend: buy-till-you-die models, a two-stage learner, a line through RFM, and their mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tools.customers.features import WEEK, counts, features, outcome, sampled
from tools.customers.lifetime import BetaGeometric, Pareto, fit_beta_geometric, fit_gamma_gamma, fit_pareto
from tools.customers.rfm import rfm_value

Array = NDArray[np.float64]
BLEND = "blend"
RFM = ["recency", "purchases", "spent"]
_LEAST = 60  # customers and returns to learn from
TREES: dict[str, Any] = {
    "n_estimators": 150,
    "learning_rate": 0.04,
    "num_leaves": 15,
    "min_child_samples": 30,
    "subsample": 0.8,
    "subsample_freq": 1,
    "colsample_bytree": 0.8,
    "n_jobs": 1,
    "verbose": -1,
}


@dataclass(frozen=True)
class Values:
    """Money that each customer spends in a time ahead.

    Attributes:
        weeks: The time ahead.
        by_method: `rfm`, `linear`, `bg_nbd`, `pareto_nbd`, `two_stage` and their `blend`; index the customer.
        chosen: The method that a time split chose.
        alive: Chance to be a customer still.
        purchases: Purchases expected.
    """

    weeks: float
    by_method: pd.DataFrame
    chosen: str
    alive: pd.Series[float]
    purchases: pd.Series[float]

    @property
    def expected(self) -> pd.Series[float]:
        """Money expected of each customer by the chosen method."""
        return self.by_method[self.chosen]


def predict_value(
    days: pd.DataFrame, until: pd.Timestamp, weeks: float, since: pd.Timestamp | None = None, seed: int = 0
) -> Values:
    """Money that each customer spends in the `weeks` from `until` on, learned from earlier days alone.

    Learners are trained on a day in the past, far enough back to know what came: the `weeks`, or half of the days
    known where that is less, and then brought to the time asked for. The method is chosen on the stretch before that.

    Args:
        days: As `features.purchase_days` gives them.
        until: First day that is not known.
        weeks: How far ahead.
        since: First day looked at.
        seed: Of the learners.

    Raises:
        ValueError: There are too few customers, or none came again.
    """
    first = since if since is not None else days["day"].min()
    span = (until - first).days / WEEK
    found, alive, purchases = _predict(days, until, weeks, min(weeks, span / 2), since, seed)
    step = min(weeks, span / 3)
    chosen = _choose(sampled(days, seed=seed), until - _ago(step), step, since, seed)
    return Values(weeks, found, chosen, alive, purchases)


def _choose(days: pd.DataFrame, until: pd.Timestamp, weeks: float, since: pd.Timestamp | None, seed: int) -> str:
    """The method to use: the blend, unless another was nearer on the last known stretch, and surely so."""
    try:
        found, _, _ = _predict(days, until, weeks, weeks, since, seed)
    except ValueError:
        return BLEND
    actual = outcome(days, found.index, until, weeks)["spent"].to_numpy()
    rivals = found.drop(columns=["rfm"])
    errors = rivals.sub(actual, axis=0).abs()
    best, order = BLEND, rivals[BLEND].corr(pd.Series(actual, index=found.index), method="spearman")
    for method in rivals.columns.drop(BLEND):
        gain = errors[BLEND] - errors[method]
        same = rivals[method].corr(pd.Series(actual, index=found.index), method="spearman") >= order
        if gain.mean() > 2 * gain.std() / np.sqrt(len(gain)) and same and errors[method].mean() < errors[best].mean():
            best = method
    return best


def _predict(
    days: pd.DataFrame, until: pd.Timestamp, weeks: float, trained: float, since: pd.Timestamp | None, seed: int
) -> tuple[pd.DataFrame, pd.Series[float], pd.Series[float]]:
    now = features(days, until, since)
    back = until - _ago(trained)
    learned = sampled(days[days["day"] < until], seed=seed)
    then = features(learned, back, since)
    later = outcome(learned, then.index, back, trained)["spent"].to_numpy()
    if len(then) < _LEAST or (later > 0).sum() < _LEAST or (later <= 0).sum() == 0:
        raise ValueError(f"{len(then)} customers, {int((later > 0).sum())} of them seen again, are too few")
    seen = counts(now)
    models: dict[str, BetaGeometric | Pareto] = {
        "bg_nbd": fit_beta_geometric(seen, seed),
        "pareto_nbd": fit_pareto(seen, seed),
    }
    bought, basket = now["purchases"].to_numpy(), now["basket"].to_numpy()
    money = fit_gamma_gamma(bought, basket, seed).expected(bought, basket)
    ahead = {name: model.expected(seen, weeks) for name, model in models.items()}
    longer = weeks / trained
    found = {
        "rfm": rfm_value(then, later, now) * longer,
        "linear": line(then, later, now) * longer,
        "two_stage": two_stage(then, later, now, seed) * longer,
        **{name: number * money for name, number in ahead.items()},
    }
    found[BLEND] = blend([found["pareto_nbd"], found["two_stage"], found["linear"]])
    alive = pd.Series(models["pareto_nbd"].alive(seen), index=now.index)
    return pd.DataFrame(found, index=now.index), alive, pd.Series(ahead["pareto_nbd"], index=now.index)


def blend(parts: list[Array]) -> Array:
    """Mean of predictions, all brought to the total of the first and none below zero, (n,).

    The first is Pareto/NBD with Gamma-Gamma: it knows how a base of customers thins out, which a learner trained on
    one stretch of the past does not; learners order customers better.
    """
    level = float(parts[0].sum())
    positive = [np.maximum(part, 0.0) for part in parts]
    return np.asarray(np.mean([part * level / max(float(part.sum()), 1e-12) for part in positive], axis=0))


def line(train: pd.DataFrame, later: Array, now: pd.DataFrame) -> Array:
    """Least squares on recency, purchases and money, (n,): the baseline that everything is held to."""
    from sklearn.linear_model import LinearRegression

    return np.asarray(LinearRegression().fit(train[RFM], later).predict(now[RFM]))


def two_stage(train: pd.DataFrame, later: Array, now: pd.DataFrame, seed: int) -> Array:
    """Whether a customer buys, times how much (log money, smearing of Duan, 1983), both by LightGBM, (n,)."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    bought = later > 0
    whether = LGBMClassifier(**TREES, random_state=seed).fit(train, bought)
    amount = LGBMRegressor(**TREES, random_state=seed).fit(train[bought], np.log(later[bought]))
    smear = float(np.mean(np.exp(np.log(later[bought]) - np.asarray(amount.predict(train[bought])))))
    chance, money = np.asarray(whether.predict_proba(now))[:, 1], np.exp(np.asarray(amount.predict(now)))
    return np.asarray(chance * money * smear)


def _ago(weeks: float) -> pd.Timedelta:
    return pd.Timedelta(days=round(weeks * WEEK))
