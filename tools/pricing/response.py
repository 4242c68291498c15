"""What the nearest rival would best do about a price: logit demand of both, calibrated to elasticity and prices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shop import Shop
from tools.elasticity import Elasticity
from tools.figures import Sheet, evidence
from tools.pricing.advice import NO_COST, NO_SLOPE, Advice
from tools.pricing.ladder import Ladder
from tools.pricing.range import logit_shares
from tools.pricing.rivals import best_response, certified, logit_payoff

Array = NDArray[np.float64]
# Each seller's share of the buyers. A rival's sales are never seen, so the answer is given for small to large.
SHARES = (0.1, 0.25, 0.4)
_NO_RIVAL = "no rival price is on record for the comparable products"
_NO_FIT = "demand answers price so little that no rival with a cost of its own would ask what the nearest one asks"
_REACH = 0.3  # how far a price may move in answer, as a share of it


@dataclass(frozen=True)
class Answer:
    """A rival's best answer to a new price of ours.

    Attributes:
        price: Its best answer at the middle share.
        low, high: Lowest and highest over the shares tried.
        change: Of our units at the new price by its answer, as a share, at the middle share of the buyers.
        regret: The most that either of us could still gain alone after that, as a share of our profit.
    """

    price: float
    low: float
    high: float
    change: float
    regret: float


def nearest_rival(ladder: Ladder, own: float) -> tuple[str, float] | None:
    """The rival whose price for a comparable product lies nearest to ours, and that price; None without one."""
    if ladder.rivals.empty:
        return None
    prices = ladder.rivals["price"].to_numpy(dtype=float)
    at = int(np.abs(np.log(prices / own)).argmin())
    return str(ladder.rivals["competitor"].iloc[at]), float(prices[at])


def rival_answer(now: float, price: float, cost: float, elasticity: float, rival: float) -> Answer | None:
    """How a rival with a product like ours would best answer (Anderson, de Palma and Thisse, 1992).

    Buyers choose ours, the rival's or neither by multinomial logit. Its slope is what our elasticity says at today's
    price, its levels are today's shares, and the rival's cost is the one at which what it asks today is its best.

    Args:
        now: Our price today.
        price: Our new price.
        cost: Ours per unit.
        elasticity: Of our units to our price, below zero.
        rival: What it asks today.

    Returns:
        None where only a negative cost would make today's price the rival's best.
    """
    found = [_at_share(now, price, cost, elasticity, rival, share) for share in SHARES]
    if found[len(found) // 2] is None:
        return None
    told = [each for each in found if each is not None]
    middle, change, regret = found[len(found) // 2] or (0.0, 0.0, 0.0)
    return Answer(middle, min(each[0] for each in told), max(each[0] for each in told), change, regret)


def _at_share(
    now: float, price: float, cost: float, elasticity: float, rival: float, share: float
) -> tuple[float, float, float] | None:
    """Answer, change of our units by it, and regret, where either seller serves `share` of the buyers today."""
    slope = -elasticity / (now * (1 - share))
    its_cost = rival - 1 / (slope * (1 - share))
    if its_cost <= 0:
        return None
    today = np.array([now, rival], dtype=float)
    appeal = np.log(share / (1 - 2 * share)) + slope * today
    payoff = logit_payoff(appeal, slope, np.array([cost, its_cost], dtype=float))
    bounds = [(max(cost, price * (1 - _REACH)), price * (1 + _REACH)), (its_cost, rival * (1 + _REACH))]
    answer = best_response(payoff, 1, np.array([price, rival], dtype=float), bounds[1])
    end = certified(payoff, np.array([price, answer], dtype=float), bounds)
    before, after = (logit_shares(np.array([[price, its]]), appeal, slope)[0, 0] for its in (rival, answer))
    return answer, float(after / before - 1), end.regret / max(float(end.profits[0]), 1e-12)


def competitor_response(
    shop: Shop,
    sheet: Sheet,
    advice: Advice,
    ladder: Ladder,
    elasticity: Elasticity | None,
    cost: float | None,
    current: float | None,
) -> None:
    """Enter how the nearest rival would best answer the recommended price, and what that leaves."""
    now = current or advice.price
    rival = nearest_rival(ladder, now)
    known = elasticity is not None and elasticity.identified
    reason = _NO_RIVAL if rival is None else NO_COST if cost is None else "" if known else NO_SLOPE
    answer = None
    if not reason and rival is not None and cost is not None and elasticity is not None:
        answer = rival_answer(now, advice.price, cost, elasticity.value, rival[1])
        reason = _NO_FIT if answer is None else ""
    rows = evidence(shop, "competitor_prices", {"sku": tuple(ladder.rivals["sku"])}) if rival else None
    name, asked = rival or (None, None)
    nearest = "among rivals' latest prices for comparable products the nearest to ours"
    label = "Nearest rival"
    sheet.add("price.rival_name", label, name, "text", nearest, rows=rows, reason=_NO_RIVAL, untrusted=True)
    sheet.add("price.rival_price", "What it asks now", asked, "money", nearest, rows=rows, reason=_NO_RIVAL)
    sheet.add(
        "price.rival_response",
        "Its best answer to the recommended price",
        answer.price if answer else None,
        "money",
        "best response under logit demand with our elasticity and the rival's cost at which its price today is its "
        "best; bounds over a tenth to two fifths of the buyers for either seller",
        low=answer.low if answer else None,
        high=answer.high if answer else None,
        reason=reason,
    )
    how = "the same logit demand before and after the answer"
    change = answer.change if answer else None
    sheet.add("price.rival_units_change", "Change of our units by its answer", change, "share", how, reason=reason)
    sheet.add(
        "price.rival_regret",
        "Most that either side could still gain alone, over our profit",
        answer.regret if answer else None,
        "share",
        "best responses tried on both sides once the rival has answered: none at a Nash equilibrium",
        reason=reason,
    )
