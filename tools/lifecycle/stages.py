"""Stage probabilities of a product from its weekly demand, and what else its curve says: breaks and a Bass market."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.demand.panel import Array
from tools.lifecycle.shapes import STAGES, Shapes, even_shapes

__all__ = ["LEAST", "STAGES", "StageView", "bass_fit", "bass_share", "view_stage", "weeks_since_change"]
LEAST = 3  # weeks of demand below which no stage can be told
_RARE = 0.5  # how far a stage's rarity is held against its chance: 0 not at all, 1 in full


@dataclass(frozen=True)
class StageView:
    """A product's stage.

    Attributes:
        path: Chances of `STAGES` by week, as known now (T, 4).
        common: Share of the shop's products in each stage (4,).
    """

    path: Array
    common: Array

    @property
    def probabilities(self) -> Array:
        """Chances of `STAGES` now (4,)."""
        return np.asarray(self.path[-1])

    @property
    def stage(self) -> str:
        """The stage to act on: the chance that stands out most against the root of how common the stage is.

        Introductions and growth are over in a few of a product's many weeks, so the likeliest stage would hardly ever
        be one of them, and they are the stages in which it costs most to be late.
        """
        return STAGES[int((self.probabilities / self.common**_RARE).argmax())]


def view_stage(demand: Array, from_launch: bool, shapes: Shapes | None = None) -> StageView:
    """The stage of a product from weekly demand with the season taken out.

    Args:
        demand: Weekly demand (T,), gaps filled, from the launch or from the start of the data.
        from_launch: Whether the first week is the launch.
        shapes: From `learn_shapes` on the shop's products; None takes every shape for equally common.

    Raises:
        ValueError: Fewer than three weeks.
    """
    if len(demand) < LEAST:
        raise ValueError(f"{len(demand)} weeks are too few to tell a stage")
    shapes = even_shapes(len(demand), from_launch) if shapes is None else shapes
    return StageView(shapes.path(demand), shapes.common)


def weeks_since_change(demand: Array) -> int | None:
    """Weeks since the last change of the level of log demand (PELT, Killick et al. 2012); None without one."""
    import ruptures

    if len(demand) < 12:
        return None
    signal = np.log1p(demand)[:, None]
    noise = max(float(np.var(np.diff(signal[:, 0])) / 2), 0.02)
    breaks = ruptures.Pelt(model="l2", min_size=4, jump=1).fit(signal).predict(pen=3 * np.log(len(demand)) * noise)
    return len(demand) - breaks[-2] if len(breaks) > 1 else None


def bass_fit(demand: Array) -> tuple[float, float, float] | None:
    """Market size, innovation p and imitation q of a Bass curve (Bass 1969) by least squares on weekly demand.

    None where the fit fails or ends on a bound: a product that is still climbing does not tell its market.
    """
    from scipy.optimize import curve_fit

    if len(demand) < 10 or demand.sum() <= 0:
        return None
    week = np.arange(1, len(demand) + 1, dtype=float)

    def sold(t: Array, size: float, p: float, q: float) -> Array:

        return size * (bass_share(t, p, q) - bass_share(t - 1, p, q))

    total = float(demand.sum())
    try:
        fitted, _ = curve_fit(
            sold, week, demand, p0=(1.5 * total, 0.02, 0.1), bounds=([0.5 * total, 1e-5, 0.0], [10 * total, 0.5, 1.0])
        )
    except RuntimeError:  # no convergence
        return None
    return None if fitted[0] > 9.5 * total else (float(fitted[0]), float(fitted[1]), float(fitted[2]))


def bass_share(t: Array, p: float, q: float) -> Array:
    """Share of the market that has bought by time t (Bass 1969, eq. 9)."""
    e = np.exp(-(p + q) * np.maximum(t, 0.0))
    return np.asarray((1 - e) / (1 + q / p * e))
