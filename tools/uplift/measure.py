"""What a ranking of customers is worth on a randomised test: gain curve, Qini, and the value of a policy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


def gain_curve(outcome: Array, treated: Mask, score: Array, weights: Array | None = None) -> tuple[Array, Array]:
    """Extra outcome from treating the best-scored share of customers, against treating nobody (Radcliffe, 2007).

    At each share the treated customers' outcome, less the untreated ones' scaled to as many customers. Customers with
    one score enter together, so that a ranking without information is a straight line whatever the order of the rows.

    Args:
        outcome: Of each customer of the test, any unit, (n,).
        treated: Who was treated, (n,).
        score: Higher is targeted first, (n,).
        weights: How often each customer counts, (n,), for a bootstrap; left out, once.

    Returns:
        Shares of customers from 0 to 1 and the gain per treated customer of the test, each (m + 1,).
    """
    weight = np.ones(len(outcome)) if weights is None else weights
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    hit, count = treated[order].astype(float) * weight[order], weight[order]
    gained = outcome[order]
    n_t, n_all = np.cumsum(hit)[ends], np.cumsum(count)[ends]
    y_t, y_all = np.cumsum(hit * gained)[ends], np.cumsum(count * gained)[ends]
    n_c = n_all - n_t
    scaled = np.divide((y_all - y_t) * n_t, n_c, out=np.zeros_like(n_c), where=n_c > 0)
    gain = (y_t - scaled) / max(n_t[-1], 1e-12)
    return np.concatenate([[0.0], n_all / n_all[-1]]), np.concatenate([[0.0], gain])


def qini(outcome: Array, treated: Mask, score: Array, weights: Array | None = None) -> float:
    """Area between the gain curve and the straight line of random targeting, in outcome per customer.

    0 for a ranking without information. For a yes-or-no outcome `sklift.metrics.qini_auc_score` is this area over that
    of a perfect ranking; this one has a meaning for money too.
    """
    share, gain = gain_curve(outcome, treated, score, weights)
    return float(np.trapezoid(gain, share) - gain[-1] / 2)


def top_share(score: Array, share: float, rng: np.random.Generator) -> Mask:
    """The `share` of customers with the highest scores, ties in random order, (n,)."""
    order = np.lexsort((rng.random(len(score)), -score))
    chosen = np.zeros(len(score), dtype=bool)
    chosen[order[: round(share * len(score))]] = True
    return chosen


def policy_value(outcome: Array, arm: Index, chosen: Index, weights: Array | None = None) -> float:
    """Mean outcome if every customer got the arm chosen for them, from a test that drew arms at random.

    Inverse-propensity weighting, normalised within each chosen arm (Swaminathan and Joachims, 2015): the customers who
    happened to get what the policy would have given them stand for all for whom it chooses the same.

    Args:
        outcome: (n,).
        arm: The arm drawn, 0 for none, (n,).
        chosen: The arm of the policy, (n,).
        weights: How often each customer counts, (n,).

    Returns:
        nan where for some chosen arm nobody got it.
    """
    weight = np.ones(len(outcome)) if weights is None else weights
    value, total = 0.0, weight.sum()
    for each in np.unique(chosen):
        wants = chosen == each
        got = wants & (arm == each)
        if weight[got].sum() <= 0:
            return float("nan")
        value += weight[wants].sum() / total * float(np.average(outcome[got], weights=weight[got]))
    return value
