"""`lifecycle_stage`: the stage of a product or of a category's products, the time to decline, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shop import Product, Shop, Table, ToolError, ToolResult
from shop.resolve import find_category, find_product
from tools.demand.panel import Array
from tools.demand.read import ShopPanel, read_panel
from tools.demand.series import filled, pooled_season
from tools.figures import Sheet, evidence
from tools.lifecycle.shapes import Shapes, learn_shapes
from tools.lifecycle.stages import LEAST, STAGES, StageView, bass_fit, view_stage, weeks_since_change
from tools.lifecycle.survival import decline_start, halving_model, halving_rows, survival_curve, weeks_left
from tools.registry import tool

_SHOWN = 15
_ENOUGH = 10  # products seen to enter decline before a time to decline is given
ADVICE = {
    "introduction": "buy in small steps, hold the price, spend on being seen, decide on the first weeks' sales",
    "growth": "secure supply before demand outruns it, hold the price, promote only to win new buyers",
    "maturity": "reorder to the forecast, defend the price, promote with the season, prepare the successor",
    "decline": "stop reordering beyond the cover, mark down in steps, take it out of advertising, plan the exit",
}


@dataclass(frozen=True)
class Lives:
    """Products of the shop with their demand from the first week on, season taken out, and what their lives look like.

    `shapes` holds those of products that are seen from their launch, and those of the others.
    """

    shop: ShopPanel
    demand: list[Array]
    from_launch: list[bool]
    shapes: dict[bool, Shapes]

    def view(self, row: int) -> StageView:
        """The stage of a product; ValueError with fewer than three weeks."""
        return view_stage(self.demand[row], self.from_launch[row], self.shapes[self.from_launch[row]])


@tool("read", "internal")
def lifecycle_stage(shop: Shop, product: str | None = None, category: str | None = None) -> ToolResult:
    """Tell where a product, or the products of a category, stand in their life and what to do.

    Args:
        product: SKU or name of a product that sells; left out, the category or the whole shop is looked at.
        category: Category to look at; with a product it is not needed.
    """
    if product is not None:
        item = find_product(shop, product)
        if not isinstance(item, Product):
            raise ToolError(f"{item.name} ({item.id}) is a draft and has no life yet; forecast_launch looks ahead.")
        return _one(shop, item)
    return _many(shop, find_category(shop, category) if category else None)


def read_lives(shop: Shop, category: str | None = None) -> Lives | None:
    """The products of a category, or the shop, with their season-adjusted demand; None where nothing sold."""
    panel = read_panel(shop, category)
    if panel is None:
        return None
    demand = filled(panel.panel, pooled_season(panel.panel, 0))
    launched = [bool(known) for known in panel.frame["launch_date"].notna()]
    long = [(life, known) for life, known in zip(demand, launched, strict=True) if len(life) >= LEAST]
    shapes = {kind: learn_shapes([life for life, known in long if known == kind], kind) for kind in (True, False)}
    return Lives(panel, demand, launched, shapes)


def _one(shop: Shop, item: Product) -> ToolResult:
    lives = read_lives(shop)
    if lives is None or item.sku not in lives.shop.panel.keys:
        raise ToolError(f"{item.name} ({item.sku}) has no sales yet; forecast_launch looks ahead.")
    row = lives.shop.row(item.sku)
    if len(lives.demand[row]) < LEAST:
        raise ToolError(f"{item.name} ({item.sku}) has sold for fewer than three whole weeks; ask again later.")
    view = lives.view(row)
    sheet = Sheet()
    rows = evidence(shop, "daily", {"sku": (item.sku,)})
    name = sheet.add("life.product", "Product", item.name, "text", "as found")
    rule = "chance over the root of how common the stage is in the shop: short stages are not drowned by long ones"
    stage = sheet.add("life.stage", "Stage to act on", view.stage, "text", rule)
    how = "fit of rise, plateau and fall to weekly demand, each as common as in this shop; season and stock-outs out"
    cells = []
    for label, share in zip(STAGES, view.probabilities, strict=True):
        cells.append((label, sheet.add(f"life.p_{label}", f"Chance of {label}", share, "share", how, rows=rows)))
    sheet.add(
        "life.age", "Weeks of demand seen", len(lives.demand[row]), "weeks", "from the launch or the data's start"
    )
    _change(sheet, lives, row)
    _time_to_decline(sheet, lives, row, view)
    _halving(sheet, lives, row)
    table = Table(title="Stage", columns=("Stage", "Chance"), rows=tuple(cells))
    summary = f"{name} is taken to be in {stage}. What to do: {ADVICE[view.stage]}."
    return ToolResult(summary=summary, figures=sheet.figures, tables=(table,), warnings=_doubts(view, sheet))


def _change(sheet: Sheet, lives: Lives, row: int) -> None:
    demand = lives.demand[row]
    reason = "no change of level stands out from the weekly noise"
    turned = weeks_since_change(demand)
    sheet.add("life.turned", "Weeks since the level last changed", turned, "weeks", "PELT on log demand", reason=reason)
    bass = bass_fit(demand) if lives.from_launch[row] else None
    if bass is not None:
        size = "total market of a Bass curve fitted to weekly demand"
        sheet.add("life.market", "Units over the whole life", bass[0], "units", size)


def _time_to_decline(sheet: Sheet, lives: Lives, row: int, view: StageView) -> None:
    label = "Weeks until decline, median (quartiles)"
    if view.stage == "decline":
        sheet.add("life.to_decline", label, None, "weeks", reason="it is already in decline")
        return
    ages, ended = _ages(lives)
    alive = survival_curve(ages, ended)
    middle, low, high = (weeks_left(alive, len(lives.demand[row]), share) for share in (0.5, 0.25, 0.75))
    if ended.sum() < _ENOUGH or middle is None:
        reason = "too few of the shop's products that lived as long have been seen to enter decline"
        sheet.add("life.to_decline", label, None, "weeks", reason=reason)
        return
    how = "Kaplan-Meier over the shop's launched products of the weeks until decline, given the age reached"
    sheet.add("life.to_decline", label, middle, "weeks", how, low=low, high=high)


def _ages(lives: Lives) -> tuple[np.ndarray, np.ndarray]:
    """Weeks until decline, or until last seen, of every launched product, and whether decline was seen."""
    ages, ended = [], []
    for row, demand in enumerate(lives.demand):
        if lives.from_launch[row] and len(demand) >= LEAST:
            start = decline_start(lives.view(row).path)
            ages.append(len(demand) if start is None else start)
            ended.append(start is not None)
    return np.array(ages, dtype=np.int64), np.array(ended, dtype=bool)


def _halving(sheet: Sheet, lives: Lives, row: int) -> None:
    panel = lives.shop.panel
    model = halving_model(panel)
    features, _, rows = halving_rows(panel, panel.units.shape[1])
    label = "Chance that sales halve within eight weeks"
    if model is None or row not in rows:
        reason = "the shop's past has too few such falls, or the product sold too little of late"
        sheet.add("life.p_halving", label, None, "share", reason=reason)
        return
    chance = float(model.predict_proba(features[rows == row])[0, 1])
    how = "logistic regression on the shop's past weeks: recent slopes, share of the peak, season ahead, level, age"
    sheet.add("life.p_halving", label, chance, "share", how)


def _many(shop: Shop, category: str | None) -> ToolResult:
    lives = read_lives(shop, category)
    if lives is None:
        raise ToolError(f"Nothing has sold in {category or 'the shop'} yet; ask for another category.")
    sheet = Sheet()
    where = sheet.add("life.category", "Category", category or "the whole shop", "text", "as found")
    views = []
    for row, demand in enumerate(lives.demand):
        live = np.isfinite(lives.shop.panel.units[row, -4:]).any()
        if live and len(demand) >= LEAST:
            views.append((row, lives.view(row)))
    if not views:
        raise ToolError("No product there has sold for three whole weeks; ask again later or for another category.")
    recent = lives.shop.revenue[:, -8:].sum(axis=1)
    counts = []
    for number, label in enumerate(STAGES):
        inside = [row for row, view in views if view.stage == label]
        count = sheet.add(f"life.n_{label}", f"Products in {label}", len(inside), "count", "by the stage to act on")
        share = recent[inside].sum() / max(recent[[row for row, _ in views]].sum(), 1e-9)
        part = sheet.add(f"life.revenue_{label}", f"Revenue share of {label}", share, "share", "over eight weeks")
        counts.append((label, count, part, ADVICE[STAGES[number]]))
    falling = sorted((pair for pair in views if pair[1].stage == "decline"), key=lambda pair: -recent[pair[0]])[:_SHOWN]
    cells = []
    for number, (row, view) in enumerate(falling, start=1):
        name = sheet.add(
            f"life.product_{number}", "Product", lives.shop.frame["name"][row], "text", "most revenue first"
        )
        chance = sheet.add(f"life.p_decline_{number}", "Chance of decline", view.probabilities[3], "share", "see stage")
        money = sheet.add(f"life.revenue_{number}", "Revenue of eight weeks", recent[row], "money", "sum of sales")
        cells.append((name, chance, money))
    tables = [
        Table(title="Products by stage", columns=("Stage", "Products", "Revenue share", "Do"), rows=tuple(counts))
    ]
    if cells:
        columns = ("Product", "Chance of decline", "Revenue")
        tables.append(Table(title="In decline, most revenue first", columns=columns, rows=tuple(cells)))
    summary = (
        f"In {where}, {{{{life.n_decline}}}} products are in decline with {{{{life.revenue_decline}}}} of recent "
        "revenue, {{life.n_maturity}} are mature and {{life.n_growth}} are growing."
    )
    return ToolResult(summary=summary, figures=sheet.figures, tables=tuple(tables))


def _doubts(view: StageView, sheet: Sheet) -> tuple[str, ...]:
    found = []
    if view.probabilities.max() < 0.5:
        found.append("No stage is likelier than all others together: the weeks seen do not settle it.")
    if not sheet.known("life.to_decline") and view.stage != "decline":
        found.append("The time to decline is unknown: too few products of this shop have been seen to decline.")
    return tuple(found)
