"""The frozen plan: which product a draft became, and what its last brief before the launch had planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from rapidfuzz.utils import default_process

from shop import Draft, Figure, Product, Shop, ToolError
from shop.brief_log import Approval, approvals, frozen_document
from tools.scoring.compare import PlannedWeeks

LINK = "draft"  # attribute of a product that names the draft it was


@dataclass(frozen=True)
class Pair:
    """A product on sale and the drafts it was planned as; `by_name` where nothing but the name ties them."""

    product: Product
    drafts: tuple[str, ...]
    by_name: bool


@dataclass(frozen=True)
class FrozenPlan:
    """What a brief had planned before the launch.

    Attributes:
        brief, plan_hash, cutoff: Which brief, and the last day that it knew of.
        approved: Whether it was approved, and so frozen, when the product launched; else it is the last one written.
        launch: The day it planned for.
        weeks: Its weeks.
        total: Units over all weeks of the plan, with their interval.
        first_buy: Units.
        figures: Every figure that it held, as stored, by id.
        settings: Its thresholds, as stored.
    """

    brief: str
    plan_hash: str
    cutoff: date
    approved: bool
    launch: date
    weeks: PlannedWeeks
    total: Figure | None
    first_buy: float | None
    figures: Mapping[str, Any]
    settings: Mapping[str, Any]

    @property
    def horizon(self) -> int:
        return len(self.weeks.middle)

    def figure(self, name: str) -> Figure | None:
        """A figure of the brief; None where it held none of that id."""
        return Figure.model_validate(self.figures[name]) if name in self.figures else None

    def number(self, name: str) -> float | None:
        """The value of a figure that is a number; None where unknown."""
        found = self.figure(name)
        return float(found.value) if found is not None and isinstance(found.value, int | float) else None

    def setting(self, name: str, default: float) -> float:
        """A threshold of the brief's settings."""
        value = self.settings.get(name)
        return float(value) if isinstance(value, int | float) else default


def pair_of(shop: Shop, item: Product | Draft) -> Pair:
    """The product and its drafts, found from either side: by the product's attribute `draft`, else by equal names.

    Raises:
        ToolError: The draft has not become a product, or the product was never a draft.
    """
    if isinstance(item, Product):
        named = _draft_attribute(item.attributes)
        drafts = shop.drafts()
        linked = tuple(draft.id for draft in drafts if named and draft.id == named)
        alike = tuple(draft.id for draft in drafts if _same(draft.name, item.name, item.name_zh))
        if not linked and not alike:
            raise ToolError(
                f"No draft of {item.name} ({item.sku}) is on record, so there is no plan to hold it against; a launch "
                f"can be scored when it was planned with draft_product and write_brief, under the same name."
            )
        return Pair(item, linked or alike, by_name=not linked)
    products = shop.products()
    named_by = products[[_draft_attribute(attributes) == item.id for attributes in products["attributes"]]]
    chinese = shop.names().set_index("id")["name_zh"]
    same = [_same(item.name, row["name"], chinese.get(row["sku"], "")) for row in products.to_dict("records")]
    found = named_by if len(named_by) else products[same]
    return Pair(_only(shop, item, found), (item.id,), by_name=not len(named_by))


def frozen_plan(shop: Shop, pair: Pair) -> FrozenPlan:
    """The plan that a product launched with: the brief approved by then, else the last one written before.

    Raises:
        ToolError: There is no such brief, it holds no weekly forecast, or an approved one was changed since.
    """
    product = pair.product
    if product.launch_date is None:
        raise ToolError(
            f"{product.name} ({product.sku}) has no launch date on record; import one with the product list, "
            "then score_launch can count its weeks."
        )
    approval = _approved(shop, pair, product.launch_date)
    if approval is not None:
        frozen = frozen_document(shop, approval)
        row = {"id": approval.brief_id, "plan_hash": approval.plan_hash, "document": frozen}
        return _read(row | {"data_cutoff": date.fromisoformat(frozen["data_cutoff"])}, product, approved=True)
    briefs = shop.briefs(pair.drafts)
    before = briefs[[day < product.launch_date for day in briefs["data_cutoff"]]]
    listed = ", ".join(pair.drafts)
    if briefs.empty:
        raise ToolError(f"No brief of {product.name} ({listed}) was stored, so there is no plan to score; write_brief.")
    if before.empty:
        raise ToolError(
            f"Every brief of {product.name} ({listed}) was written on sales from its launch on {product.launch_date} "
            "or later; a score needs one from before, so write_brief before the next launch."
        )
    return _read(before.iloc[0].to_dict(), product, approved=False)


def _approved(shop: Shop, pair: Pair, launch: date) -> Approval | None:
    """The approval in force on the eve of the launch, or on its day if it came that morning."""
    found = [approval for draft in pair.drafts for approval in approvals(shop, draft) if approval.holds_on(launch)]
    return max(found, key=lambda approval: approval.at, default=None)


def _read(row: Mapping[Any, Any], product: Product, approved: bool) -> FrozenPlan:
    figures: Mapping[str, Any] = row["document"]["figures"]

    def figure(name: str) -> Figure | None:
        return Figure.model_validate(figures[name]) if name in figures else None

    weeks: list[tuple[float, float, float]] = []
    while (week := figure(f"launch.week_{len(weeks) + 1:02d}")) is not None and isinstance(week.value, int | float):
        low, high = (week.value if bound is None else bound for bound in (week.low, week.high))
        weeks.append((low, week.value, high))
    start = figure("launch.date")
    if not weeks or start is None or not isinstance(start.value, date):
        raise ToolError(
            f"Brief {row['id']} of {product.name} holds no weekly forecast, so there is nothing to score; "
            "give its draft a category and a launch date before the next brief."
        )
    low, middle, high = np.array(weeks).T
    price, buy = figure("launch.price"), figure("buy.first_buy")
    return FrozenPlan(
        brief=str(row["id"]),
        plan_hash=str(row["plan_hash"]),
        cutoff=row["data_cutoff"],
        approved=approved,
        launch=start.value,
        weeks=PlannedWeeks(low, middle, high, _number(price)),
        total=figure(f"launch.units_{len(weeks)}w"),
        first_buy=_number(buy),
        figures=figures,
        settings=row["document"].get("settings") or {},
    )


def _number(figure: Figure | None) -> float | None:
    return float(figure.value) if figure is not None and isinstance(figure.value, int | float) else None


def _only(shop: Shop, draft: Draft, found: pd.DataFrame) -> Product:
    if found.empty:
        raise ToolError(
            f"{draft.name} ({draft.id}) has not launched: no product of that name is on sale by {shop.cutoff}; import "
            f"the product under the same name, or with {draft.id} in a column `{LINK}` of the product list."
        )
    if len(found) > 1:
        listed = ", ".join(found["sku"])
        raise ToolError(f"{draft.name} ({draft.id}) could be any of {listed}; give the SKU of the product to score.")
    product = shop.product(str(found["sku"].iloc[0]))
    assert product is not None
    return product


def _draft_attribute(attributes: Mapping[str, str]) -> str:
    return next((str(value).strip().upper() for key, value in attributes.items() if key.casefold() == LINK), "")


def _same(name: str, *others: str) -> bool:
    return default_process(name) in {default_process(other) for other in others if other}
