"""What a brief's first buy, price and verdict cost or earned, against simple rules and against knowing the future."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.briefs_shop import WEEKS, Array
from benchmarks.briefs_write import Planned
from benchmarks.result import Result, bootstrap
from tools.inventory.newsvendor import worth

CLEARANCE = 0.5  # share of the cost that an unsold unit brings: what `plan_inventory` takes unless told otherwise
KEYSTONE = 2.0  # the trade's cost-plus rule: twice the cost
PRICE_RANGE = (0.5, 2.0)  # of the price it was launched at, in which another one is imagined
DRAWS = 500
_STEPS = 61
Mask = NDArray[np.bool_]
Extra = dict[str, Any]


def first_buy_results(plans: Sequence[Planned], extra: Extra) -> list[Result]:
    """Money lost by the first buy, as a share of what the oracle's buy earns and per launch.

    The buy meets the demand of the weeks it has to cover; sales stand for demand. Leftovers are judged twice: `cleared`
    when the cover ends, as the newsvendor plans, and `sold_on` until week twelve, what then is left cleared.

    Methods: `debut`; `category_mean_cover`, the mean weekly sales of the category's finished launches times the cover;
    `category_median_cover`, the same with the median launch; `debut_p50_cover`, our own P50 without the newsvendor;
    `oracle`, the demand as it came.
    """
    known = [p for p in plans if p.cost is not None and p.launch.price is not None and _buys(p) is not None]
    if not known:
        return [Result("debut", "first_buy_lost", None, extra=extra)]
    price = np.array([p.launch.price for p in known], dtype=float)
    cost = np.array([p.cost for p in known], dtype=float)
    buys = {name: np.array([_bought(p)[name] for p in known]) for name in _bought(known[0])}
    came = np.stack([np.nan_to_num(p.launch.actual) for p in known])
    cover = np.array([came[i, : p.cover].sum() for i, p in enumerate(known)])
    season = came.sum(axis=1)
    accounts: dict[str, Callable[[Array], Array]] = {
        "cleared": lambda buy: worth(np.minimum(buy, cover), buy, price, cost, CLEARANCE),
        "sold_on": lambda buy: _sold_on(buy, cover, season, price, cost),
    }
    rows = []
    for account, earns in accounts.items():
        best = earns(cover)
        lost = {name: best - earns(buy) for name, buy in buys.items()} | {"oracle": np.zeros(len(known))}
        rows += _lost_rows("first_buy", lost, best, {**extra, "leftovers": account})
    return rows


def price_results(plans: Sequence[Planned], elasticity: float, extra: Extra) -> list[Result]:
    """Money lost by the price over twelve weeks if demand answered with an assumed constant elasticity.

    A real launch shows one price; what another would have sold is not in the data, so this is a scenario and no
    measurement. Methods: `debut`, the recommended price; `keep_price`, what it was launched at; `cost_plus`, twice the
    cost; `category_median`, the median list price of the category's finished launches; `oracle`, the best price in
    `PRICE_RANGE` for this elasticity.
    """
    known = [p for p in plans if None not in (p.cost, p.launch.price, p.price) and len(p.past_prices)]
    if not known:
        return [Result("debut", "price_lost", None, extra=extra)]
    launched = np.array([p.launch.price for p in known], dtype=float)
    cost = np.array([p.cost for p in known], dtype=float)
    units = np.array([np.nansum(p.launch.actual) for p in known])

    def earns(price: Array) -> Array:
        bounded = np.clip(price, PRICE_RANGE[0] * launched, PRICE_RANGE[1] * launched)
        return np.asarray((bounded - cost) * units * (bounded / launched) ** elasticity)

    tried = np.geomspace(*PRICE_RANGE, _STEPS)[:, None] * launched
    best = np.max([earns(price) for price in (*tried, launched)], axis=0)
    prices = {
        "debut": np.array([p.price for p in known], dtype=float),
        "keep_price": launched,
        "cost_plus": KEYSTONE * cost,
        "category_median": np.array([np.median(p.past_prices) for p in known]),
    }
    lost = {name: best - np.minimum(earns(price), best) for name, price in prices.items()}
    return _lost_rows("price", lost | {"oracle": np.zeros(len(known))}, best, {**extra, "elasticity": elasticity})


def verdict_results(plans: Sequence[Planned], extra: Extra) -> list[Result]:
    """The verdict against what the launch then earned: twelve weeks' takings and clearance less the first buy's cost.

    A launch paid off when that is above zero: one buy, as the brief planned it. `paid` is the share that did, by
    verdict; `hit_rate` the share of launches where "not no-go" (or, stricter, "go") and paying off agree; `earned` the
    mean money per launch when only those are launched. Rivals: `always_go`, `always_stop`, and the `oracle`.
    """
    known = [p for p in plans if p.cost is not None and p.launch.price is not None and p.first_buy is not None]
    if not known:
        return [Result("debut", "hit_rate", None, extra=extra)]
    earned = np.array([_earned(p) for p in known])
    every = np.ones(len(known), dtype=bool)
    policies: dict[str, Mask] = {"always_go": every, "always_stop": ~every, "oracle": earned > 0}
    rows = [_mean("always_go", "paid", (earned > 0).astype(float), {**extra, "verdict": "any"})]
    said = np.array([p.verdict for p in known])
    for verdict in ("go", "conditional", "no-go"):
        paid = (earned > 0).astype(float)[said == verdict]
        rows.append(_mean("debut", "share", (said == verdict).astype(float), {**extra, "verdict": verdict}))
        rows.append(_mean("debut", "paid", paid, {**extra, "verdict": verdict}))
    policies |= {"debut": said != "no-go", "debut_go_only": said == "go"}
    for name, launched in policies.items():
        rows.append(_mean(name, "hit_rate", (launched == (earned > 0)).astype(float), dict(extra)))
        rows.append(_mean(name, "earned", np.where(launched, earned, 0.0), dict(extra)))
    return rows + _plan_reached(known, extra) + chance_results(known, extra)


def chance_results(plans: Sequence[Planned], extra: Extra) -> list[Result]:
    """How good the brief's chance that the outlay is not covered is: Brier score, and how often it was not covered.

    Rivals: `category_rate`, the share of the category's finished launches that sold fewer units than this one needs;
    `always_go`, which sees no risk; and `base_rate`, the share that was not covered in the test, which nobody knows
    beforehand: a chance without any skill scores no better than it.
    """
    known = [p for p in plans if p.break_even is not None and p.p_uncovered is not None and len(p.past)]
    missed = np.array([np.nansum(p.launch.actual) < (p.break_even or 0.0) for p in known], dtype=float)
    said = {
        "debut": np.array([p.p_uncovered for p in known], dtype=float),
        "category_rate": np.array([(p.past.sum(axis=1) < (p.break_even or 0.0)).mean() for p in known], dtype=float),
        "always_go": np.zeros(len(known)),
        "base_rate": np.full(len(known), missed.mean() if len(known) else 0.0),
    }
    rows = [_mean("actual", "uncovered", missed, dict(extra))]
    for name, chance in said.items():
        rows.append(_mean(name, "uncovered", chance, {**extra, "says": "chance"}))
        rows.append(_mean(name, "uncovered_brier", (chance - missed) ** 2, dict(extra)))
    return rows


def _plan_reached(plans: Sequence[Planned], extra: Extra) -> list[Result]:
    """How often a launch reached its P50, and how often the brief said that its analogues did."""
    known = [p for p in plans if p.total is not None and p.base_rate is not None]
    reached = np.array([np.nansum(p.launch.actual) >= p.total[1] for p in known if p.total is not None], dtype=float)
    said = np.array([p.base_rate for p in known], dtype=float)
    return [
        _mean("actual", "reached_plan", reached, dict(extra)),
        _mean("debut", "reached_plan", said, {**extra, "says": "base rate"}),
    ]


def _buys(plan: Planned) -> dict[str, float] | None:
    if plan.first_buy is None or plan.cover is None or plan.weekly is None or not len(plan.past):
        return None
    weeks = min(plan.cover, WEEKS)
    by_week = plan.past[:, :weeks]
    return {
        "debut": plan.first_buy,
        "category_mean_cover": float(np.ceil(plan.past.mean() * weeks)),
        "category_median_cover": float(np.ceil(np.median(by_week.sum(axis=1)))),
        "debut_p50_cover": float(np.ceil(plan.weekly[:weeks, 1].sum())),
    }


def _bought(plan: Planned) -> dict[str, float]:
    found = _buys(plan)
    assert found is not None
    return found


def _sold_on(buy: Array, cover: Array, season: Array, price: Array, cost: Array) -> Array:
    """Profit of the first buy when what outlasts the cover is sold in place of a second order.

    Leftovers beyond the season are cleared; what a second order sells is nobody's merit and is left out, so a unit sold
    after the cover counts as the cost that it spares.
    """
    sold = np.minimum(buy, cover)
    spared = np.clip(buy - cover, 0, season - cover)
    cleared = np.maximum(buy - np.maximum(season, cover), 0)
    return np.asarray(price * sold + cost * spared + CLEARANCE * cost * cleared - cost * buy)


def _earned(plan: Planned) -> float:
    assert plan.first_buy is not None
    buy, price, cost = (np.array(value, dtype=float) for value in (plan.first_buy, plan.launch.price, plan.cost))
    return float(worth(np.minimum(buy, np.nansum(plan.launch.actual)), buy, float(price), float(cost), CLEARANCE))


def _lost_rows(what: str, lost: dict[str, Array], best: Array, extra: Extra) -> list[Result]:
    """Money lost per launch and as a share of the oracle's profit, and how much less than the best simple rule."""
    rows = []
    for name, money in lost.items():
        pairs = np.column_stack([money, best])
        low, high = bootstrap(pairs, _share, draws=DRAWS)
        rows.append(Result(name, f"{what}_lost", _share(pairs), low, high, len(money), dict(extra)))
        rows.append(_mean(name, f"{what}_money_lost", money, dict(extra)))
    rivals = [name for name in lost if name not in ("oracle", "keep_price") and not name.startswith("debut")]
    rival = min(rivals, key=lambda name: lost[name].sum())
    pairs = np.column_stack([lost[rival] - lost["debut"], best])
    low, high = bootstrap(pairs, _share, draws=DRAWS)
    gain = Result("debut", f"{what}_saving", _share(pairs), low, high, len(best), {**extra, "against": rival})
    return [*rows, gain]


def _share(pairs: Array) -> float:
    return float(pairs[:, 0].sum() / max(pairs[:, 1].sum(), 1e-9))


def _mean(method: str, metric: str, values: Array, extra: Extra) -> Result:
    if not len(values):
        return Result(method, metric, None, extra=extra)
    low, high = bootstrap(values, draws=DRAWS)
    return Result(method, metric, float(values.mean()), low, high, len(values), extra)
