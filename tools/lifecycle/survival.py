"""How long until decline, and whether sales are about to halve, learned from the shop's own products."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tools.demand.panel import Array, Panel
from tools.demand.series import pooled_season

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

AHEAD = 8
_SOLD = 8.0  # units in the last eight weeks below which halving says nothing


def decline_start(path: Array) -> int | None:
    """First week from which decline stays the likeliest stage for four weeks or to the end; None if it never does."""
    falling = path.argmax(axis=1) == 3
    for week in np.flatnonzero(falling):
        if falling[week : week + 4].all():
            return int(week)
    return None


def survival_curve(ages: NDArray[np.int64], ended: NDArray[np.bool_]) -> Array:
    """Share not yet ended after each age from 0 to the longest (A + 1,), by Kaplan and Meier (1958).

    Args:
        ages: Weeks until the end, or until last seen (N,).
        ended: Whether the end was seen (N,).
    """
    longest = int(ages.max()) if len(ages) else 0
    alive = np.ones(longest + 1)
    left = 1.0
    for age in range(longest + 1):
        at_risk = int((ages >= age).sum())
        ends = int((ended & (ages == age)).sum())
        left *= 1 - ends / at_risk if at_risk else 1.0
        alive[age] = left
    return alive


def weeks_left(alive: Array, age: int, share: float) -> int | None:
    """Weeks after `age` at which the given share of those still there has ended; None if the data do not reach it."""
    if age >= len(alive) or alive[age] <= 0:
        return None
    reached = np.flatnonzero(alive[age:] / alive[age] <= 1 - share)
    return int(reached[0]) if len(reached) else None


def halving_rows(panel: Panel, origin: int) -> tuple[Array, NDArray[np.bool_], NDArray[np.int64]]:
    """What is known before week `origin` of the products that sell, and whether their sales then halved.

    Features: slopes over four and eight weeks, share of the highest eight weeks, the pooled season ahead, log level,
    share of weeks without a sale, log age. Sales halve when the units of the next eight weeks are less than half of
    those of the last eight.

    Returns:
        Features (R, 7), labels (R,; all false where the panel does not reach), and which products they are (R,).
    """
    units = np.nan_to_num(panel.units[:, :origin])
    seen = np.isfinite(panel.units[:, origin - AHEAD : origin]).all(axis=1) & (origin >= 2 * AHEAD)
    late = units[:, -AHEAD:].sum(axis=1)
    rows = np.flatnonzero(seen & (late >= _SOLD))
    known = panel.until(origin)
    season = pooled_season(known, AHEAD)[rows]
    total = np.cumsum(np.pad(units, ((0, 0), (1, 0))), axis=1)[rows]
    blocks = total[:, AHEAD:] - total[:, :-AHEAD]
    late, before = late[rows], units[rows, -2 * AHEAD : -AHEAD].sum(axis=1)
    newest, older = units[rows, -4:].sum(axis=1), units[rows, -8:-4].sum(axis=1)
    features = np.column_stack(
        [
            np.log1p(newest) - np.log1p(older),
            np.log1p(late) - np.log1p(before),
            np.log1p(late) - np.log1p(blocks.max(axis=1)),
            season[:, origin:].mean(axis=1) - season[:, origin - AHEAD : origin].mean(axis=1),
            np.log1p(late),
            (units[rows, -AHEAD:] == 0).mean(axis=1),
            np.log1p(origin - known.first[rows]),
        ]
    )
    nexts = np.nan_to_num(panel.units[rows, origin : origin + AHEAD]).sum(axis=1)
    reaches = origin + AHEAD <= panel.units.shape[1]
    return features, (nexts < late / 2) & reaches, rows


def halving_model(panel: Panel) -> Pipeline | None:
    """Logistic regression of halving on `halving_rows`, from the origins whose outcome is known; None with too few."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    origins = range(panel.units.shape[1] - AHEAD, 2 * AHEAD, -4)
    parts = [halving_rows(panel, origin)[:2] for origin in list(origins)[:20]]
    if not parts:
        return None
    x, y = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
    if len(y) < 50 or y.sum() < 10 or (~y).sum() < 10:
        return None
    return make_pipeline(StandardScaler(), LogisticRegression(C=1.0)).fit(x, y)
