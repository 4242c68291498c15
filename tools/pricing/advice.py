"""Five ways to set a price, side by side, each from what is known or with the reason why it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shop import ToolError
from tools.elasticity import Elasticity
from tools.pricing.hedonic import Hedonic
from tools.pricing.kernels import price_floor, usual_endings, weighted_quantile, with_ending
from tools.pricing.ladder import Ladder
from tools.pricing.robust import Choice, robust_price

Array = NDArray[np.float64]
Strategy = Literal["cost", "market", "competition", "value", "profit"]
STRATEGIES: tuple[Strategy, ...] = ("cost", "market", "competition", "value", "profit")
NO_COST = "the cost is not known; the buyer or the supplier's offer can supply it"
NO_SLOPE = "past prices of this shop do not tell how demand answers to price; a price test would"
STEP = 0.1  # most that a price on sale may move at once, as a share of it
_COSTED = 3
_DRAWS = 400
HEDONIC_FIT = 0.2  # share of price differences that attributes must explain to set a price by them


@dataclass(frozen=True)
class Subject:
    """What is priced.

    Attributes:
        cost: Per unit; None where unknown.
        current: The price planned or charged now; None where there is none.
        selling: Whether it is on sale, so that a price may only move by a step.
        category: Its path.
        attributes: What it is.
        stock: Units that can be sold at all over units expected at the current price; None for no limit.
    """

    cost: float | None
    current: float | None
    selling: bool
    category: str
    attributes: dict[str, str]
    stock: float | None = None


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
        evidence: Lowest and highest price that past prices say anything about; None where they say nothing.
    """

    prices: dict[Strategy, float | None]
    reasons: dict[Strategy, str]
    chosen: Strategy
    price: float
    low: float
    high: float
    floor: float | None
    evidence: tuple[float, float] | None


def advise(
    subject: Subject,
    ladder: Ladder,
    elasticity: Elasticity | None,
    hedonic: Hedonic | None,
    strategy: Strategy,
    min_margin: float,
    currency: str,
) -> Advice:
    """Weigh cost, ladder, attributes and elasticity into a price.

    Args:
        subject: What is priced.
        ladder: At least one comparable product.
        elasticity: None, or not identified, where the data do not tell.
        hedonic: What attributes are worth; None where the data do not tell.
        strategy: The one to follow.
        min_margin: Share of the price that must remain above the cost.
        currency: For the refusal's wording.

    Raises:
        ToolError: The floor lies above every price that buyers pay for comparable products.
    """
    low, high = ladder.support
    if subject.selling and subject.current is not None:
        # What the product sells at is seen, even where comparable products are cheaper or dearer.
        low, high = min(low, subject.current), max(high, subject.current)
    floor = None if subject.cost is None else price_floor(subject.cost, min_margin)
    if floor is not None and floor > high:
        raise ToolError(
            f"At a cost of {subject.cost:.2f} {currency} and a margin of at least {min_margin:.0%} the price would "
            f"start at {floor:.2f}, but nothing comparable sells above {high:.2f}; lower the cost or the margin, "
            "or draft it in a dearer category."
        )
    bounds = (max(low, floor or 0.0), high)
    raw, reasons = _raw_prices(subject, ladder, hedonic)
    endings = usual_endings(ladder.listed)
    prices: dict[Strategy, float | None] = {
        name: None if value is None else with_ending(max(value, bounds[0]), endings, *bounds)
        for name, value in raw.items()
    }
    reference = _reference(subject, prices["market"], bounds)
    evidence = evidence_range(reference, elasticity)
    best = _profitable(subject, reference, elasticity, evidence, bounds, endings)
    prices["profit"] = None if best is None else best.price
    chosen: Strategy = strategy if prices[strategy] is not None else "market"
    price = prices[chosen]
    assert price is not None
    span = (best.low, best.high) if chosen == "profit" and best is not None else _quartiles(ladder, chosen, bounds)
    return Advice(prices, reasons, chosen, price, min(span[0], price), max(span[1], price), floor, evidence)


def evidence_range(reference: float | None, elasticity: Elasticity | None) -> tuple[float, float] | None:
    """Prices as far from the reference as past prices went from their usual ones."""
    if reference is None or elasticity is None or not elasticity.identified:
        return None
    return reference * min(elasticity.low_price, 1.0), reference * max(elasticity.high_price, 1.0)


def _reference(subject: Subject, market: float | None, bounds: tuple[float, float]) -> float | None:
    """The price that elasticities count from: the current one, unless a plan lies where nothing comparable sells."""
    inside = subject.current is not None and bounds[0] <= subject.current <= bounds[1]
    return subject.current if subject.selling or inside else market


def _profitable(
    subject: Subject,
    reference: float | None,
    elasticity: Elasticity | None,
    evidence: tuple[float, float] | None,
    bounds: tuple[float, float],
    endings: Array,
) -> Choice | None:
    """The best price on average over the elasticity, inside the evidence and no more than a step away."""
    if subject.cost is None or elasticity is None or evidence is None or reference is None:
        return None
    low, high = max(bounds[0], evidence[0]), min(bounds[1], evidence[1])
    if subject.selling:
        low, high = max(low, reference * (1 - STEP)), min(high, reference * (1 + STEP))
    # A floor above the evidence comes first: the price is then the floor, and nothing is known about its demand.
    low, high = max(low, bounds[0]), max(high, bounds[0])
    slopes = elasticity.draws(_DRAWS, np.random.default_rng(0))
    return robust_price(subject.cost, slopes, reference, (low, max(low, high)), endings, subject.current, subject.stock)


def _raw_prices(
    subject: Subject, ladder: Ladder, hedonic: Hedonic | None
) -> tuple[dict[Strategy, float | None], dict[Strategy, str]]:
    own = ladder.own
    paid, units = own["price"].to_numpy(dtype=float), own["units"].to_numpy(dtype=float)
    prices: dict[Strategy, float | None] = {
        "market": weighted_quantile(paid, own["similarity"].to_numpy(dtype=float) + 1e-9, 0.5),
        # What three quarters of the units in this group went for or less: buyers have shown that they pay it.
        "value": weighted_quantile(paid, units, 0.75),
        "competition": None if ladder.rivals.empty else float(ladder.rivals["price"].median()),
        "cost": None,
    }
    if hedonic is not None and hedonic.fit >= HEDONIC_FIT:
        worth = hedonic.price(subject.category, subject.attributes)
        prices["value"] = worth[0] if worth is not None else prices["value"]
    reasons: dict[Strategy, str] = {
        "competition": "no competitor price is on record for the comparable products",
        "cost": NO_COST,
        "profit": NO_COST if subject.cost is None else NO_SLOPE,
    }
    costed = own.dropna(subset=["cost"])
    if subject.cost is None:
        return prices, reasons
    reasons["cost"] = "too few comparable products have a cost on record to tell the usual margin"
    if len(costed) >= _COSTED:
        margin = float((1 - costed["cost"] / costed["price"]).median())
        prices["cost"] = subject.cost / (1 - margin) if margin < 1 else None
    return prices, reasons


def _quartiles(ladder: Ladder, chosen: Strategy, bounds: tuple[float, float]) -> tuple[float, float]:
    pool = ladder.rivals["price"] if chosen == "competition" else ladder.own["price"]
    quartiles = np.clip(np.quantile(pool.to_numpy(dtype=float), [0.25, 0.75]), *bounds)
    return float(quartiles[0]), float(quartiles[1])
