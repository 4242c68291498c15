"""Launch levels by Gaussian-process regression: what launches near in time, text, price and SKU sold (kriging)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.optimize import minimize

from tools.demand.panel import Array
from tools.launch.evidence import EARLY_NOISE, Evidence, log_prices, shelf_signal
from tools.launch.market import Index, Market

# Prior medians of the settings, all positive. Each is fitted by its posterior mode under a log-normal of sd 1.
PRIOR: dict[str, float] = {
    "drift": 0.2,  # variance of the slow change of levels over launch dates
    "drift_length": 16.0,  # periods over which it changes
    "batch": 0.1,  # variance that launches of the same period share
    "price": 0.3,
    "price_length": 0.7,  # log price
    "text": 0.3,
    "text_length": 0.3,  # cosine distance
    "category": 0.1,
    "neighbour": 0.1,  # SKUs next to each other are often one range
    "neighbour_length": 50.0,  # SKUs in between
    "shelf": 0.3,  # variance of the slope on the shelf signal
    "own": 0.3,  # what no attribute tells
}
_MOST = 900  # launches used, the latest
_MEAN_VARIANCE = 4.0


@dataclass(frozen=True)
class Pairs:
    """Distances between all launches in play, those learned from first."""

    time: Array
    price: Array
    text: Array
    category: Array
    neighbour: Array
    shelf: Array


@dataclass(frozen=True)
class Kriged:
    """Predicted levels: mean and variance (M,) of the log units over the horizon, season taken out."""

    mean: Array
    variance: Array


def fit_settings(market: Market, evidence: Evidence) -> dict[str, float]:
    """Settings with the highest posterior density given the launches known; the prior's where there are few.

    Method: Rasmussen & Williams 2006, eq. 5.8, with log-normal priors.
    """
    latest = _latest(market, evidence)
    if len(latest) < 15:
        return dict(PRIOR)
    pairs = make_pairs(market, evidence.rows[latest], evidence)
    level = evidence.level[latest]
    noise = _noise(evidence.seen[latest])
    start = np.log(np.array(list(PRIOR.values())))

    def cost(p: Array) -> float:
        values = dict(zip(PRIOR, np.exp(p), strict=True))
        covariance = cover(pairs, values) + np.diag(noise + values["own"])
        try:
            factor = cho_factor(covariance, lower=True)
        except LinAlgError:
            return 1e6
        apart = level - level.mean()
        fit = 0.5 * apart @ cho_solve(factor, apart) + np.log(np.diag(factor[0])).sum()
        return float(fit + ((p - start) ** 2).sum() / 2)

    found = minimize(cost, start, method="L-BFGS-B", options={"maxiter": 12 if len(latest) > 400 else 20})
    return dict(zip(PRIOR, map(float, np.exp(found.x)), strict=True))


def krige(market: Market, rows: Index, evidence: Evidence, settings: dict[str, float]) -> Kriged:
    """Levels of launches `rows`, all planned for the first period that is not known yet.

    Raises:
        ValueError: No earlier launch to learn from.
    """
    if not len(evidence.rows):
        raise ValueError("no earlier launch to learn from")
    latest = _latest(market, evidence)
    learned = evidence.rows[latest]
    pairs = make_pairs(market, np.concatenate([learned, rows]), evidence)
    whole = cover(pairs, settings)
    n, level = len(learned), evidence.level[latest]
    inner = whole[:n, :n] + np.diag(_noise(evidence.seen[latest]) + settings["own"])
    factor = cho_factor(inner, lower=True)
    across = whole[n:, :n]
    mean = level.mean() + across @ cho_solve(factor, level - level.mean())
    explained = np.einsum("ij,ji->i", across, cho_solve(factor, across.T))
    variance = np.diag(whole)[n:] + settings["own"] - explained
    return Kriged(mean, np.maximum(variance, 0.05))


def make_pairs(market: Market, rows: Index, evidence: Evidence) -> Pairs:
    """Distances between products `rows` (n, n), and the product of their shelf signals."""
    launched = np.where(market.launched[rows] < 0, market.panel.units.shape[1], market.launched[rows]).astype(float)
    prices = log_prices(market)[rows]
    place = np.argsort(np.argsort(market.frame["sku"].to_numpy(dtype=str), kind="stable"))[rows].astype(float)
    categories = market.frame["category"].to_numpy(dtype=str)[rows]
    shelf = shelf_signal(market, rows, evidence)
    return Pairs(
        time=_apart(launched),
        price=_apart(prices),
        text=1 - market.likeness(rows, rows),
        category=((categories[:, None] == categories[None, :]) & (categories[:, None] != "")).astype(float),
        neighbour=_apart(place),
        shelf=np.outer(shelf, shelf),
    )


def cover(pairs: Pairs, s: dict[str, float]) -> Array:
    """Prior covariance of the levels (n, n)."""
    return np.asarray(
        _MEAN_VARIANCE
        + s["drift"] * np.exp(-pairs.time / s["drift_length"])
        + s["batch"] * (pairs.time == 0)
        + s["price"] * np.exp(-(pairs.price**2) / 2 / s["price_length"] ** 2)
        + s["text"] * np.exp(-pairs.text / s["text_length"])
        + s["category"] * pairs.category
        + s["neighbour"] * np.exp(-pairs.neighbour / s["neighbour_length"])
        + s["shelf"] * pairs.shelf
    )


def _noise(seen: Array) -> Array:
    return np.asarray(EARLY_NOISE**2 * (1 - seen) / seen + 1e-4)


def _latest(market: Market, evidence: Evidence) -> NDArray[np.int64]:
    order = np.argsort(market.launched[evidence.rows], kind="stable")
    return order[-_MOST:]


def _apart(values: Array) -> Array:
    return np.abs(values[:, None] - values[None, :])
