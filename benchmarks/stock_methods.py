"""The methods of the stock replay: two rules of the trade, the oracle that knows demand, and ours."""

from __future__ import annotations

import numpy as np

from benchmarks.stock_replay import Array, Decide, World
from tools.inventory.lost_sales import myopic_order, project
from tools.inventory.paths import PathModel, draw_paths, fit_paths, look

KNOBS = 16
_REFIT = 6  # reviews between two fits of the trees; levels and errors are new at every review
_CHUNK = 250  # series at a time, to bound memory


def fixed_cover(world: World, window: int) -> tuple[Decide, int]:
    """Order up to a moving average times a number of periods; the number is the knob."""
    covers = world.cover * np.geomspace(0.4, 30.0, KNOBS)

    def decide(t: int, on_hand: Array, due: Array) -> Array:
        mean, _ = _late(world.demand, t, window)
        return np.asarray(np.ceil(covers[:, None] * mean) - on_hand - due.sum(axis=2))

    return decide, KNOBS


def z_sigma(world: World, window: int) -> tuple[Decide, int]:
    """Order up to the moving average over the cover plus z standard deviations of demand; z is the knob."""
    factors = np.concatenate([np.linspace(-1.0, 4.0, KNOBS - 5), np.geomspace(5.0, 40.0, 5)])

    def decide(t: int, on_hand: Array, due: Array) -> Array:
        mean, sd = _late(world.demand, t, window)
        target = mean * world.cover + factors[:, None] * sd * np.sqrt(world.cover)
        return np.asarray(np.ceil(target) - on_hand - due.sum(axis=2))

    return decide, KNOBS


def oracle(world: World) -> tuple[Decide, int]:
    """Knows demand; the knob is the share of it that is ordered."""
    shares = np.linspace(0.3, 1.0, KNOBS)
    known = np.nan_to_num(np.pad(world.demand, ((0, 0), (0, world.cover))))

    def decide(t: int, on_hand: Array, due: Array) -> Array:
        left = np.stack(
            [
                project(have, comes, known[:, None, t : t + world.lead])[:, 0]
                for have, comes in zip(on_hand, due, strict=True)
            ]
        )
        wanted = known[:, t + world.lead : t + world.cover].sum(axis=1)
        return np.asarray(shares[:, None] * wanted - left)

    return decide, KNOBS


class Debut:
    """Paths of demand over the cover, and the myopic order for lost sales; the service level is the knob."""

    def __init__(self, world: World, cycle: int) -> None:
        self._world = world
        self._levels = 1 - np.geomspace(0.75, 0.0002, KNOBS)
        self._seen = look(world.demand, cycle, world.cover, world.start)
        self._model: PathModel | None = None

    def __call__(self, t: int, on_hand: Array, due: Array) -> Array:
        lead = self._world.lead
        if self._model is None or (t - self._world.start) // self._world.review % _REFIT == 0:
            self._model = fit_paths(self._seen, t, self._world.cover)
        order = np.zeros_like(on_hand)
        for rows in np.array_split(np.arange(on_hand.shape[1]), max(1, on_hand.shape[1] // _CHUNK)):
            paths = draw_paths(self._model, self._seen, t, rows)
            cover = paths[:, :, lead:].sum(axis=2)
            for knob, level in enumerate(self._levels):
                left = project(on_hand[knob, rows], due[knob, rows], paths[:, :, :lead])
                order[knob, rows] = myopic_order(left, cover, float(level))
        return order


def debut(world: World, cycle: int) -> tuple[Decide, int]:
    """See `Debut`."""
    return Debut(world, cycle), KNOBS


def _late(demand: Array, t: int, window: int) -> tuple[Array, Array]:
    """Mean and standard deviation over the last periods before t (N,), unknown ones left out."""
    late = demand[:, max(0, t - window) : t]
    known = np.isfinite(late)
    count = np.maximum(known.sum(axis=1), 1)
    mean = np.where(known, late, 0.0).sum(axis=1) / count
    spread = np.where(known, (late - mean[:, None]) ** 2, 0.0).sum(axis=1) / count
    return mean, np.sqrt(spread)
