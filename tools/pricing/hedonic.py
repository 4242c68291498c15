"""What attributes are worth: a regression of log prices on what products are (Rosen, 1974)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
_LEAST = 20  # products below which attributes cannot be told apart
_RARE = 3
_Z80 = 1.2816


@dataclass(frozen=True)
class Hedonic:
    """Prices explained by attributes.

    Attributes:
        worth: Share of price that an attribute adds, by "name: value", with its 80 % bounds.
        middle: Log price of a product with no known attribute, by category.
        fit: Share of the variance of log prices, left out one by one, that attributes and category explain.
        products: Products behind it.
    """

    worth: Mapping[str, tuple[float, float, float]]
    middle: Mapping[str, float]
    fit: float
    products: int

    def price(self, category: str, attributes: Mapping[str, str]) -> tuple[float, list[str]] | None:
        """What buyers pay for these attributes in this category, and the attributes that counted; None if none did."""
        counted = self.counted(attributes)
        if category not in self.middle or not counted:
            return None
        added = sum(np.log1p(each[0]) for each in counted.values())
        return float(np.exp(self.middle[category] + added)), list(counted)

    def counted(self, attributes: Mapping[str, str]) -> dict[str, tuple[float, float, float]]:
        """What each of these attributes adds, with its bounds; those that few products have are left out."""
        return {name: self.worth[name] for name in _named(attributes) if name in self.worth}


def attribute_worth(
    prices: Array, attributes: Sequence[Mapping[str, str]], categories: Sequence[str]
) -> Hedonic | None:
    """Ridge regression of log prices on attribute values, categories taken out, its penalty by leave-one-out.

    Args:
        prices: Paid (n,), positive.
        attributes: Of each product (n).
        categories: Of each product (n).

    Returns:
        None with fewer than twenty products, or where no attribute value is shared by three and lacked by three.
    """
    if len(prices) < _LEAST:
        return None
    named = [set(_named(each)) for each in attributes]
    counts = pd.Series([name for each in named for name in each]).value_counts()
    names = sorted(counts[(counts >= _RARE) & (counts <= len(prices) - _RARE)].index)
    if not names:
        return None
    dummies = np.array([[float(name in each) for name in names] for each in named])
    group = pd.Series(list(categories))
    y = np.log(prices)
    left_y = y - pd.Series(y).groupby(group).transform("mean").to_numpy()
    frame = pd.DataFrame(dummies)
    left_x = (frame - frame.groupby(group).transform("mean")).to_numpy()
    slopes, errors, left = _ridge(left_x, left_y)
    worth = {
        name: (float(np.expm1(b)), float(np.expm1(b - _Z80 * s)), float(np.expm1(b + _Z80 * s)))
        for name, b, s in zip(names, slopes, errors, strict=True)
    }
    rest = pd.Series(y - dummies @ slopes).groupby(group).mean()
    whole = float(((y - y.mean()) ** 2).sum())
    return Hedonic(worth, {str(k): float(v) for k, v in rest.items()}, 1 - left / whole if whole > 0 else 0.0, len(y))


def _ridge(x: Array, y: Array) -> tuple[Array, Array, float]:
    """Slopes, standard errors and the leave-one-out squared error at the best of a few penalties."""
    best: tuple[float, Array, Array] | None = None
    for penalty in np.geomspace(0.1, 100, 13):
        inverse = np.linalg.inv(x.T @ x + penalty * np.eye(x.shape[1]))
        slopes = inverse @ x.T @ y
        lever = np.einsum("ij,jk,ik->i", x, inverse, x)
        left = float((((y - x @ slopes) / (1 - np.minimum(lever, 0.99))) ** 2).sum())
        if best is None or left < best[0]:
            noise = float(((y - x @ slopes) ** 2).sum()) / max(len(y) - lever.sum(), 1)
            best = (left, slopes, np.sqrt(noise * np.diag(inverse)))
    assert best is not None
    return best[1], best[2], best[0]


def _named(attributes: Mapping[str, str]) -> list[str]:
    return [f"{name}: {value}" for name, value in attributes.items() if value]
