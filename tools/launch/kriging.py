"""Launch levels by Gaussian-process regression: what launches near in time, text, price and SKU sold (kriging)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from tools.demand.panel import Array
from tools.launch.evidence import EARLY_NOISE, Evidence
from tools.launch.market import Index, Market, log_prices

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
TERMS = ("drift", "batch", "price", "text", "category", "neighbour", "shelf")
_MOST = 900  # launches used, the latest
_MEAN_VARIANCE = 4.0
_LEAST_TO_FIT = 15


@dataclass(frozen=True)
class Pairs:
    """Distances between two sets of launches (A, B), their kinship by category and the product of shelf signals."""

    time: Array
    price: Array
    text: Array
    category: Array
    neighbour: Array
    shelf: Array


@dataclass(frozen=True)
class Kriged:
    """Predicted levels: mean and variance (M,) of the log units over the horizon, season taken out.

    `terms` are the parts of the mean by what they rest on, each (M,); with `base` they add up to it.
    """

    mean: Array
    variance: Array
    base: float
    terms: dict[str, Array]


@dataclass(frozen=True)
class Kriging:
    """A fitted process: the launches learned from, the factor of their covariance, and their weights."""

    rows: Index
    signal: Array
    settings: dict[str, float]
    factor: tuple[Array, bool]
    weights: Array
    mean: float

    def predict(self, market: Market, rows: Index, signal: Array, launched: Index | None = None) -> Kriged:
        """Levels of launches `rows`, each in its own period of launch, or in that of `launched` (len(rows),).

        `signal` is that of the shelf (len(rows),).
        """
        s = self.settings
        parts = _terms(_pairs(market, rows, self.rows, signal, self.signal, launched), s)
        across = _MEAN_VARIANCE + np.asarray(sum(parts.values()))
        base = self.mean + _MEAN_VARIANCE * float(self.weights.sum())
        explained = np.einsum("ij,ji->i", across, cho_solve(self.factor, across.T))
        alone = _MEAN_VARIANCE + sum(s[name] for name in TERMS if name not in ("category", "shelf"))
        kin = np.where(market.frame["category"].to_numpy(dtype=str)[rows] != "", s["category"], 0.0)
        variance = alone + kin + s["shelf"] * signal**2 + s["own"] - explained
        terms = {name: part @ self.weights for name, part in parts.items()}
        mean = base + np.asarray(sum(terms.values()))
        return Kriged(mean, np.asarray(np.maximum(variance, 0.05)), base, terms)


def fit_kriging(
    market: Market, evidence: Evidence, signal: Array, settings: dict[str, float] | None, rounds: int = 0
) -> Kriging:
    """The process conditioned on the launches known.

    With `rounds`, its settings are those with the highest posterior density given those launches (Rasmussen &
    Williams 2006, eq. 5.8 and 5.9) under log-normal priors; with few launches they stay as they are.

    Args:
        market: As known.
        evidence: Levels of the launches known.
        signal: What the shelf says about each of them (L,).
        settings: To use, or to begin from; None is the prior's.
        rounds: Steps of the optimiser, 0 for none.

    Raises:
        ValueError: No earlier launch to learn from.
    """
    if not len(evidence.rows):
        raise ValueError("no earlier launch to learn from")
    latest = np.argsort(market.launched[evidence.rows], kind="stable")[-_MOST:]
    rows, level, signal = evidence.rows[latest], evidence.level[latest], signal[latest]
    noise, mean = _noise(evidence.seen[latest]), float(level.mean())
    pairs = _pairs(market, rows, rows, signal, signal)
    settings = dict(settings or PRIOR)
    if rounds and len(rows) >= _LEAST_TO_FIT:
        settings = _fit(pairs, level - mean, noise, settings, rounds)
    inner = _MEAN_VARIANCE + np.asarray(sum(_terms(pairs, settings).values()))
    factor = cho_factor(inner + np.diag(noise + settings["own"]), lower=True)
    return Kriging(rows, signal, settings, factor, cho_solve(factor, level - mean), mean)


def _fit(pairs: Pairs, apart: Array, noise: Array, start: dict[str, float], rounds: int) -> dict[str, float]:
    from scipy.optimize import minimize

    middle = np.log(np.array(list(PRIOR.values())))

    def cost(p: Array) -> tuple[float, Array]:

        value, slope = _evidence_cost(dict(zip(PRIOR, np.exp(p), strict=True)), pairs, apart, noise)
        return value + float(((p - middle) ** 2).sum() / 2), slope + p - middle

    begin = np.log(np.array([start[name] for name in PRIOR]))
    found = minimize(cost, begin, jac=True, method="L-BFGS-B", options={"maxiter": rounds})
    return dict(zip(PRIOR, map(float, np.exp(found.x)), strict=True))


def _evidence_cost(s: dict[str, float], pairs: Pairs, apart: Array, noise: Array) -> tuple[float, Array]:
    """Negative log evidence and its gradient along the logs of the settings, in the order of `PRIOR`."""
    terms = _terms(pairs, s)
    covariance = _MEAN_VARIANCE + np.asarray(sum(terms.values())) + np.diag(noise + s["own"])
    try:
        factor = cho_factor(covariance, lower=True)
    except LinAlgError:
        return 1e6, np.zeros(len(PRIOR))
    weights = cho_solve(factor, apart)
    inverse = cho_solve(factor, np.eye(len(apart)))
    pull = inverse - np.outer(weights, weights)
    value = 0.5 * float(apart @ weights) + float(np.log(np.diag(factor[0])).sum())
    stretch = {
        "drift_length": ("drift", pairs.time / s["drift_length"]),
        "price_length": ("price", pairs.price**2 / s["price_length"] ** 2),
        "text_length": ("text", pairs.text / s["text_length"]),
        "neighbour_length": ("neighbour", pairs.neighbour / s["neighbour_length"]),
    }
    slopes = {name: float((pull * term).sum()) for name, term in terms.items()}
    slopes |= {name: float((pull * terms[of] * by).sum()) for name, (of, by) in stretch.items()}
    slopes["own"] = float(np.trace(pull)) * s["own"]
    return value, 0.5 * np.array([slopes[name] for name in PRIOR])


def _pairs(
    market: Market, a: Index, b: Index, signal_a: Array, signal_b: Array, launched_a: Index | None = None
) -> Pairs:
    launched = np.where(market.launched < 0, market.panel.units.shape[1], market.launched).astype(float)
    begins = launched[a] if launched_a is None else launched_a
    prices = log_prices(market)
    # A draft has no SKU yet: it stands next to nothing.
    steps = np.nan_to_num(_apart(market.place, a, b), nan=1e6)
    return Pairs(
        time=np.abs(begins[:, None] - launched[b][None, :]),
        price=_apart(prices, a, b),
        text=1 - market.likeness(a, b),
        category=market.kinship(a, b),
        neighbour=steps,
        shelf=np.outer(signal_a, signal_b),
    )


def _terms(pairs: Pairs, s: dict[str, float]) -> dict[str, Array]:
    """Prior covariance of the levels by what it rests on, each (A, B)."""
    return {
        "drift": s["drift"] * np.exp(-pairs.time / s["drift_length"]),
        "batch": s["batch"] * (pairs.time == 0),
        "price": s["price"] * np.exp(-(pairs.price**2) / 2 / s["price_length"] ** 2),
        "text": s["text"] * np.exp(-pairs.text / s["text_length"]),
        "category": s["category"] * pairs.category,
        "neighbour": s["neighbour"] * np.exp(-pairs.neighbour / s["neighbour_length"]),
        "shelf": s["shelf"] * pairs.shelf,
    }


def _noise(seen: Array) -> Array:
    return np.asarray(EARLY_NOISE**2 * (1 - seen) / seen + 1e-4)


def _apart(values: Array, a: Index, b: Index) -> Array:
    return np.asarray(np.abs(values[a][:, None] - values[b][None, :]))
