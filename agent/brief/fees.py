"""What a sale costs beyond the unit itself: payment, delivery, and what a sales channel keeps of the price.

All are settings. One that is not set is unknown: it is not taken off, and the brief says so.
"""

from __future__ import annotations

from agent.brief.plan import Plan
from tools.inventory.newsvendor import critical_ratio

PAYMENT, DELIVERY, NET = "price.payment_fee", "price.delivery_cost", "price.net"
MAX_CHANNELS = 8
CLEARANCE = 0.5  # share of its cost that an unsold unit still brings, as `plan_inventory` takes unless told otherwise
_LEVELS = (0.5, 0.999)  # service levels that can be planned
_NOT_SET = "not set for this brief; finance can supply it"


def known_fees(plan: Plan) -> tuple[str, ...]:
    """The figures of the fees that are set."""
    return tuple(name for name in (PAYMENT, DELIVERY) if plan.knows(name))


def net_of(plan: Plan, price: float) -> float:
    """What is left of a price after payment and delivery, as far as they are set."""
    return price * (1 - (plan.number(PAYMENT) or 0.0)) - (plan.number(DELIVERY) or 0.0)


def gross_of(plan: Plan, net: float) -> float:
    """The price of which so much is left after payment and delivery: the inverse of `net_of`."""
    return (net + (plan.number(DELIVERY) or 0.0)) / (1 - (plan.number(PAYMENT) or 0.0))


def enter_fees(plan: Plan) -> None:
    """What payment and delivery take of the planned price, and what they leave."""
    settings, fees = plan.settings, {PAYMENT: " x (1 - payment fee)", DELIVERY: " - delivery cost"}
    plan.enter(PAYMENT, "Payment fee", settings.payment_fee, "share", "setting: share of the price", _NOT_SET)
    plan.enter(DELIVERY, "Delivery cost per unit", settings.delivery_cost, "money", "setting", _NOT_SET)
    rule = "planned price x payment fee"
    plan.derive("price.payment", "Payment per unit", "money", ("price.planned", PAYMENT), rule, lambda p, fee: p * fee)
    known = known_fees(plan)
    rule = "planned price" + ("".join(fees[name] for name in known) or "; no payment or delivery cost is set")
    plan.derive(NET, "Left of the price", "money", ("price.planned", *known), rule, lambda p, *_: net_of(plan, p))


def enter_channels(plan: Plan) -> None:
    """What a unit contributes in each sales channel that keeps a share of the price."""
    for n, (channel, fee) in enumerate(sorted(plan.settings.channel_fees.items())[:MAX_CHANNELS], start=1):
        stem = f"economics.channel_{n}"
        plan.enter(f"{stem}_name", "Sales channel", channel, "text", "setting")
        plan.enter(f"{stem}_fee", "Channel fee", fee, "share", "setting: share of the price")
        plan.derive(
            f"{stem}_contribution",
            "Contribution per unit in the channel",
            "money",
            ("economics.unit_contribution", "price.planned", f"{stem}_fee"),
            "contribution per unit - planned price x channel fee",
            lambda unit, price, share: unit - price * share,
        )


def service_level(plan: Plan) -> float | None:
    """The service level to buy at: as set, else the newsvendor's at the margin that the fees leave.

    None leaves it to the tool, which knows no fees: where none is set, or where they leave no margin.
    """
    net, cost = plan.number(NET), plan.number("item.cost")
    if plan.settings.service_level is not None or not known_fees(plan) or net is None or not cost or net <= cost:
        return plan.settings.service_level
    least, most = _LEVELS
    return min(max(critical_ratio(net, cost, cost * (1 - CLEARANCE)), least), most)
