"""The stock answer in sentences: what to buy, what it hangs on, and what to know before ordering."""

from __future__ import annotations

from shop import Draft
from tools.figures import Sheet, interval
from tools.inventory.demand import WeeklyDemand
from tools.inventory.flips import Flips
from tools.inventory.plan import Plan
from tools.inventory.report import Asked

_BOLD = 1.5  # first buy over the buy of least regret from which the reader is told


def summary(sheet: Sheet, demand: WeeklyDemand, found: Flips | None) -> str:
    """The plan in a few sentences."""
    reach = f"(demand P10 to P90: {interval('buy.demand_over_cover')})"
    target = (
        "at a service level of {{buy.service_level}} "
        if not sheet.known("buy.fill_rate")
        else "for a fill rate of {{buy.fill_rate}} "
    )
    if not sheet.known("buy.first_buy"):
        text = [
            "Order up to {{buy.order_up_to}} units, counting what is on hand: {{buy.cover_weeks}} of cover "
            f"{target}{reach}."
        ]
    elif demand.launched:
        text = [
            "With {{buy.on_hand}} units on hand, order {{buy.first_buy}} now: {{buy.cover_weeks}} of cover "
            f"{target}{reach}."
        ]
    else:
        text = [f"Buy {{{{buy.first_buy}}}} units first: enough for {{{{buy.cover_weeks}}}} {target}{reach}."]
    text.append("Order again when stock on hand and on order falls to {{buy.reorder_point}} units.")
    text.append(
        "The chance to run out in the first weeks is {{buy.p_stockout}}, that of too much left {{buy.p_overstock}}."
    )
    if sheet.known("buy.cash"):
        text.append("The buy ties up {{buy.cash}}.")
    if found is not None:
        text.append(
            "Against a plain rule of average sales times days of cover it is expected to gain {{buy.gain_mean}} "
            f"(P10 to P90: {interval('buy.gain')})."
        )
        text.append(_hangs_on(found))
    return " ".join(text)


def _hangs_on(found: Flips) -> str:
    if found.gain.mean() <= 0:
        return "So the plain rule is no worse here; the plan hangs on the service level asked for."
    return {
        "demand": "It hangs on the level of demand: a change of {{buy.flip_demand}} would undo the gain.",
        "lead time": "It hangs on deliveries being on time: a delay of {{buy.flip_delay}} would undo the gain.",
        "clearance": "It hangs on what an unsold unit brings: at {{buy.flip_residual}} the gain is gone.",
        "": "It hangs on the forecast, and no change of demand, delivery or clearance that was tried undoes the gain.",
    }[found.nearest]


def warnings(sheet: Sheet, asked: Asked, demand: WeeklyDemand, plan: Plan) -> tuple[str, ...]:
    """What the reader should know before he orders."""
    item, found = asked.item, []
    if item.cost is None:
        found.append("The cost is not known, so cash and regret in money are unknown; the buyer can supply it.")
    elif asked.money is None:
        found.append("Without a price regret is counted in units, not in money.")
    if isinstance(item, Draft) and item.launch_date is None:
        found.append("No launch date is planned; the season of an assumed one counts.")
    if demand.launched and asked.needs.on_hand is None:
        found.append("Stock on hand is not on record, so what to order now is unknown; the levels hold all the same.")
    if plan.order is not None and plan.order > _BOLD * sheet.value("buy.least_regret_units"):
        found.append(
            "The service level asks for far more than the {{buy.least_regret_units}} units with the least regret: "
            "demand is that uncertain. A lower service level or a shorter lead time costs less."
        )
    if not sheet.known("buy.second_order_week"):
        found.append("Most simulated runs need no further order in the weeks looked at; review before ordering.")
    return tuple(found)
