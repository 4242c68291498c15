"""Allocation and logistics: where the first buy goes, by when it must be ordered, and whether it lands in time."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from agent.brief.declare import MERCHANDISING, SUPPLY, Fact, Grid, SectionPlan, Text, heads, line, numbered
from agent.brief.plan import Plan
from tools.figures import evidence
from tools.inventory.warehouses import demand_shares
from tools.market.regions import region_revenue

MAX_WAREHOUSES = 8
_WEEKS = 26  # of orders that tell where demand is


def derive(plan: Plan) -> None:
    _derive_dates(plan)
    category = plan.draft.category
    counted = plan.once("counted", lambda: plan.shop.stock_on_hand(category=category)) if category else None
    houses = pd.DataFrame() if counted is None else counted.drop_duplicates("warehouse").reset_index(drop=True)
    reason = "no warehouse holds this category's stock on record"
    if counted is None or houses.empty:
        plan.enter("allocation.warehouses", "Warehouses", None, "count", "with stock of the category", reason)
        return
    skus = tuple(counted["sku"].unique())
    rows = plan.once("stock rows", lambda: evidence(plan.shop, "stock", {"sku": skus}))
    plan.enter("allocation.warehouses", "Warehouses", len(houses), "count", "with stock of the category", rows=rows)
    revenue = plan.once("revenue by region", lambda: region_revenue(plan.shop, category, _WEEKS))
    shares = demand_shares(houses["region"], revenue)
    rule = "revenue of the category from its region in the last half year; regions without a warehouse evenly"
    for n, (house, share) in enumerate(zip(houses.to_dict("records"), shares, strict=True), start=1):
        if n > MAX_WAREHOUSES:
            break
        stem = f"allocation.warehouse_{n}"
        plan.enter(f"{stem}_name", "Warehouse", house["warehouse"], "text", "from the stock records", rows=rows)
        plan.enter(f"{stem}_region", "Region", house["region"], "text", "from the stock records", rows=rows)
        plan.enter(f"{stem}_share", "Share of demand", float(share), "share", rule)
        plan.derive(
            f"{stem}_units",
            "Units of the first buy",
            "units",
            ("buy.first_buy", f"{stem}_share"),
            "first buy x share of demand",
            lambda units, part: units * part,
        )


def _derive_dates(plan: Plan) -> None:
    days, launch = plan.number("buy.lead_time"), plan.draft.launch_date
    of = ("buy.lead_time", "item.launch_date")
    lands = None if days is None else plan.today + timedelta(days=days)
    plan.enter(
        "allocation.lands", "Lands if ordered today", lands, "date", "today + lead time", "needs the lead time", of
    )
    known = lands is not None and launch is not None
    order_by = launch - timedelta(days=days or 0) if known and launch is not None else None
    slack = (launch - lands).days if launch is not None and lands is not None else None
    reason = "needs the launch date and the lead time"
    plan.enter("allocation.order_by", "Order by", order_by, "date", "launch date - lead time", reason, of)
    plan.enter("allocation.slack", "Days to spare", slack, "days", "launch date - landing day", reason, of)


SECTION = SectionPlan(
    id="allocation",
    title=Text("Allocation and logistics", "分仓与物流"),
    gate="G2",
    after=("buy", "market"),
    derive=derive,
    facts=(
        Fact("allocation.warehouses", Text("warehouses", "仓库"), False, SUPPLY),
        Fact(
            "allocation.order_by",
            Text("last day to order", "最迟下单日"),
            True,
            SUPPLY,
            ("item.launch_date", "buy.lead_time"),
        ),
        Fact("item.launch_date", Text("launch date", "上市日期"), supplier=MERCHANDISING),
    ),
    lines=(
        line(
            "Ordered today the stock lands on {{allocation.lands}}, {{allocation.slack}} before the launch; the last "
            "day to order is {{allocation.order_by}}.",
            "今日下单，{{allocation.lands}}到货，比上市早{{allocation.slack}}；最迟下单日为{{allocation.order_by}}。",
            when=lambda plan: (plan.number("allocation.slack") or 0) >= 0,
        ),
        line(
            "Stock for the launch on {{item.launch_date}} had to be ordered by {{allocation.order_by}}; ordered today "
            "it lands on {{allocation.lands}}.",
            "赶上{{item.launch_date}}上市须在{{allocation.order_by}}前下单；今日下单要到{{allocation.lands}}才到货。",
            when=lambda plan: (plan.number("allocation.slack") or 0) < 0,
        ),
        line(
            "The first buy of {{buy.first_buy}} units goes to {{allocation.warehouses}} warehouses by their share of "
            "demand.",
            "首单{{buy.first_buy}}件按需求占比分至{{allocation.warehouses}}个仓库。",
        ),
    ),
    tables=(
        Grid(
            Text("Units by warehouse", "分仓数量"),
            heads("Warehouse|仓库", "Region|地区", "Share of demand|需求占比", "Units|件数"),
            numbered(
                range(1, MAX_WAREHOUSES + 1),
                "{{allocation.warehouse_#_name}}",
                "{{allocation.warehouse_#_region}}",
                "{{allocation.warehouse_#_share}}",
                "{{allocation.warehouse_#_units}}",
            ),
        ),
    ),
)
