"""Alerts: a trigger of the plan that has fired, and what the plan says to do then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from shop import Product, Shop
from tools.scoring.compare import Score, SoldWeeks
from tools.scoring.plan import FrozenPlan
from tools.scoring.targets import Mark, latest

Kind = Literal["interval", "revise", "sell_through", "reorder", "stop_loss", "target"]
REVISE = (0.75, 1.25)  # a launch outside these shares of its plan is revised
REVISE_FROM = 4  # weeks: the first review after the launch
MARKDOWN_WEEK, MARKDOWN_SHARE = 6, 0.4  # first markdown: week, and share of the first buy sold by then
DEEPER_WEEK = 10  # second look at the same share
CHANNELS = ("search", "social", "display", "email", "sms", "video", "affiliate")


@dataclass(frozen=True)
class Alert:
    """A trigger that fired.

    Attributes:
        kind: Which trigger.
        text: A sentence with placeholders of the score's figures; it begins with "Alert:".
        part: What it is about where a kind can fire more than once: a measure, a channel, a side.
    """

    kind: Kind
    text: str
    part: str = ""


@dataclass(frozen=True)
class Stopped:
    """A channel that has spent what the plan gives it to prove itself and brought too few orders."""

    channel: str
    spend: float
    orders: float
    look: float
    least: float


def weekly_alerts(plan: FrozenPlan, sold: SoldWeeks, score: Score, on_hand: float | None) -> list[Alert]:
    """What weekly sales and the stock on hand set off.

    Args:
        plan: Its figures and settings hold the trigger values.
        sold: The weeks scored.
        score: Their comparison with the plan.
        on_hand: Units in stock now; None where the shop keeps no count.
    """
    return [*_paces(plan, sold, score), *_sell_through(plan, sold), *_reorder(plan, on_hand)]


def target_alerts(found: tuple[Mark, ...]) -> list[Alert]:
    """Targets whose latest mark is red."""
    return [
        Alert(
            "target",
            f"Alert: {{{{{stem(mark)}_name}}}} stands at {{{{{stem(mark)}}}}}; red begins at {{{{{stem(mark)}_red}}}}.",
            mark.measure,
        )
        for mark in latest(found)
        if mark.light == "red"
    ]


def stop_alerts(stopped: tuple[Stopped, ...]) -> list[Alert]:
    """Channels to stop."""
    return [
        Alert(
            "stop_loss",
            f"Alert: stop {each.channel}: it has spent {{{{score.ads_{each.channel}_spend}}}} in this category since "
            f"the launch and brought {{{{score.ads_{each.channel}_orders}}}} orders; the plan asks for "
            f"{{{{score.ads_{each.channel}_least}}}} by then.",
            each.channel,
        )
        for each in stopped
    ]


def stem(mark: Mark) -> str:
    """Id of the figures of a target, without its parts."""
    return f"score.target_{mark.measure}_{mark.week:02d}"


def stopped_channels(shop: Shop, product: Product, plan: FrozenPlan, weeks: int) -> tuple[Stopped, ...]:
    """The channels whose stop-loss fired in the launch weeks; campaigns are on record by category, not by product."""
    assert product.launch_date is not None
    if not product.category:
        return ()
    last = product.launch_date + timedelta(days=7 * weeks - 1)
    run = shop.campaigns(category=product.category, since=product.launch_date)
    run = run[run["day"].dt.date <= last]
    found = []
    for channel in CHANNELS:
        look, least = plan.number(f"ads.{channel}_stop_spend"), plan.number(f"ads.{channel}_stop_orders")
        mine = run[run["channel"] == channel]
        spend, orders = float(mine["spend"].sum()), float(mine["conversions"].sum())
        if look is not None and least is not None and spend >= look and orders < least:
            found.append(Stopped(channel, spend, orders, look, least))
    return tuple(found)


def _paces(plan: FrozenPlan, sold: SoldWeeks, score: Score) -> list[Alert]:
    found = []
    if score.alert:
        text = (
            f"Alert: the last weeks lay {score.alert} the planned interval in a row; plan the rest again from what "
            "was sold with forecast_launch and plan_inventory."
        )
        found.append(Alert("interval", text, score.alert))
    planned = float(plan.weeks.middle[: len(sold.units)].sum())
    low, high = plan.setting("plan_low", REVISE[0]), plan.setting("plan_high", REVISE[1])
    if len(sold.units) >= REVISE_FROM and planned and not low <= float(sold.units.sum()) / planned <= high:
        text = "Alert: sales lie outside {{score.revise_low}} to {{score.revise_high}} of the plan: revise the launch."
        found.append(Alert("revise", text))
    return found


def _sell_through(plan: FrozenPlan, sold: SoldWeeks) -> list[Alert]:
    """Too little of the first buy sold when the plan looks at it: a first markdown, later a deeper one."""
    weeks = len(sold.units)
    first, deeper = plan.setting("markdown_week", MARKDOWN_WEEK), plan.setting("deeper_week", DEEPER_WEEK)
    share = plan.setting("markdown_sell_through", MARKDOWN_SHARE)
    if not plan.first_buy or weeks < first or float(sold.units.sum()) / plan.first_buy >= share:
        return []
    step = "deeper" if weeks >= deeper else "first"
    text = (
        "Alert: only {{score.sell_through}} of the first buy is sold; under {{score.markdown_share}} by now the plan "
        f"asks for a {step} markdown: try it with simulate_price."
    )
    return [Alert("sell_through", text, step)]


def _reorder(plan: FrozenPlan, on_hand: float | None) -> list[Alert]:
    point = plan.number("buy.reorder_point")
    if on_hand is None or point is None or on_hand > point:
        return []
    text = "Alert: stock of {{score.on_hand}} units has reached the plan's reorder point of {{score.reorder_point}}."
    return [Alert("reorder", text)]
