"""Lessons of launches: every plan that has met its weeks is scored and the result kept for later forecasts to show."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from shop import Shop, ToolError
from shop.lessons import store_lessons
from tools.scoring.plan import FrozenPlan, pair_of
from tools.scoring.read import whole_weeks
from tools.scoring.report import HELD, main_factor
from tools.scoring.tool import Scored, scored

REVIEWS = (4, 8, 12)  # launch weeks after which a lesson is drawn


def learn_lessons(shop: Shop) -> int:
    """Draw the lessons of all launches with a plan, as far as their weeks are over; returns how many were new.

    Each is drawn as of the day after its week, so it cannot know what came later.
    """
    if not shop.drafts():
        return 0
    products = shop.products()
    launched = products[[day is not None and day <= shop.cutoff for day in products["launch_date"]]]
    rows = [row for sku in launched["sku"] for row in _of_product(shop, str(sku))]
    return store_lessons(shop, rows)


def _of_product(shop: Shop, sku: str) -> list[dict[str, Any]]:
    product = shop.product(sku)
    assert product is not None
    assert product.launch_date is not None
    over = whole_weeks(shop, product)
    rows = []
    for week in REVIEWS:
        if week > over:
            break
        then = shop.as_of(product.launch_date + timedelta(weeks=week))
        try:
            rows.append(lesson_row(scored(then, pair_of(then, product), week)))
        except ToolError:  # it was not planned here, or its plan is shorter
            break
    return rows


def lesson_row(found: Scored) -> dict[str, Any]:
    """What a scored launch teaches, as a row of `launch_lessons`."""
    plan, score, product = found.plan, found.score, found.pair.product
    assert product.launch_date is not None
    week = len(found.sold.units)
    judged = np.isfinite(score.demand)
    return {
        "sku": product.sku,
        "week": week,
        "day": product.launch_date + timedelta(days=7 * week - 1),
        "brief_id": plan.brief,
        "plan_hash": plan.plan_hash,
        "units_plan": float(plan.weeks.middle[:week].sum()),
        "units": float(found.sold.units.sum()),
        "demand": float(score.demand[judged].sum()) if judged.any() else None,
        "plan_judged": float(plan.weeks.middle[:week][judged].sum()) if judged.any() else None,
        "judged": sum(place != "not judged" for place in score.places),
        "inside": score.places.count("inside"),
        "unit": "units" if plan.weeks.price is None else "money",
        "gap": score.gap,
        "effects": score.effects,
        "factor": main_factor(score, HELD * _planned(plan, week)),
    }


def _planned(plan: FrozenPlan, week: int) -> float:
    """The plan in the unit of the gap."""
    return float(plan.weeks.middle[:week].sum()) * (plan.weeks.price or 1.0)
