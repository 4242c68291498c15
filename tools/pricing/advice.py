"""Five ways to set a price, side by side, each from what is known or with the reason why it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shop import ToolError
from tools.elasticity import Elasticity
from tools.pricing.kernels import best_price, price_floor, usual_endings, weighted_quantile, with_ending
from tools.pricing.ladder import Ladder

Array = NDArray[np.float64]
Strategy = Literal["cost", "market", "competition", "value", "profit"]
STRATEGIES: tuple[Strategy, ...] = ("cost", "market", "competition", "value", "profit")
NO_COST = "the cost is not known; the buyer or the supplier's offer can supply it"
NO_SLOPE = "past prices of this shop do not tell how demand answers to price; a price test would"
_COSTED = 3


@dataclass(frozen=True)
class Advice:
    """The prices of the strategies.

    Attributes:
        prices: By strategy; None where it cannot be answered.
        reasons: Why, for those.
        chosen: The strategy that the recommendation follows: the one asked, or the market where that is unknown.
        price: The recommended price.
        low: Lower end of the prices that are about as good.
        high: Upper end.
        floor: Lowest price that keeps the minimum margin; None without a cost.
    """

    prices: dict[Strategy, float | None]
    reasons: dict[Strategy, str]
    chosen: Strategy
    price: float
    low: float
    high: float
    floor: float | None


def advise(
    ladder: Ladder,
    cost: float | None,
    elasticity: Elasticity | None,
    strategy: Strategy,
    min_margin: float,
    currency: str,
) -> Advice:
    """Weigh cost, ladder and elasticity into a price.

    Args:
        ladder: At least one comparable product.
        cost: Per unit; None where unknown.
        elasticity: None, or not identified, where the data do not tell.
        strategy: The one to follow.
        min_margin: Share of the price that must remain above the cost.
        currency: For the refusal's wording.

    Raises:
        ToolError: The floor lies above every price that buyers pay for comparable products.
    """
    low, high = ladder.support
    floor = price_floor(cost, min_margin) if cost is not None else None
    if floor is not None and floor > high:
        raise ToolError(
            f"At a cost of {cost:.2f} {currency} and a margin of at least {min_margin:.0%} the price would start at "
            f"{floor:.2f}, but nothing comparable sells above {high:.2f}; lower the cost or the margin, "
            "or draft it in a dearer category."
        )
    bottom = max(low, floor or 0.0)
    raw, reasons = _raw_prices(ladder, cost, elasticity, (bottom, high))
    endings = usual_endings(ladder.listed)
    prices: dict[Strategy, float | None] = {
        name: None if value is None else with_ending(max(value, bottom), endings, bottom, high)
        for name, value in raw.items()
    }
    chosen: Strategy = strategy if prices[strategy] is not None else "market"
    price = prices[chosen]
    assert price is not None
    span = _range(ladder, cost, elasticity, chosen, (bottom, high))
    return Advice(prices, reasons, chosen, price, min(span[0], price), max(span[1], price), floor)


def _raw_prices(
    ladder: Ladder, cost: float | None, elasticity: Elasticity | None, bounds: tuple[float, float]
) -> tuple[dict[Strategy, float | None], dict[Strategy, str]]:
    own = ladder.own
    paid, units = own["price"].to_numpy(dtype=float), own["units"].to_numpy(dtype=float)
    prices: dict[Strategy, float | None] = {
        "market": weighted_quantile(paid, own["similarity"].to_numpy(dtype=float) + 1e-9, 0.5),
        # What three quarters of the units in this group went for or less: buyers have shown that they pay it.
        "value": weighted_quantile(paid, units, 0.75),
        "competition": None if ladder.rivals.empty else float(ladder.rivals["price"].median()),
        "cost": None,
        "profit": None,
    }
    reasons: dict[Strategy, str] = {"competition": "no competitor price is on record for the comparable products"}
    costed = own.dropna(subset=["cost"])
    if cost is None:
        reasons |= {"cost": NO_COST, "profit": NO_COST}
        return prices, reasons
    if len(costed) >= _COSTED:
        margin = float((1 - costed["cost"] / costed["price"]).median())
        prices["cost"] = cost / (1 - margin) if margin < 1 else None
    reasons["cost"] = "too few comparable products have a cost on record to tell the usual margin"
    if elasticity is not None and elasticity.identified:
        prices["profit"] = best_price(cost, elasticity.value, *bounds)
    reasons["profit"] = NO_SLOPE
    return prices, reasons


def _range(
    ladder: Ladder, cost: float | None, elasticity: Elasticity | None, chosen: Strategy, bounds: tuple[float, float]
) -> tuple[float, float]:
    if chosen == "profit" and cost is not None and elasticity is not None:
        ends = (best_price(cost, elasticity.low, *bounds), best_price(cost, elasticity.high, *bounds))
        return min(ends), max(ends)
    pool = ladder.rivals["price"] if chosen == "competition" else ladder.own["price"]
    quartiles = np.clip(np.quantile(pool.to_numpy(dtype=float), [0.25, 0.75]), *bounds)
    return float(quartiles[0]), float(quartiles[1])
