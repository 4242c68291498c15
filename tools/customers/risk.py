"""`predict_churn`: customers at risk, why, and what a coupon to them is expected to bring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process

from shop import Shop, Table, ToolError, ToolResult
from shop.types import Count
from tools.customers.churn import Churn
from tools.customers.read import LEAST_SHOWN, customer_churn, read_base
from tools.customers.reasons import advice, reasons
from tools.customers.rfm import SEGMENTS, rfm_names
from tools.figures import Sheet
from tools.promotion.coupons import coupon_evidence
from tools.registry import tool

MOST = 50
_ALIKE = 75.0
CHINESE = ("冠军客户", "忠诚客户", "潜力客户", "新客户", "流失中的大客户", "流失中的客户", "偶尔购买", "已流失客户")


@dataclass(frozen=True)
class AtRisk:
    """Customers who still buy, with what is at stake.

    Attributes:
        frame: `chance, stake, recency` by customer, most at stake first; `stake` is the chance times what they spend in
            the time at the rate seen.
        away: Customers without a purchase for so long that they count as lost already.
    """

    frame: pd.DataFrame
    away: int


@tool("read", "internal")
def predict_churn(shop: Shop, segment: str | None = None, limit: Count = 10) -> ToolResult:
    """List customers who are likely to stop buying, with the reasons, the money at stake and what to do.

    Args:
        segment: Only this RFM segment, such as champions, loyal, promising, new or occasional; left out, everyone.
        limit: How many customers to list at most, 1 to 50.
    """
    if not 1 <= limit <= MOST:
        raise ToolError(f"Between 1 and {MOST} customers can be listed, not {limit}; give another limit.")
    name = None if segment is None else find_segment(segment)
    churn = customer_churn(shop)
    inside = None if name is None else rfm_names(read_base(shop).known) == name
    found = at_risk(churn, inside)
    if len(found.frame) < LEAST_SHOWN:
        where = f"Segment {name}" if name else "The shop"
        raise ToolError(
            f"{where} has fewer than {LEAST_SHOWN} customers who still buy, so none is shown; leave the segment out."
        )
    sheet = Sheet()
    _overview(sheet, churn, found, name)
    listed = found.frame.head(limit)
    tables = (_people(sheet, churn, listed), _coupon(sheet, shop, len(listed)))
    summary = (
        "Of {{churn.active}} customers who still buy ({{churn.segment}}), {{churn.lost}} are expected not to come "
        "within {{churn.weeks}}, which puts {{churn.stake}} at stake. The list has those with most at stake."
    )
    return ToolResult(summary=summary, figures=sheet.figures, tables=tables, warnings=_doubts(sheet))


def find_segment(text: str) -> str:
    """The RFM segment meant.

    Raises:
        ToolError: None is like it; all are listed.
    """
    said = text.strip().lower()
    names = dict(zip([*SEGMENTS, *CHINESE], [*SEGMENTS, *SEGMENTS], strict=True))
    found = process.extractOne(said, list(names), scorer=fuzz.WRatio, score_cutoff=_ALIKE)
    if found is None:
        raise ToolError(f"There is no segment “{text.strip()}”; the segments are {', '.join(SEGMENTS)}.")
    return names[str(found[0])]


def at_risk(churn: Churn, inside: pd.Series[bool] | None = None) -> AtRisk:
    """Those of a segment who bought within the time that counts, and what may be lost with them."""
    known = churn.known if inside is None else churn.known[inside.reindex(churn.known.index).fillna(False)]
    active = known[known["recency"] <= churn.weeks]
    rate = active["spent"] / active["age"].clip(lower=float(churn.weeks))
    chance = churn.risk.reindex(active.index)
    frame = pd.DataFrame(
        {"chance": chance, "stake": chance * rate * churn.weeks, "recency": active["recency"]}, index=active.index
    )
    return AtRisk(frame.sort_values("stake", ascending=False, kind="stable"), len(known) - len(active))


def _overview(sheet: Sheet, churn: Churn, found: AtRisk, name: str | None) -> None:
    frame = found.frame
    how = f"{churn.chosen} of logistic regression, LightGBM and Cox; chosen by a time split"
    sheet.add("churn.segment", "Segment", name or "all customers", "text", "as found")
    weeks = "four in five of all returns come earlier (Kaplan-Meier)"
    sheet.add("churn.weeks", "Weeks without a purchase that count as lost", churn.weeks, "weeks", weeks)
    sheet.add("churn.active", "Customers who still buy", len(frame), "count", "bought within these weeks")
    chance = frame["chance"].to_numpy(dtype=float)
    total, spread = float(chance.sum()), 1.2816 * float(np.sqrt((chance * (1 - chance)).sum()))
    low, high = max(total - spread, 0.0), total + spread
    sheet.add("churn.lost", "Customers expected to be lost", total, "count", f"sum of chances: {how}", low, high)
    sheet.add("churn.share", "Share expected to be lost", float(chance.mean()), "share", how)
    stake = "chance times what each spends in these weeks at the rate seen"
    sheet.add("churn.stake", "Money at stake", float(frame["stake"].sum()), "money", stake)
    sheet.add("churn.away", "Customers already away longer", found.away, "count", "no purchase within these weeks")


def _people(sheet: Sheet, churn: Churn, listed: pd.DataFrame) -> Table:
    rows = []
    for i, (customer, row) in enumerate(listed.iterrows(), start=1):
        why = reasons(churn, customer)
        rows.append(
            (
                sheet.add(f"churn.customer_{i}", "Customer", str(customer), "text", "most at stake first"),
                sheet.add(f"churn.chance_{i}", "Chance to be lost", row["chance"], "share", churn.chosen),
                sheet.add(f"churn.stake_{i}", "At stake", row["stake"], "money", "chance times usual spending"),
                sheet.add(f"churn.away_{i}", "Weeks since last purchase", row["recency"], "weeks", "to today"),
                "; ".join(why) or "nothing in particular",
                advice(why),
            )
        )
    columns = ("Customer", "Chance", "At stake", "Last purchase", "Why", "Do")
    return Table(title="At risk, most at stake first", columns=columns, rows=tuple(rows))


def _coupon(sheet: Sheet, shop: Shop, listed: int) -> Table:
    """What a coupon to all of the listed is expected to bring, from coupons held back at random."""
    evidence = coupon_evidence(shop)
    label = "Contribution that a coupon adds per customer, discount taken off"
    if evidence is None:
        reason = "no past coupon was held back from anybody at random, so nobody knows what one adds"
        each = sheet.add("retain.each", label, None, "money", reason=reason)
        every = sheet.add("retain.all", "Expected for those listed", None, "money", reason=reason)
    else:
        mean, error = evidence.contribution
        low, high = mean - 1.2816 * error, mean + 1.2816 * error
        how = "customers who got a coupon against those held out at random, all kinds of customers together"
        each = sheet.add("retain.each", label, mean, "money", how, low, high)
        total: list[Any] = [listed * value for value in (mean, low, high)]
        every = sheet.add("retain.all", "Expected for those listed", total[0], "money", how, total[1], total[2])
    return Table(
        title="What a coupon is expected to bring",
        columns=("Action", "Each", "All listed"),
        rows=(("coupon", each, every),),
    )


def _doubts(sheet: Sheet) -> tuple[str, ...]:
    found = [
        "Reasons say what the models go by, not what would change a customer's mind; hold some customers out of any "
        "action, so that the next answer can tell what it brought."
    ]
    if sheet.known("retain.each") and sheet.value("retain.each") <= 0:
        found.append("Past coupons cost more than they brought; do not send one to everybody on the list.")
    if not sheet.known("retain.each"):
        found.append("What a coupon would bring is unknown: none was ever held back at random.")
    return tuple(found)
