"""What a shop's sales teach about forecasting them: the contest per class and the global models, once per state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import func, select

from shop import Shop
from shop import schema as t
from shop.learned import Codec
from tools.demand.contest import Contest, run_contest
from tools.demand.intervals import Scores
from tools.demand.read import ShopPanel
from tools.demand.series import CLASSES
from tools.demand.trees import KINDS, Index, Learned, fit_trees

HORIZONS = (12, 26, 52)  # learned for; a shorter horizon is the beginning of the next one
_TRIED = 80  # series that the contest looks at
_SMALL = 12  # series up to which the slow members join the contest


@dataclass(frozen=True)
class Methods:
    """How a shop's products are forecast.

    Attributes:
        horizon: Weeks ahead it was learned for.
        contest: Weights, errors and intervals by class of series.
        models: Fitted trees; None where there was too little to learn from.
        categories: Categories by code, as the models know them.
        tried: Series that the contest was held on.
    """

    horizon: int
    contest: Contest
    models: Mapping[str, Learned | None]
    categories: tuple[str, ...]
    tried: int

    def groups(self, frame: pd.DataFrame) -> Index:
        """Category codes of products (N,); -1 for a category that was not there."""
        return pd.Index(self.categories).get_indexer(pd.Index(frame["category"].astype(str))).astype(np.int64)


def methods_of(shop: Shop, data: ShopPanel, weeks: int) -> Methods:
    """What the shop's sales as they stand teach for a horizon of up to 52 weeks; learned on the first question.

    Learning takes seconds and is the same for every product, so it is kept by `shop.learned`; what is left for a single
    product is to run the members on its own series. It is not done by the import, which is one quick transaction on the
    floor below and must not wait for models; `./debut feedback`, run after an import, learns it beforehand.
    """
    horizon = next(h for h in HORIZONS if weeks <= h)
    return shop.learned(f"demand-{horizon}", lambda: moved(learn_methods(data, horizon), logged_weights(shop)), CODEC)


def logged_weights(shop: Shop) -> dict[str, dict[str, float]]:
    """Weights by class and method after the last week that was taken in; empty where none was in the last quarter."""
    e = t.forecast_errors
    recent = e.c.week.between(shop.cutoff - timedelta(weeks=13), shop.cutoff)
    last = select(func.max(e.c.week)).where(recent).scalar_subquery()
    found: dict[str, dict[str, float]] = {}
    with shop.engine.connect() as connection:
        for kind, method, weight in connection.execute(
            select(e.c.kind, e.c.method, e.c.weight_after).where(e.c.week == last)
        ):
            found.setdefault(kind, {})[method] = weight
    return found


def moved(methods: Methods, logged: Mapping[str, Mapping[str, float]]) -> Methods:
    """The contest's weights, halfway to those that the logged errors ask for.

    The contest sees a sample at a few origins, the log every series on the latest weeks; neither alone is trusted.
    """
    contest, weights = methods.contest, methods.contest.weights.copy()
    for number, kind in enumerate(CLASSES):
        asked = np.array([logged.get(kind, {}).get(name, 0.0) for name in contest.members])
        # Where the contest lets a single method ship, there is nothing to weigh.
        if asked.sum() > 0 and (weights[number] > 0).sum() > 1:
            weights[number] = (weights[number] + asked / asked.sum()) / 2
    return replace(methods, contest=replace(contest, weights=weights))


def learn_methods(data: ShopPanel, horizon: int) -> Methods:
    """Hold the contest on products that still sell, and fit the global models on all that do."""
    live = np.flatnonzero(np.isfinite(data.panel.units[:, -8:]).any(axis=1))
    data = data.take(live) if len(live) else data
    # A backtest further ahead than a third of the data would leave nothing to learn from.
    ahead = max(1, min(horizon, data.panel.units.shape[1] // 3))
    contest = run_contest(data.panel, ahead, origins=3, most=_TRIED, slow=_SMALL)
    categories = tuple(sorted(set(data.frame["category"].astype(str))))
    blank = Methods(horizon, contest, {}, categories, min(len(data.panel.keys), _TRIED))
    groups = blank.groups(data.frame)
    return replace(blank, models={kind: fit_trees(data.panel, horizon, kind, groups) for kind in KINDS})


def _write(methods: Methods) -> dict[str, Any]:
    contest = methods.contest
    return {
        "horizon": methods.horizon,
        "members": contest.members,
        "errors": contest.errors.tolist(),
        "weights": contest.weights.tolist(),
        "blend_errors": contest.blend_errors.tolist(),
        "scores": {
            str(kind): {**asdict(s), "error": s.error.tolist(), "ahead": s.ahead.tolist(), "weight": s.weight.tolist()}
            for kind, s in contest.scores.items()
        },
        "models": {
            kind: None if m is None else {"horizon": m.horizon, "trees": m.model.model_to_string()}
            for kind, m in methods.models.items()
        },
        "categories": methods.categories,
        "tried": methods.tried,
    }


def _read(stored: dict[str, Any]) -> Methods:
    import lightgbm as lgb

    scores = {
        int(kind): Scores(np.array(s["error"]), np.array(s["ahead"]), np.array(s["weight"]), s["stretch"])
        for kind, s in stored["scores"].items()
    }
    contest = Contest(
        tuple(stored["members"]),
        np.array(stored["errors"], dtype=float).reshape(len(CLASSES), -1),
        np.array(stored["weights"], dtype=float),
        np.array(stored["blend_errors"], dtype=float),
        scores,
    )
    models = {
        kind: None if m is None else Learned(lgb.Booster(model_str=m["trees"]), m["horizon"], kind)
        for kind, m in stored["models"].items()
    }
    return Methods(stored["horizon"], contest, models, tuple(stored["categories"]), stored["tried"])


CODEC = Codec(_write, _read)
