"""Who is about to be lost: a definition for shops without contracts, four models, and the reasons for each customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from tools.customers.features import FEATURES, WEEK, features, outcome, sampled
from tools.customers.odds import BOTH, Odds, chance, fit_odds, log_loss, surely_best

Array = NDArray[np.float64]
_LEAST = 60  # customers lost and customers kept, to learn from
_SHARE = 0.8  # of the returns that come at all
_SHORTEST, _LONGEST = 4, 26  # weeks
_SURE = 1e-6
BLEND = "blend"
_COX_MOST = 5_000  # customers that the hazard is fitted on
_COX = ("recency", "age", "purchases", "spent", "recent_purchases", "overdue")


@dataclass(frozen=True)
class Churn:
    """Chance of each customer not to buy in the `weeks` ahead.

    Attributes:
        weeks: The time without a purchase that counts as lost.
        by_method: Chances by `logistic`, `lightgbm`, `cox` and their `blend`, the mean in the log odds; index the
            customer.
        chosen: The method that a time split chose.
        terms: What each feature adds to the log odds of being lost, and the `base`: exact for the two learners' mean.
        known: The features themselves.
    """

    weeks: int
    by_method: pd.DataFrame
    chosen: str
    terms: pd.DataFrame
    known: pd.DataFrame

    @property
    def risk(self) -> pd.Series[float]:
        """Chance to be lost by the chosen method."""
        return self.by_method[self.chosen]


def lost_after(days: pd.DataFrame, until: pd.Timestamp) -> int:
    """Weeks without a purchase after which a customer counts as lost: four in five of all returns come earlier.

    Kaplan and Meier's (1958) curve of the time to the next purchase, where the gap still open is cut off, not a return.
    The weeks lie between four and twenty-six, and at most a third of the days known.

    Raises:
        ValueError: Nobody came again.
    """
    from lifelines import KaplanMeierFitter

    past = days[days["day"] < until]
    following = past.groupby("customer")["day"].shift(-1)
    came = following.notna()
    if not came.any():
        raise ValueError("nobody bought twice")
    wait = (following.fillna(until) - past["day"]).dt.days / WEEK
    curve = KaplanMeierFitter().fit(wait, came).survival_function_.iloc[:, 0]
    goal = 1 - _SHARE * (1 - float(curve.iloc[-1]))
    weeks = int(np.ceil(float(curve.index[(curve <= goal + 1e-9).to_numpy()][0])))
    third = int((until - past["day"].min()).days / WEEK / 3)
    return int(np.clip(weeks, _SHORTEST, max(min(_LONGEST, third), _SHORTEST)))


def predict_lost(
    days: pd.DataFrame, until: pd.Timestamp, weeks: int, since: pd.Timestamp | None = None, seed: int = 0
) -> Churn:
    """Chance of each customer not to buy in the `weeks` from `until` on, learned from earlier days alone.

    Args:
        days: As `features.purchase_days` gives them.
        until: First day that is not known.
        weeks: The time without a purchase that counts as lost.
        since: First day looked at.
        seed: Of the learners.

    Raises:
        ValueError: Too few customers were lost, or kept, to learn from.
    """
    first = since if since is not None else days["day"].min()
    span = (until - first).days / WEEK
    trained = min(weeks, span / 2)
    learned = sampled(days, seed=seed)
    models, hazard = _learn(learned, until, trained, since, seed)
    now = features(days, until, since)
    found = _apply(models, hazard, now, weeks)
    step = min(weeks, span / 3)
    chosen = _choose(learned, until - _ago(step), step, since, seed)
    terms = pd.DataFrame(models[BOTH].terms(now), index=now.index, columns=[*FEATURES, "base"])
    return Churn(weeks, found, chosen, terms, now)


def _learn(
    days: pd.DataFrame, until: pd.Timestamp, weeks: float, since: pd.Timestamp | None, seed: int
) -> tuple[dict[str, Odds], Any]:
    back = until - _ago(weeks)
    then = features(days, back, since)
    known = days[days["day"] < until]
    lost = outcome(known, then.index, back, weeks)["purchases"].to_numpy() == 0
    if min(lost.sum(), (~lost).sum()) < _LEAST:
        raise ValueError(f"{int(lost.sum())} of {len(lost)} customers lost are too few, or too many, to learn from")
    return fit_odds(then, lost, seed), _hazard(known, then, back, until, seed)


def _apply(models: dict[str, Odds], hazard: Any, now: pd.DataFrame, weeks: float) -> pd.DataFrame:
    curve = hazard.predict_survival_function(_covariates(now), times=[weeks]).to_numpy()[0]
    found = {**{name: chance(models[name], now) for name in ("logistic", "lightgbm")}, "cox": curve}
    odds = [logit(np.clip(each, _SURE, 1 - _SURE)) for each in found.values()]
    return pd.DataFrame({**found, BLEND: expit(np.mean(odds, axis=0))}, index=now.index)


def _choose(days: pd.DataFrame, until: pd.Timestamp, weeks: float, since: pd.Timestamp | None, seed: int) -> str:
    """The method to use: the blend, unless another was surely better by log loss on known weeks, and ranked as well.

    Log loss alone would choose what fits the level of that stretch, which drifts; a list of customers needs the order.
    """
    from scipy.stats import rankdata

    try:
        models, hazard = _learn(days, until, weeks, since, seed)
    except ValueError:
        return BLEND
    found = _apply(models, hazard, features(days, until, since), weeks)
    lost = outcome(days, found.index, until, weeks)["purchases"].to_numpy() == 0
    ranked = {name: float(rankdata(found[name])[lost].sum()) for name in found}
    able = [str(name) for name in found if ranked[name] >= ranked[BLEND]]
    return surely_best({name: log_loss(found[name].to_numpy(), lost) for name in able}, BLEND)


def _hazard(days: pd.DataFrame, then: pd.DataFrame, back: pd.Timestamp, until: pd.Timestamp, seed: int) -> Any:
    """Cox's (1972) proportional hazard of the next purchase after `back`, cut off at `until`."""
    from lifelines import CoxPHFitter

    following = days[days["day"] >= back].groupby("customer")["day"].min().reindex(then.index)
    frame = _covariates(then)
    frame["wait"] = (following.fillna(until) - back).dt.days / WEEK + 1 / WEEK
    frame["came"] = following.notna()
    if len(frame) > _COX_MOST:
        frame = frame.sample(_COX_MOST, random_state=seed)
    return CoxPHFitter(penalizer=0.1).fit(frame, "wait", "came")


def _covariates(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[list(_COX)].clip(lower=0.0).apply(np.log1p)


def _ago(weeks: float) -> pd.Timedelta:
    return pd.Timedelta(days=round(weeks * WEEK))
