"""The answer of `recommend_audience`: reach, expected buyers, what a message adds, the hold-out and who comes first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from shop import Draft, Product, Table, ToolResult
from tools.figures import Sheet, interval
from tools.recommend.audience import Response, holdout_size
from tools.recommend.histories import Array, Index, Mask

_SHOWN = 10


@dataclass(frozen=True)
class Added:
    """What a message adds to the chance to buy in its category, from customers held out at random."""

    score: Callable[[Array], Array]
    effect: float
    error: float
    customers: int
    held: int
    certain: float


@dataclass(frozen=True)
class Audience:
    """The customers of a launch: who could be told, what each is expected to do, and who is chosen, best first."""

    customers: pd.Index[str]
    features: Array
    told: Mask
    chance: Array | None
    added: Array | None
    chosen: Index
    by_uplift: bool


def audience_report(
    item: Draft | Product,
    size: int | None,
    audience: Audience,
    response: Response | None,
    added: Added | None,
) -> ToolResult:
    sheet = Sheet()
    sheet.add("audience.product", "Product", item.name, "text", "as found")
    sheet.add("audience.size", "Customers to tell", len(audience.chosen), "count", "ranked first among those reached")
    _reach(sheet, audience)
    _expected(sheet, audience, response, added)
    _holdout(sheet, audience, added)
    rows = [_row(sheet, audience, number, place) for number, place in enumerate(audience.chosen[:_SHOWN], start=1)]
    columns = ("Customer", "Chance to buy", "Added by a message", "Days since last order", "Orders in the category")
    return ToolResult(
        summary=_summary(sheet),
        figures=sheet.figures,
        tables=(Table(title="First to tell", columns=columns, rows=tuple(rows)),),
        warnings=_warnings(size, audience, response, added),
    )


def _reach(sheet: Sheet, audience: Audience) -> None:
    count = len(audience.customers)
    sheet.add("audience.customers", "Customers of the last year", count, "count", "ordered within a year")
    reached = int(audience.told.sum())
    how = "of them, without the product, and fewer than two messages within four weeks"
    sheet.add("audience.reach", "Customers who may be told", reached, "count", how)
    sheet.add("audience.left_out", "Left out", count - reached, "count", "had the product, or messages enough")
    inside = float((audience.features[audience.chosen, 3] > 0).mean()) if len(audience.chosen) else 0.0
    sheet.add("audience.in_category", "Bought in the category", inside, "share", "share of the audience, one year")


def _expected(sheet: Sheet, audience: Audience, response: Response | None, added: Added | None) -> None:
    few = "too few past launches, or buyers of them, to learn from"
    chosen = audience.chosen
    if response is None or audience.chance is None:
        sheet.add("audience.buyers", "Buyers expected in the audience", None, "count", reason=few)
        sheet.add("audience.lift", "Buyers in the first tenth over a tenth at random", None, "ratio", reason=few)
    else:
        buyers = float(audience.chance[chosen].sum())
        low, high = (buyers * ratio for ratio in response.ratio)
        how = "sum of chances, from a logistic regression on past launches; spread of launches left out"
        sheet.add(
            "audience.buyers",
            "Buyers expected in the audience",
            buyers,
            "units",
            how,
            min(low, buyers),
            max(high, buyers),
        )
        lift, low, high = response.lift
        how = "launches left out of the fit"
        sheet.add("audience.lift", "Buyers in the first tenth over a tenth at random", lift, "ratio", how, low, high)
        sheet.add("audience.launches", "Past launches behind it", response.launches, "count", "four weeks on sale")
    label = "Extra category buyers by a message"
    if added is None or audience.added is None:
        why = "no message was ever held back from customers at random, so nobody knows what one adds"
        sheet.add("audience.added", label, None, "units", reason=why)
        return
    extra = float(audience.added[chosen].sum())
    wide = 1.2816 * added.error * len(chosen)
    how = "sum of calibrated uplift scores from past coupons with random hold-outs; interval of the average effect"
    sheet.add("audience.added", label, extra, "units", how, extra - wide, extra + wide)
    sheet.add("audience.tested", "Customers in those tests", added.customers, "count", "held out ones included")


def _holdout(sheet: Sheet, audience: Audience, added: Added | None) -> None:
    size = len(audience.chosen)
    label = "Leave out at random"
    if added is None or audience.added is None or size < 2:
        held = max(1, round(0.1 * size))
        sheet.add("audience.holdout", label, held, "count", "a tenth: the effect to look for is not known")
        return
    chance = 0.05 if audience.chance is None else float(audience.chance[audience.chosen].mean())
    held, shows = holdout_size(size, chance, float(audience.added[audience.chosen].mean()))
    how = "smallest hold-out that shows the expected effect with four chances in five, at most half"
    sheet.add(
        "audience.holdout", label, held, "count", how if shows else "a tenth: no hold-out of this audience would do"
    )


def _row(sheet: Sheet, audience: Audience, number: int, place: int) -> tuple[str, ...]:
    key = f"audience.{{}}_{number}"
    recency = audience.features[place, 0]
    chance = None if audience.chance is None else audience.chance[place]
    extra = None if audience.added is None else audience.added[place]
    few, none = "too few past launches to learn from", "nobody was ever held out at random"
    return (
        sheet.add(key.format("customer"), "Customer", str(audience.customers[place]), "text", "id in the shop"),
        sheet.add(key.format("chance"), "Chance to buy", chance, "share", "learned from past launches", reason=few),
        sheet.add(key.format("added"), "Added by a message", extra, "share", "uplift score, calibrated", reason=none),
        sheet.add(key.format("recency"), "Days since the last order", recency, "days", "up to the cut-off"),
        sheet.add(
            key.format("in_category"), "Orders in the category", int(audience.features[place, 3]), "count", "one year"
        ),
    )


def _summary(sheet: Sheet) -> str:
    first = (
        "Tell {{audience.size}} of {{audience.reach}} reachable customers first about {{audience.product}}; "
        "leave {{audience.holdout}} of them out at random."
    )
    if sheet.known("audience.buyers"):
        first += f" About {{{{audience.buyers}}}} ({interval('audience.buyers')}) of them are expected to buy it."
    if sheet.known("audience.added"):
        first += f" A message is expected to add {{{{audience.added}}}} buyers ({interval('audience.added')})."
    return first


def _warnings(size: int | None, audience: Audience, response: Response | None, added: Added | None) -> tuple[str, ...]:
    found = []
    if added is None:
        found.append("This ranks by response, not by uplift: nobody knows who would have bought without a message.")
    else:
        found.append("What a message adds was measured with coupons, in the category: a launch message may add less.")
        if added.certain < 1:
            found.append("The tests hardly tell customers apart: the ranking by uplift may be no better than chance.")
        if not audience.by_uplift:
            found.append("The tests give no sign that messages add buyers: customers rank by their chance to buy.")
    if response is None:
        found.append("Too few past launches tell who buys new products: customers rank by category, recency and value.")
    if size is not None and len(audience.chosen) < size:
        found.append("Fewer customers can be reached, or gain by a message, than were asked for.")
    return tuple(found)
