"""Launches after one, two and four weeks of sales: what each method says of the weeks to come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy import Array, ratio
from benchmarks.result import Result
from tools.launch.diffusion import Curve, bass, trapezoid
from tools.launch.evidence import Rules, launch_windows
from tools.launch.market import Index, Market
from tools.launch.replay import Batch, record_of
from tools.launch.update import both_ways, diffusion_rest, learn_update

AFTER = (1, 2, 4)


@dataclass(frozen=True)
class Begun:
    """Launches of one batch, some weeks in.

    Attributes:
        known: The market by now.
        past: Batches forecast before.
        batch: The batch.
        at: Which of its rows are asked about (M,).
        seen: Weeks of own sales.
    """

    known: Market
    past: Sequence[Batch]
    batch: Batch
    at: Index
    seen: int

    @property
    def point(self) -> Array:
        """Forecast on the launch day (M, H)."""
        return self.batch.recipe.point(self.batch.views.units)[self.at]

    def own(self, horizon: int) -> Array:
        """Units of the weeks seen (M, seen)."""
        return launch_windows(self.known, self.batch.rows[self.at], horizon)[:, : self.seen]


Method = Callable[[Begun, Rules], Array]


def debut(fits: dict[int, Array]) -> Method:
    """The forecast of the launch day moved by its error so far, and a trapezoid through the weeks seen: their mean."""

    def forecast(begun: Begun, rules: Rules) -> Array:
        record = record_of(begun.known, begun.past, rules)
        update = learn_update(record, begun.batch.recipe, begun.seen, begun.known.panel.units.shape[1])
        rows, own = begun.batch.rows[begun.at], begun.own(rules.horizon)
        return both_ways(update, begun.point, own, begun.known, rows, rules, fits)

    return forecast


def no_update(begun: Begun, rules: Rules) -> Array:
    """The forecast of the launch day."""
    return begun.point[:, begun.seen :]


def last_week(begun: Begun, rules: Rules) -> Array:
    """The last week seen goes on."""
    last = np.nan_to_num(begun.own(rules.horizon)[:, -1:])
    return np.repeat(last, rules.horizon - begun.seen, axis=1)


def diffusion(curve: Curve, fits: dict[int, Array]) -> Method:
    """Posterior mode of a diffusion curve, its shape prior from the ten analogues, its level from the forecast."""

    def forecast(begun: Begun, rules: Rules) -> Array:
        rows, own = begun.batch.rows[begun.at], begun.own(rules.horizon)
        made = diffusion_rest(curve, begun.point, own, begun.known, rows, rules, fits)
        return no_update(begun, rules) if made is None else made

    return forecast


def update_results(
    market: Market, actual: Array, batches: Sequence[Batch], test: Index, keep: np.ndarray, rules: Rules
) -> list[Result]:
    """WAPE of the remaining weeks, by week and of their sum, after each number of weeks in `AFTER`.

    Args:
        market: All of it; each method is shown what was known by then.
        actual: Units of the test launches (R, H), NaN where absent.
        batches: Forecasts of the launch days, in order.
        test: The test launches (R,).
        keep: Which of them are scored (R,).
        rules: Which launches count.
    """
    trapezoids: dict[int, Array] = {}
    methods: dict[str, Method] = {
        "debut": debut(trapezoids),
        "no_update": no_update,
        "last_week": last_week,
        "bass": diffusion(bass, {}),
        "trapezoid": diffusion(trapezoid, trapezoids),
    }
    scored = {int(row): i for i, row in enumerate(test) if keep[i]}
    rows = []
    for seen in (k for k in AFTER if k < rules.horizon):
        made: dict[str, list[Array]] = {name: [] for name in methods}
        came: list[Array] = []
        for number, batch in enumerate(batches):
            at = np.array([i for i, row in enumerate(batch.rows) if int(row) in scored], dtype=np.int64)
            if not len(at):
                continue
            now = int(market.launched[batch.rows[at]].max()) + seen
            begun = Begun(market.until(now), batches[:number], batch, at, seen)
            came.append(actual[[scored[int(row)] for row in batch.rows[at]], seen:])
            for name, method in methods.items():
                made[name].append(method(begun, rules))
        if came:
            rows += _scores(made, np.concatenate(came), seen)
    return rows


def _scores(made: dict[str, list[Array]], actual: Array, seen: int) -> list[Result]:
    known, units = np.isfinite(actual), np.nan_to_num(actual)
    found = []
    for name, parts in made.items():
        point = np.concatenate(parts) * known
        extra = {"subset": "scored"}
        weekly, summed = np.abs(point - units).sum(axis=1), np.abs((point - units).sum(axis=1))
        found.append(ratio(name, f"update_{seen}w", weekly, units.sum(axis=1), extra))
        found.append(ratio(name, f"update_{seen}w_total", summed, units.sum(axis=1), extra))
    return found
