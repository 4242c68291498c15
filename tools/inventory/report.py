"""The stock answer as figures, tables and a chart; `words` puts it in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from shop import Chart, Draft, Product, Table
from tools.figures import Sheet
from tools.inventory.demand import WeeklyDemand
from tools.inventory.flips import Flips, Money, flips
from tools.inventory.markov import STATES
from tools.inventory.newsvendor import expected_cost, newsvendor
from tools.inventory.option import second_order
from tools.inventory.plan import HOLDING_A_YEAR, JUDGED_WEEKS, Needs, Plan, plain_rule
from tools.inventory.rules import eoq, open_to_buy

_REGRET_AT = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
_NO_MONEY = "cost and price are not both known; the buyer or the supplier's offer can supply them"
_NO_COST = "the cost is not known; the buyer or the supplier's offer can supply it"
_NO_STOCK = "stock on hand is not on record; import a stock count, or take it off the order-up-to level"


@dataclass(frozen=True)
class Asked:
    """The question: item, needs, where the service level comes from, days as said, and money where it is known."""

    item: Draft | Product
    needs: Needs
    service_words: str
    lead_days: int
    money: Money | None
    order_cost: float | None
    minimum: float | None
    pack: float | None
    first_buy: int | None = None


def levels(sheet: Sheet, asked: Asked, demand: WeeklyDemand, plan: Plan) -> None:
    """What to buy, and when again."""
    needs = asked.needs
    target = "fill rate" if needs.fill is not None else "service level"
    how = f"order-up-to level less stock on hand, in whole packs and at least the minimum; demand from {demand.basis}"
    how = how if asked.first_buy is None else "as given"
    sheet.add("buy.first_buy", "Buy now", plan.order, "units", how, rows=demand.rows, reason=_NO_STOCK)
    words = f"quantile of demand over the cover at the {target} (newsvendor); demand from {demand.basis}"
    sheet.add("buy.order_up_to", "Order-up-to level", plan.up_to, "units", words, rows=demand.rows)
    sheet.add("buy.lead_time", "Lead time", asked.lead_days, "days", "as given")
    sheet.add("buy.service_level", "Service level", needs.service, "share", asked.service_words)
    if needs.fill is not None:
        sheet.add("buy.fill_rate", "Fill rate asked for", needs.fill, "share", "as given; it sets the levels")
    sheet.add("buy.cover_weeks", "Weeks of cover", needs.cover, "weeks", "review plus lead time, in whole weeks")
    sheet.add("buy.review", "Review rhythm", needs.review, "weeks", "as asked, in whole weeks")
    sheet.add_draws(
        "buy.demand_over_cover",
        "Demand over the cover, P50 (P10 to P90)",
        plan.over_cover,
        "units",
        f"from {demand.basis}",
        demand.rows,
    )
    words = "reorder point less median demand over lead time plus a week: what errors of the forecast may take"
    sheet.add("buy.safety_stock", "Safety stock", plan.safety, "units", words)
    words = (
        "normal quantile of the service level times the root of forecast-error and lead-time variance over the weeks"
    )
    sheet.add("buy.safety_stock_normal", "Safety stock if errors were normal", plan.safety_normal, "units", words)
    words = f"quantile of demand over lead time plus a week at the {target}; on hand plus on order, watched weekly"
    sheet.add("buy.reorder_point", "Reorder point", plan.reorder_point, "units", words)
    sheet.add(
        "buy.minimum_order", "Minimum order", asked.minimum, "units", "attribute of the product", reason="not on record"
    )
    sheet.add("buy.pack_size", "Pack size", asked.pack, "units", "attribute of the product", reason="not on record")
    if demand.launched:
        sheet.add("buy.on_hand", "Stock on hand", needs.on_hand, "units", "latest stock count", reason=_NO_STOCK)


def risks(sheet: Sheet, asked: Asked, plan: Plan) -> Table:
    """How it can go wrong, now and in the long run."""
    words = "share of simulated runs, the reorder rule followed, demand without stock lost"
    sheet.add("buy.p_stockout", "Chance to run out by week twelve", plan.p_stockout, "share", words)
    words = "share of simulated runs, later orders not counted"
    sheet.add(
        "buy.p_overstock", "Chance of a quarter of the buy unsold at week twelve", plan.p_overstock, "share", words
    )
    cost = asked.item.cost
    cash = None if cost is None or plan.order is None else plan.order * cost
    sheet.add(
        "buy.cash",
        "Cash tied up in the buy",
        cash,
        "money",
        "buy times cost per unit",
        reason=_NO_COST if cost is None else _NO_STOCK,
    )
    sheet.add(
        "buy.second_order_week",
        "Week of the next order",
        plan.second_order,
        "count",
        "median over simulated runs of the first week that finds stock at or under the reorder point",
        reason="most simulated runs need no further order within the weeks looked at",
    )
    cells = []
    how = "stationary share of weeks of the Markov chain between the states, moves counted in the simulated runs"
    for name, share in zip(STATES, plan.long_run, strict=True):
        figure = f"buy.state_{name.replace(' ', '_')}"
        cells.append((name, sheet.add(figure, f"Weeks {name} in the long run", float(share), "share", how)))
    return Table(title="State of stock in the long run", columns=("State", "Share of weeks"), rows=tuple(cells))


def budget(sheet: Sheet, asked: Asked, demand: WeeklyDemand, plan: Plan) -> None:
    """Order rhythm and open-to-buy over the weeks judged."""
    weekly, cost = float(demand.draws[:, :JUDGED_WEEKS].mean()), asked.item.cost
    size = None
    if asked.order_cost is not None and cost is not None and weekly > 0:
        size = eoq(weekly, asked.order_cost, cost * HOLDING_A_YEAR / 52)[0]
    words = (
        "economic order quantity (Harris): cost of an order against a quarter of the unit cost for holding it a year"
    )
    reason = "the cost of placing an order, or the unit cost, is not known; give order_cost"
    sheet.add("buy.economic_order", "Economic order", size, "units", words, reason=reason)
    rhythm = None if size is None else size / weekly
    sheet.add(
        "buy.economic_rhythm",
        "Weeks between economic orders",
        rhythm,
        "weeks",
        "economic order over weekly demand",
        reason=reason,
    )
    known = demand.launched and asked.needs.on_hand is None
    sales = float(np.median(demand.draws[:, :JUDGED_WEEKS].sum(axis=1)))
    room = open_to_buy(sales, plan.up_to, asked.needs.on_hand or 0.0, 0.0)
    sheet.add(
        "buy.open_to_buy",
        "Open to buy over twelve weeks",
        None if known or cost is None else room * cost,
        "money",
        "planned sales and the order-up-to level as end stock, less stock on hand, at cost; orders on the way unknown",
        reason=_NO_STOCK if known else _NO_COST,
    )


def option(sheet: Sheet, asked: Asked, demand: WeeklyDemand) -> None:
    """What it is worth to be able to order again within the season of a launch."""
    money, needs = asked.money, asked.needs
    if demand.launched:
        return
    season = demand.draws[:, : max(JUDGED_WEEKS, needs.cover + 1)]
    made = None
    if money is not None:
        made = second_order(season, needs.lead, needs.review, money.price, money.cost, money.residual / money.cost)
    words = "two-stage newsvendor on the launch forecast, the rest of the season forecast from like early sales"
    once, first, value = (None, None, None) if made is None else (made.once, made.first, float(made.value.mean()))
    sheet.add("buy.option_once", "Best buy without a second order", once, "units", words, reason=_NO_MONEY)
    sheet.add("buy.option_first", "Best first buy with one", first, "units", words, reason=_NO_MONEY)
    worth = "expected profit of two orders less that of one: the most that reserved capacity is worth"
    sheet.add("buy.option_value", "Expected worth of a second order", value, "money", worth, reason=_NO_MONEY)


def against_plain(sheet: Sheet, asked: Asked, demand: WeeklyDemand, plan: Plan) -> Flips | None:
    """The gain over moving average times days of cover, and what would undo it; None without money."""
    money = asked.money
    plain = plain_rule(demand.recent, asked.needs, demand.launched, plan.opening)
    sheet.add(
        "buy.plain_level", "Level of the plain rule", plain[0].up_to, "units", "recent weekly average times the cover"
    )
    if money is None:
        sheet.add("buy.gain", "Gain over the plain rule", None, "money", reason=_NO_MONEY)
        sheet.add("buy.gain_mean", "Expected gain over the plain rule", None, "money", reason=_NO_MONEY)
        return None
    found = flips(demand.draws, plan, plain, asked.needs.lead, money)
    how = (
        "profit of the plan less that of ordering up to the weekly average times the cover at every review, both "
        "followed through the same simulated demand; holding costs a quarter of the unit cost a year"
    )
    sheet.add_draws("buy.gain", "Gain over the plain rule, P50 (P10 to P90)", found.gain, "money", how)
    sheet.add("buy.gain_mean", "Expected gain over the plain rule", float(found.gain.mean()), "money", f"mean; {how}")
    none = "the plan gains at every value tried" if found.gain.mean() > 0 else "the plan does not gain as it is"
    change = None if found.demand is None else found.demand - 1
    sheet.add(
        "buy.flip_demand",
        "Change of demand that undoes the gain",
        change,
        "share",
        "tried from three tenths to threefold",
        reason=none,
    )
    sheet.add(
        "buy.flip_delay", "Delay that undoes the gain", found.later, "weeks", "tried up to eight weeks", reason=none
    )
    sheet.add(
        "buy.flip_residual",
        "Value of an unsold unit that undoes the gain",
        found.residual,
        "money",
        "tried from zero to its cost",
        reason=none,
    )
    return found


def regret(sheet: Sheet, asked: Asked, plan: Plan) -> tuple[Table, Chart]:
    """Expected regret against knowing demand, along buys from cautious to bold."""
    money = asked.money
    under = 1.0 if money is None else money.price - money.cost
    # At full clearance value a unit over costs nothing; a hair above zero keeps the newsvendor's ratio below one.
    over = 1.0 if money is None else max(money.cost - money.residual, 1e-3 * money.cost)
    words = (
        "expected lost margin plus loss on unsold units over the cover, against knowing demand"
        if money is not None
        else "expected units short plus units over at the end of the cover; in money once cost and price are known"
    )
    best = newsvendor(plan.over_cover, over, under)[0]
    least = "quantile of demand over the cover at margin over margin plus loss (newsvendor)"
    label = "Stock over the cover with the least expected regret"
    sheet.add("buy.least_regret_units", label, best, "units", least if money is not None else "median demand")
    planned = plan.up_to if plan.order is None else plan.order + ceil(asked.needs.on_hand or 0)
    buys = sorted({ceil(np.quantile(plan.over_cover, share)) for share in _REGRET_AT} | {planned})
    cells = []
    for number, buy in enumerate(buys, start=1):
        stem = f"buy.regret_{number}"
        first = sheet.add(f"{stem}_units", "Stock tried", buy, "units", "quantiles of demand over the cover")
        cost = expected_cost(plan.over_cover, buy, over, under)
        second = sheet.add(f"{stem}_cost", "Expected regret", cost, "units" if money is None else "money", words)
        cells.append((first + (" (planned)" if buy == planned else ""), second))
    table = Table(title="Regret by stock bought", columns=("Stock", "Expected regret"), rows=tuple(cells))
    chart = Chart(
        kind="line",
        title="Regret by stock bought",
        x_label="Stock",
        y_label="Expected regret",
        x=tuple(f"buy.regret_{number}_units" for number in range(1, len(buys) + 1)),
        series={"Regret": tuple(f"buy.regret_{number}_cost" for number in range(1, len(buys) + 1))},
    )
    return table, chart
