"""Groups of customers who shop alike: the most stable of three methods, named by what sets each group apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Assign = Callable[[Array], Labels]
SIZES = (3, 4, 5, 6)
_SAMPLE = 1_500  # customers that methods are compared and fitted on
_DRAWS = 6
_FAR = 3.0  # standard deviations
_SMALLEST = 0.04  # of the customers, in a group of HDBSCAN
WORDS = {  # habit → (high, low)
    "basket": ("big baskets", "small baskets"),
    "items": ("many items at once", "single items"),
    "discount": ("deal seekers", "full price"),
    "evening": ("evening", "daytime"),
    "weekend": ("weekend", "weekdays"),
    "focus": ("one category above all", "many categories"),
    "app": ("app", "not by app"),
    "gap": ("rare buyers", "frequent buyers"),
}


@dataclass(frozen=True)
class Clusters:
    """A grouping of all customers.

    Attributes:
        labels: Group of each, from 0; -1 belongs to none, (n,).
        method: `k-means`, `Gaussian mixture` or `HDBSCAN`.
        stability: Mean adjusted Rand index of bootstrap groupings with this one.
        judged: (method, groups, stability) of all that were compared, most stable first.
    """

    labels: Labels
    method: str
    stability: float
    judged: tuple[tuple[str, int, float], ...]


def cluster(habits: pd.DataFrame, sizes: Sequence[int] = SIZES, seed: int = 0) -> Clusters:
    """Group customers by their habits, by the method and number of groups that resamples agree on most.

    Habits are brought to standard scores, cut off far out, so that no unit and no outlier counts more. Stability is the
    mean adjusted Rand index (Hubert and Arabie, 1985) between the grouping and those fitted on bootstrap samples
    (Hennig, 2007). HDBSCAN finds its own number of groups and competes where that is one of `sizes`.

    Raises:
        ValueError: Fewer customers than five for each of the least number of groups.
    """
    if len(habits) < 5 * min(sizes):
        raise ValueError(f"{len(habits)} customers are too few for {min(sizes)} groups")
    points = standard_scores(habits)
    rng = np.random.default_rng(seed)
    part = points if len(points) <= _SAMPLE else points[rng.choice(len(points), _SAMPLE, replace=False)]
    judged: list[tuple[str, int, float, Assign]] = []
    for name, fit, groups in _candidates(sizes, len(part), seed):
        assign = fit(part)
        found = assign(part)
        count = len(np.unique(found[found >= 0]))
        if count in sizes and (groups is None or count == groups):
            judged.append((name, count, _stability(part, found, fit, rng), assign))
    judged.sort(key=lambda each: -each[2])
    best = judged[0]
    table = tuple((name, count, stability) for name, count, stability, _ in judged)
    return Clusters(best[3](points), best[0], best[2], table)


def standard_scores(frame: pd.DataFrame) -> Array:
    """Each column as standard scores of its signed logarithm, no further out than three; no spread is zero, (n, k)."""
    values = frame.to_numpy(dtype=float)
    bent = np.sign(values) * np.log1p(np.abs(values))
    spread = bent.std(axis=0)
    scores = (bent - bent.mean(axis=0)) / np.where(spread > 1e-12, spread, 1.0)
    return np.asarray(np.clip(scores, -_FAR, _FAR))


def group_names(habits: pd.DataFrame, labels: Labels) -> list[str]:
    """A name for each group from 0 on: the two habits in which it differs most from all; more where others have it."""
    points = standard_scores(habits)
    names: list[str] = []
    for group in range(int(labels.max()) + 1):
        apart = points[labels == group].mean(axis=0)
        order = np.argsort(-np.abs(apart), kind="stable")
        words = [WORDS[str(habits.columns[i])][0 if apart[i] > 0 else 1] for i in order]
        name = next((n for k in range(2, len(words) + 1) if (n := ", ".join(words[:k])) not in names), "")
        names.append(name or f"others: {words[0]}")
    return names


def _candidates(sizes: Sequence[int], n: int, seed: int) -> list[tuple[str, Callable[[Array], Assign], int | None]]:
    found: list[tuple[str, Callable[[Array], Assign], int | None]] = []
    for size in sizes:
        found.append(("k-means", lambda points, k=size: _k_means(points, k, seed), size))  # type: ignore[misc]
        found.append(("Gaussian mixture", lambda points, k=size: _mixture(points, k, seed), size))  # type: ignore[misc]
    found.append(("HDBSCAN", lambda points: _density(points, max(round(_SMALLEST * n), 5)), None))
    return found


def _k_means(points: Array, groups: int, seed: int) -> Assign:
    from sklearn.cluster import KMeans

    model: Any = KMeans(groups, n_init=3, random_state=seed).fit(points)
    return lambda more: np.asarray(model.predict(more), dtype=np.int64)


def _mixture(points: Array, groups: int, seed: int) -> Assign:
    from sklearn.mixture import GaussianMixture

    model: Any = GaussianMixture(groups, covariance_type="diag", reg_covar=0.05, random_state=seed).fit(points)
    return lambda more: np.asarray(model.predict(more), dtype=np.int64)


def _density(points: Array, smallest: int) -> Assign:
    """HDBSCAN (Campello et al., 2013); who was not there at the fit gets the group of the nearest who was."""
    from sklearn.cluster import HDBSCAN
    from sklearn.neighbors import KNeighborsClassifier

    labels = HDBSCAN(min_cluster_size=smallest, copy=True).fit(points).labels_
    nearest: Any = KNeighborsClassifier(1).fit(points, labels)
    return lambda more: np.asarray(nearest.predict(more), dtype=np.int64)


def _stability(points: Array, labels: Labels, fit: Callable[[Array], Assign], rng: np.random.Generator) -> float:
    from sklearn.metrics import adjusted_rand_score

    found = []
    for _ in range(_DRAWS):
        drawn = points[rng.integers(0, len(points), len(points))]
        found.append(adjusted_rand_score(labels, fit(drawn)(points)))
    return float(np.mean(found))
