"""All launches at a glance: how far each is, how it stands against its plan, and which triggers have fired."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from shop import Product, Shop, ToolError
from tools.scoring.alerts import Alert
from tools.scoring.plan import pair_of
from tools.scoring.read import whole_weeks
from tools.scoring.targets import Light
from tools.scoring.tool import Scored, scored

RECENT = 16  # weeks since the launch after which a launch no longer is one


@dataclass(frozen=True)
class LaunchStatus:
    """One launch as it stands.

    Attributes:
        sku, name, category: The product.
        launched: Its first day on sale.
        weeks: Whole weeks since then.
        light: The worst target of the latest look; "not known" without a plan.
        brief: Id of the plan; empty where there is none, and then `reason` says why.
        approved: Whether the plan was approved when it launched.
        attained: Units sold over those planned so far; None without a plan.
        alerts: Triggers that fired; their texts have placeholders of `score_launch`'s figures.
        reason: See `brief`.
    """

    sku: str
    name: str
    category: str
    launched: date
    weeks: int
    light: Light = "not known"
    brief: str = ""
    approved: bool = False
    attained: float | None = None
    alerts: tuple[Alert, ...] = ()
    reason: str = ""


def launch_statuses(shop: Shop, weeks: int = RECENT) -> tuple[LaunchStatus, ...]:
    """The launches of the last weeks, the latest first; those without a plan are there too, and say so."""
    since = shop.cutoff - timedelta(weeks=weeks)
    products = shop.products()
    recent = products[[day is not None and since <= day <= shop.cutoff for day in products["launch_date"]]]
    found = [_status(shop, str(sku)) for sku in recent["sku"]]
    return tuple(sorted(found, key=lambda status: (status.launched, status.sku), reverse=True))


def _status(shop: Shop, sku: str) -> LaunchStatus:
    product = shop.product(sku)
    assert product is not None
    assert product.launch_date is not None
    weeks = whole_weeks(shop, product)
    try:
        found = scored(shop, pair_of(shop, product))
    except ToolError as error:
        return LaunchStatus(product.sku, product.name, product.category, product.launch_date, weeks, reason=str(error))
    return _scored_status(product, weeks, found)


def _scored_status(product: Product, weeks: int, found: Scored) -> LaunchStatus:
    assert product.launch_date is not None
    planned = float(found.plan.weeks.middle[: len(found.sold.units)].sum())
    return LaunchStatus(
        sku=product.sku,
        name=product.name,
        category=product.category,
        launched=product.launch_date,
        weeks=weeks,
        light=found.light,
        brief=found.plan.brief,
        approved=found.plan.approved,
        attained=float(found.sold.units.sum()) / planned if planned else None,
        alerts=found.alerts,
    )
