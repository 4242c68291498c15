"""One gradient-boosted model over all launches: a row per product and week since launch."""

from __future__ import annotations

from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.decomposition import TruncatedSVD

from tools.demand.panel import Array
from tools.launch.evidence import Evidence, launch_windows, log_prices, shelf_signal
from tools.launch.market import Index, Market

TOPICS = 12
FEATURES = ("week", "log_price", "season", "launched", "neighbour", "category", "shelf")
_SETTINGS: dict[str, Any] = {
    "n_estimators": 150,
    "learning_rate": 0.05,
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


def launch_trees(market: Market, rows: Index, evidence: Evidence, jobs: int = 1) -> Array | None:
    """Median units by week (M, H) of launches planned for the first unknown period; None with too little to learn.

    LightGBM on the absolute error of weekly units, from whole launches and from the weeks seen of unfinished ones.
    Units above the 99.5th percentile count as that: one order must not become a rule.
    """
    horizon = len(evidence.curve)
    windows = launch_windows(market, evidence.rows, horizon)
    seen = np.isfinite(windows)
    if seen.sum() < _LEAST_ROWS:
        return None
    both = np.concatenate([evidence.rows, rows])
    shelf, topics = shelf_signal(market, both, evidence), _topics(market, both)
    learn = len(evidence.rows)
    x = _frame(market, both, evidence, shelf, topics)
    first = x.iloc[: learn * horizon][seen.ravel()]
    y = windows[seen]
    model = lgb.LGBMRegressor(objective="l1", n_jobs=jobs, **_SETTINGS)
    model.fit(first, np.minimum(y, np.quantile(y, 0.995)))
    new = x.iloc[learn * horizon :]
    return np.asarray(model.predict(new)).reshape(len(rows), horizon).clip(min=0)


def _frame(market: Market, rows: Index, evidence: Evidence, shelf: Array, topics: Array) -> pd.DataFrame:
    horizon, known = len(evidence.curve), market.panel.units.shape[1]
    launched = np.where(market.launched[rows] < 0, known, np.minimum(market.launched[rows], known))
    place = np.argsort(np.argsort(market.frame["sku"].to_numpy(dtype=str), kind="stable"))[rows]
    category = pd.factorize(market.frame["category"])[0][rows]
    columns = {
        "week": np.tile(np.arange(horizon), len(rows)),
        "log_price": np.repeat(log_prices(market)[rows], horizon),
        "season": evidence.season[launched[:, None] + np.arange(horizon)].ravel(),
        "launched": np.repeat(launched, horizon),
        "neighbour": np.repeat(place, horizon),
        "category": np.repeat(category, horizon),
        "shelf": np.repeat(shelf, horizon),
    }
    columns |= {f"topic_{i}": np.repeat(topics[:, i], horizon) for i in range(topics.shape[1])}
    return pd.DataFrame(columns)


def _topics(market: Market, rows: Index) -> Array:
    vectors = market.words if market.meanings is None else market.meanings
    count = min(TOPICS, vectors.shape[1] - 1, vectors.shape[0] - 1)
    if count < 1:
        return np.zeros((len(rows), 0))
    reduced = TruncatedSVD(count, random_state=0).fit(vectors[:5000])
    return np.asarray(reduced.transform(vectors[rows]))
