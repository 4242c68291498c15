"""What is true in the demo shop and stands nowhere in its tables: for tests and benchmarks only."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shop.types import Frozen

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Kind = Literal["steady", "fad", "slow"]
Stage = Literal["introduction", "growth", "maturity", "decline"]


class Curve(Frozen):
    """A launch curve: multiples of the level by age in days.

    `floor` + ramp × burst × fade: sales climb from `floor` of the level with time constant `ramp`, swell to about
    `peak` times it around day `peak_day`, and from day `hold` on fade with time constant `fade` towards `tail`.
    """

    kind: Kind
    floor: float
    ramp: float
    peak: float
    peak_day: float
    hold: float
    fade: float
    tail: float

    def at(self, age: Floats) -> Floats:
        """Multiples of the level at each age (days since launch); 0 before launch."""
        days = np.maximum(age, 0.0)
        ramp = self.floor + (1 - self.floor) * (1 - np.exp(-(days + 1) / self.ramp))
        burst = 1 + (self.peak - 1) * days / self.peak_day * np.exp(1 - days / self.peak_day)
        fade = self.tail + (1 - self.tail) * np.exp(-np.maximum(days - self.hold, 0.0) / self.fade)
        return np.asarray(np.where(age < 0, 0.0, ramp * burst * fade), dtype=np.float64)


class ProductTruth(Frozen):
    """The true parameters of one product.

    `level` is units a day at full ramp, reference price and average season. `expected` is the mean demand on each day
    from `first_day` on, with price, promotion, season, campaigns and cannibalisation but without stock limits and
    chance; 0 off sale. `lost` counts units asked for and not sold, by day. `stages` lists (first day, stage).
    """

    level: float
    curve: Curve
    elasticity: float
    rival_elasticity: float
    quality: float
    season: str
    expected: tuple[float, ...]
    lost: dict[date, int]
    stages: tuple[tuple[date, Stage], ...]
    themes: tuple[tuple[str, int], ...]


class PromotionTruth(Frozen):
    """A promotion's effect on log demand beyond its price cut, and the dip in the two weeks after it."""

    uplift: float
    dip: float


class ChannelTruth(Frozen):
    """A channel's effect on log demand of its category: strength × x / (x + half), x the adstocked daily spend."""

    carry_over: float
    half: float
    strength: float


class CouponTruth(Frozen):
    """How much likelier a customer of each class orders from the category while the coupon runs (0.2 is 20 %)."""

    lift: dict[str, float]


class CustomerTruth(Frozen):
    """A customer's class, orders a week while alive, and the first day on which they no longer buy."""

    kind: str
    rate: float
    gone_on: date | None


class Cannibal(Frozen):
    """The share of `victim`'s demand that `launch` takes at full ramp."""

    launch: str
    victim: str
    share: float


class Truth(Frozen):
    """Everything the simulation knew. `season` has 53 weekly and `weekday` seven daily factors per department."""

    seed: int
    first_day: date
    last_day: date
    season: dict[str, tuple[float, ...]]
    weekday: dict[str, tuple[float, ...]]
    products: dict[str, ProductTruth]
    cannibals: tuple[Cannibal, ...]
    promotions: dict[str, PromotionTruth]
    channels: dict[str, ChannelTruth]
    coupons: dict[str, CouponTruth]
    customers: dict[str, CustomerTruth]

    def save(self, path: Path) -> None:
        """Write as gzipped JSON, the same bytes for the same truth."""
        path.write_bytes(gzip.compress(self.model_dump_json().encode(), mtime=0))

    @classmethod
    def load(cls, path: Path) -> Truth:
        """Read what `save` wrote."""
        return cls.model_validate_json(gzip.decompress(path.read_bytes()))
