"""Market: how large the category is, where it goes, when it peaks, who else sells there, where a price is free."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from agent.brief.declare import (
    DATA,
    MERCHANDISING,
    Fact,
    Graph,
    Grid,
    SectionPlan,
    Text,
    heads,
    line,
    numbered,
)
from agent.brief.plan import Plan
from tools.figures import evidence

MAX_RIVALS = 10
MAX_REGIONS = 8


def widest_gap(prices: Sequence[float]) -> tuple[float, float] | None:
    """The two neighbouring prices whose ratio is largest; None with fewer than two different prices above zero."""
    steps = sorted({price for price in prices if price > 0})
    pairs = list(pairwise(steps))
    return max(pairs, key=lambda pair: pair[1] / pair[0]) if pairs else None


def derive(plan: Plan) -> None:
    if not plan.draft.category:
        return
    frame = plan.once("rivals", lambda: plan.shop.competitors(category=plan.draft.category))
    if frame.empty:
        reason = "no rival's price is on record for this category"
        plan.enter("market.rivals", "Rivals' offers on record", None, "count", "count of offers", reason)
        return
    skus = tuple(frame["sku"].unique())
    rows = plan.once("rival rows", lambda: evidence(plan.shop, "competitor_prices", {"sku": skus}))
    plan.enter("market.rivals", "Rivals' offers on record", len(frame), "count", "offers by latest day", rows=rows)
    listed = plan.once("names", plan.shop.names)
    names = dict(zip(listed["id"], listed["name"], strict=True))
    planned = plan.number("price.planned")
    if planned is not None:
        frame = frame.iloc[(frame["price"] - planned).abs().argsort(kind="stable")]
    said = "latest recorded offer; those nearest to the planned price first"
    for n, offer in enumerate(frame.head(MAX_RIVALS).to_dict("records"), start=1):
        stem = f"market.rival_{n}"
        plan.enter(f"{stem}_name", "Rival", offer["competitor"], "text", said, rows=rows)
        plan.enter(f"{stem}_against", "Stands against", names.get(offer["sku"], offer["sku"]), "text", said)
        plan.enter(f"{stem}_price", "Rival's price", float(offer["price"]), "money", said, rows=rows)
        for part, unit in (("rating", "ratio"), ("reviews", "count")):
            known = None if offer[part] is None or offer[part] != offer[part] else float(offer[part])
            plan.enter(f"{stem}_{part}", f"Rival's {part}", known, unit, said, "not recorded", rows=rows)  # type: ignore[arg-type]
    _derive_gap(plan, [float(price) for price in frame["price"]])


def _derive_gap(plan: Plan, rivals: list[float]) -> None:
    own = plan.numbers("price.ladder_#_price", width=1)
    gap = widest_gap([*rivals, *own])
    if gap is None:
        return
    rule = "neighbouring prices of rivals and of own comparable products with the largest ratio between them"
    of = ("market.rivals", *(f"price.ladder_{n}_price" for n in range(1, len(own) + 1)))
    plan.enter("market.gap_low", "White space from", gap[0], "money", rule, of=of)
    plan.enter("market.gap_high", "White space to", gap[1], "money", rule, of=of)


def _in_gap(plan: Plan) -> bool | None:
    price, low, high = (plan.number(name) for name in ("price.planned", "market.gap_low", "market.gap_high"))
    return None if price is None or low is None or high is None else low < price < high


SECTION = SectionPlan(
    id="market",
    title=Text("Market", "市场"),
    calls=("market_trend",),
    after=("price",),
    derive=derive,
    facts=(
        Fact("market.revenue", Text("size of the category", "品类规模"), False, DATA, ("item.category",)),
        Fact("market.rivals", Text("rivals' prices", "竞品价格"), True, MERCHANDISING, ("item.category",)),
    ),
    lines=(
        line(
            "{{market.category}} took {{market.revenue}} over the last {{market.weeks}}, {{market.share}} of the shop.",
            "{{market.category}}近{{market.weeks}}销售额{{market.revenue}}，占全店{{market.share}}。",
        ),
        line(
            "Against the same weeks a year before it changed by {{market.growth_year}}.",
            "较上年同期变动{{market.growth_year}}。",
        ),
        line(
            "Its next peak is in the week of {{market.peak}}, its next trough in that of {{market.trough}}; a peak "
            "week sells {{market.season}} times an ordinary one.",
            "下一个高峰周始于{{market.peak}}，低谷周始于{{market.trough}}；高峰周销量为平常的{{market.season}}倍。",
        ),
        line("{{market.rivals}} offers of rivals are on record.", "已记录竞品报价{{market.rivals}}条。"),
        line(
            "The widest gap between prices lies between {{market.gap_low}} and {{market.gap_high}}; the planned price "
            "stands in it.",
            "最宽的价格空白在{{market.gap_low}}与{{market.gap_high}}之间，计划售价正处其中。",
            when=lambda plan: _in_gap(plan) is True,
        ),
        line(
            "The widest gap between prices lies between {{market.gap_low}} and {{market.gap_high}}; the planned price "
            "does not use it.",
            "最宽的价格空白在{{market.gap_low}}与{{market.gap_high}}之间，计划售价不在其中。",
            when=lambda plan: _in_gap(plan) is False,
        ),
    ),
    tables=(
        Grid(
            Text("Rivals", "竞品"),
            heads("Rival|竞品", "Against our|对应本店商品", "Price|售价", "Rating|评分", "Reviews|评论数"),
            numbered(
                range(1, MAX_RIVALS + 1),
                "{{market.rival_#_name}}",
                "{{market.rival_#_against}}",
                "{{market.rival_#_price}}",
                "{{market.rival_#_rating}}",
                "{{market.rival_#_reviews}}",
            ),
        ),
        Grid(
            Text("Regions", "地区"),
            heads("Region|地区", "Revenue|销售额", "Share|占比", "Growth|增长"),
            numbered(
                range(1, MAX_REGIONS + 1),
                "{{market.region_#_name}}",
                "{{market.region_#_revenue}}",
                "{{market.region_#_share}}",
                "{{market.region_#_growth}}",
            ),
        ),
    ),
    charts=(
        Graph(
            "line",
            Text("Units of the category by week", "品类逐周销量"),
            Text("Week from", "起始日"),
            Text("Units", "件"),
            "market.start_#",
            ((Text("Units", "销量"), "market.week_#"),),
            width=2,
        ),
    ),
)
