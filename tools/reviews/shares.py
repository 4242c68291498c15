"""Shares of reviews: their interval, and whether two of them differ."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z_80 = 1.2815515655446004  # standard normal quantile at 0.9: an 80 % interval, as for every figure
Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Share:
    """`count` of `total` with the bounds of its interval."""

    count: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.count / self.total


def wilson(count: int, total: int, z: float = Z_80) -> Share:
    """A share with its score interval (Wilson 1927), which stays inside 0 and 1 and is honest near them.

    Raises:
        ValueError: There is nothing to take a share of, or more was counted than there is.
    """
    if not 0 <= count <= total or total == 0:
        raise ValueError(f"{count} of {total} is not a share")
    p = count / total
    middle = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    return Share(count, total, max(0.0, middle - half), min(1.0, middle + half))


def difference(one: tuple[int, int], other: tuple[int, int], z: float = Z_95) -> tuple[float, float]:
    """Interval of the difference of two independent shares, each `(count, total)` (Newcombe 1998, method 10)."""
    a, b = wilson(*one, z=z), wilson(*other, z=z)
    gap = a.value - b.value
    low = gap - sqrt((a.value - a.low) ** 2 + (b.high - b.value) ** 2)
    high = gap + sqrt((a.high - a.value) ** 2 + (b.value - b.low) ** 2)
    return low, high
