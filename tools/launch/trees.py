"""One gradient-boosted model over all launches: a row per product and week since launch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tools.demand.panel import Array
from tools.launch.evidence import Evidence, launch_windows
from tools.launch.market import Index, Market, log_prices

if TYPE_CHECKING:
    import lightgbm as lgb

FEATURES = ("week", "log_price", "season", "launched", "neighbour", "category", "shelf")
_SETTINGS: dict[str, Any] = {
    "objective": "l1",
    "n_estimators": 120,
    "learning_rate": 0.06,
    "num_leaves": 15,
    "min_child_samples": 40,
    "subsample": 0.8,
    "subsample_freq": 1,
    "colsample_bytree": 0.5,
    "reg_lambda": 5.0,
    "random_state": 0,
    "verbose": -1,
}
_LEAST_ROWS = 200


@dataclass(frozen=True)
class Trees:
    """A fitted model, and the categories whose places its features hold."""

    model: lgb.LGBMRegressor
    categories: NDArray[np.str_]

    def predict(
        self, market: Market, rows: Index, evidence: Evidence, signal: Array, launched: Index | None = None
    ) -> Array:
        """Median units by week (M, H) of launches `rows`, each in its own period of launch, or in `launched` (M,)."""
        made = np.asarray(self.model.predict(_frame(market, rows, evidence, signal, self.categories, launched)))
        return made.reshape(len(rows), -1).clip(min=0)

    def contributions(self, market: Market, row: int, evidence: Evidence, signal: Array) -> dict[str, float]:
        """What each feature adds to the units over the horizon of one launch, and "base" (exact: TreeSHAP).

        They add up to the sum of the predictions before those below zero are lifted to it.
        """
        frame = _frame(market, np.array([row]), evidence, signal, self.categories)
        parts = np.asarray(self.model.predict(frame, pred_contrib=True)).sum(axis=0)
        names = [*frame.columns, "base"]
        return dict(zip(names, map(float, parts), strict=True))


def fit_trees(market: Market, evidence: Evidence, signal: Array, jobs: int = 1) -> Trees | None:
    """LightGBM on the absolute error of weekly units, from whole launches and from the weeks seen of unfinished ones.

    Units above the 99.5th percentile count as that: one order must not become a rule. None with too little to learn.
    """
    import lightgbm as lgb

    windows = launch_windows(market, evidence.rows, len(evidence.curve))
    seen = np.isfinite(windows)
    if seen.sum() < _LEAST_ROWS:
        return None
    categories = np.unique(market.frame["category"].to_numpy(dtype=str))
    x = _frame(market, evidence.rows, evidence, signal, categories)[seen.ravel()]
    y = windows[seen]
    model = lgb.LGBMRegressor(n_jobs=jobs, **_SETTINGS).fit(x, np.minimum(y, np.quantile(y, 0.995)))
    return Trees(model, categories)


def _frame(
    market: Market,
    rows: Index,
    evidence: Evidence,
    signal: Array,
    categories: NDArray[np.str_],
    launched: Index | None = None,
) -> pd.DataFrame:
    horizon = len(evidence.curve)
    begins = market.launched[rows] if launched is None else launched
    launched = np.where(begins < 0, market.panel.units.shape[1], begins)
    own = market.frame["category"].to_numpy(dtype=str)[rows]
    at = np.searchsorted(categories, own).clip(max=len(categories) - 1)
    category = np.where(categories[at] == own, at, np.nan)  # one never seen is missing, not another
    columns = {
        "week": np.tile(np.arange(horizon), len(rows)),
        "log_price": np.repeat(log_prices(market)[rows], horizon),
        "season": evidence.season[launched[:, None] + np.arange(horizon)].ravel(),
        "launched": np.repeat(np.minimum(launched, market.panel.units.shape[1]), horizon),
        "neighbour": np.repeat(market.place[rows], horizon),
        "category": np.repeat(category, horizon),
        "shelf": np.repeat(signal, horizon),
    }
    topics = market.topics[rows]
    columns |= {f"topic_{i}": np.repeat(topics[:, i], horizon) for i in range(topics.shape[1])}
    return pd.DataFrame(columns)
