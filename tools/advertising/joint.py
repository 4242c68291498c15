"""One limit of money for the first buy and advertising: the last unit of money brings as much in either."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shop import Draft, Product, Shop, ToolError
from tools.figures import Sheet
from tools.inventory.demand import weekly_demand
from tools.inventory.newsvendor import critical_ratio

Array = NDArray[np.float64]
_COVER = 7  # weeks that a first buy lasts: thirty days of delivery and a fortnight of sales, as plan_inventory has it
_CLEARED = 0.5  # share of its cost that an unsold unit of a launch still brings, likewise
_HALVINGS = 60


@dataclass(frozen=True)
class Buy:
    """A first buy whose size is open: demand over its cover by draw (N,), price, cost, and what a unit left brings."""

    demand: Array
    price: float
    cost: float
    residual: float

    def money(self, rate: float) -> float:
        """What to spend on stock so that its last unit of money is expected to bring `rate`; at one, the newsvendor's.

        The last unit sells with the chance that demand exceeds the buy, and brings the residual otherwise.
        """
        asked = self.cost * rate
        if asked >= self.price:
            return 0.0
        ratio = 1.0 if asked <= self.residual else critical_ratio(self.price, asked, asked - self.residual)
        return self.cost * float(np.quantile(self.demand, ratio, method="inverted_cdf"))


@dataclass(frozen=True)
class Shared:
    """A limit split: money for the buy, the most for advertising, and what the last unit of money brings in both."""

    stock: float
    ads: float
    rate: float


def split_limit(limit: float, buy: Buy, spent: Array, brought: Array) -> Shared:
    """The split at which the last unit of money brings the same in stock and advertising, and at least itself.

    Args:
        limit: Money for both.
        buy: The first buy.
        spent: Rising advertising budgets (n,).
        brought: What the last unit of money brings at each (n,); counted as never rising.
    """
    falling = np.minimum.accumulate(brought)

    def both(rate: float) -> tuple[float, float]:
        worthwhile = int((falling >= rate).sum())
        return buy.money(rate), float(spent[worthwhile - 1]) if worthwhile else 0.0

    low, high = 1.0, max(float(falling[0]), buy.price / buy.cost) + 1.0
    if sum(both(low)) <= limit:
        # There is money for all that pays; what stock leaves may go to advertising, worthwhile or not.
        return Shared(both(low)[0], limit - both(low)[0], low)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(both(middle)) > limit else (low, middle)
    return Shared(*both(high), high)


def share_limit(
    shop: Shop, item: Draft | Product | None, limit: float, curve: tuple[Array, Array], costed: bool
) -> tuple[Shared | None, str]:
    """The limit split between a draft's first buy and advertising, or why it cannot be.

    Raises:
        ToolError: Stock takes all of it.
    """
    buy, reason = first_buy(shop, item)
    if buy is None:
        return None, reason
    if not costed:
        return None, "returns of advertising are known in revenue only, since costs are not"
    shared = split_limit(limit, buy, *curve)
    if shared.ads <= 0:
        raise ToolError(
            f"Up to {limit:g} every unit of money brings more in stock than in advertising, so nothing is left for "
            "advertising; raise the limit, or say with committed what stock is to get."
        )
    return shared, ""


def first_buy(shop: Shop, item: Draft | Product | None) -> tuple[Buy | None, str]:
    """The first buy of a draft, or why it is not known."""
    if not isinstance(item, Draft):
        return None, "only a product being planned has a first buy; give what is promised to stock as committed"
    if item.cost is None or item.price is None or item.cost >= item.price:
        return None, "the first buy needs a cost and a price above it"
    try:
        demand = weekly_demand(shop, item, _COVER)
    except ToolError as error:
        return None, str(error)
    return Buy(demand.draws.sum(axis=1), item.price, item.cost, item.cost * _CLEARED), ""


def enter_limit(
    sheet: Sheet, limit: float | None, committed: float | None, shared: Shared | None, planned: float, reason: str
) -> None:
    """Enter what stock and advertising take of the limit, and what is left for promotion.

    Args:
        sheet: Takes the figures.
        limit: Money for everything; None where none was given.
        committed: What was said to be promised already; None where it was left open.
        shared: The split, where the first buy was open.
        planned: What advertising is to cost.
        reason: Why the first buy is not known.
    """
    none = "no joint limit was given" if limit is None else "what is promised was given" if committed else reason
    stock = shared.stock if shared is not None else committed
    how = "first buy at which the last unit of money brings as much as in advertising" if shared else "as given"
    sheet.add("ads.limit", "Joint limit", limit, "money", "as given", reason="no joint limit was given")
    sheet.add("ads.stock_money", "Promised to stock and promotion, or the first buy", stock, "money", how, reason=none)
    rate = None if shared is None else shared.rate
    label = "What the last unit of money brings, in stock as in advertising"
    sheet.add("ads.joint_return", label, rate, "ratio", "the rate at which both together fit the limit", reason=none)
    left = None if limit is None or stock is None else limit - stock - planned
    words = "limit less stock and advertising"
    sheet.add("ads.left", "Left of the limit, for promotion", left, "money", words, reason=none)
