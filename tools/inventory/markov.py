"""Stock as a Markov chain: how often a product is in stock, low, or out in the long run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STATES = ("in stock", "low", "out")


def stock_states(left: Array, low: float) -> NDArray[np.int64]:
    """State at the end of each period (N, H), an index into `STATES`: out at zero, low up to `low` units."""
    return np.where(left <= 0, 2, np.where(left <= low, 1, 0)).astype(np.int64)


def transitions(states: NDArray[np.int64], count: int = len(STATES)) -> Array:
    """Share of moves from each state to each (count, count) in paths of states (N, H).

    A state never left moves like a state drawn from the paths: nothing leads to it, so it has no long-run share.
    """
    moves = np.zeros((count, count))
    np.add.at(moves, (states[:, :-1].ravel(), states[:, 1:].ravel()), 1.0)
    total = moves.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0, moves / np.maximum(total, 1), moves.sum(axis=0) / moves.sum()))


def stationary(matrix: Array) -> Array:
    """Long-run share of time in each state (K,) of a chain with one recurrent class.

    Solves p = pP with p summing to one by least squares (Kemeny and Snell, 1960).
    """
    count = len(matrix)
    system = np.vstack([matrix.T - np.eye(count), np.ones(count)])
    found = np.linalg.lstsq(system, np.append(np.zeros(count), 1.0), rcond=None)[0].clip(min=0)
    return np.asarray(found / found.sum())
