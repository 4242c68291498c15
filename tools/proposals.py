"""Proposals of the manager: a change of price, launch date, stock or advertising that a person has to approve."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from shop import Draft, Product, Shop, ToolError, ToolResult, actions
from shop.changes import CHANGES
from shop.dates import parse_day
from shop.quantities import parse_number
from shop.resolve import find_product
from shop.types import Unit
from tools.figures import Sheet, Value
from tools.registry import tool

Kind = Literal["price", "launch_date", "reorder", "campaign"]
LARGEST = 10_000_000  # units or currency: more is a slip of the keyboard


def _as_said(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


@tool("propose", "internal", resolved=("product",))
def propose_change(
    shop: Shop,
    change: Kind,
    product: str,
    value: Annotated[str, BeforeValidator(_as_said)],
    reason: str | None = None,
) -> ToolResult:
    """Propose a change of price, launch date, stock or advertising, for a person to approve.

    Args:
        change: What is to change.
        product: SKU, draft id or name.
        value: The new price, the new launch day, the units to reorder, or the campaign in words, as said.
        reason: Why.
    """
    found = find_product(shop, product)
    key = found.id if isinstance(found, Draft) else found.sku
    stored, shown, unit = _value(shop, change, found, value)
    arguments = {
        "change": change,
        "product": key,
        "value": stored,
        "reason": reason or "",
        "day": shop.today.isoformat(),
    }
    action = actions.file(shop, CHANGES["propose_change"], "propose_change", arguments)
    sheet = Sheet()
    proposal = sheet.add("action.id", "Proposal", action.id, "text", "made from its content")
    name = sheet.add("action.product", "Product", f"{found.name} ({key})", "text", "matched in the shop")
    new = sheet.add("action.value", "New value", shown, unit, "as said")
    until = sheet.add("action.expires", "Lapses on", action.expires_at.date(), "date", "days after it was made")
    what = _WORDS[change].format(name=name, new=new, old=_old(sheet, change, found))
    waits = f"It waits for approval as {proposal} until {until}; nothing has changed yet."
    if action.status == "done":
        waits = f"It was approved already, as {proposal}."
    return ToolResult(summary=f"{what} {waits}", figures=sheet.figures)


_WORDS = {
    "price": "{name} would cost {new} instead of {old}.",
    "launch_date": "{name} would launch on {new} instead of {old}.",
    "reorder": "{new} units of {name} would be ordered.",
    "campaign": "{name} would get this campaign: {new}.",
}


def _value(shop: Shop, change: Kind, found: Product | Draft, said: str) -> tuple[int | str, Value, Unit]:
    """The value as stored, as shown, and its unit."""
    if change == "campaign":
        if not said:
            raise ToolError("Say which campaign it is, such as: spring e-mail to past buyers.")
        return said, said, "text"
    if change == "launch_date":
        day = parse_day(said, shop.today)
        if day < shop.today:
            raise ToolError(f"The launch date {day} is before {shop.today}; give a date from then on.")
        if isinstance(found, Product) and found.launch_date is not None and found.launch_date < shop.today:
            raise ToolError(f"{found.name} is on sale since {found.launch_date}; only a launch to come can be moved.")
        return day.isoformat(), day, "date"
    number = parse_number(said)
    if "%" in said or not 0 < number <= LARGEST:
        raise ToolError(f"“{said}” is not a value above zero that a {change} can have; give a number.")
    if change == "price":
        return round(number * 100), round(number, 2), "money"
    if number % 1:
        raise ToolError(f"{said} is not a whole number of units; give one.")
    return int(number), int(number), "units"


def _old(sheet: Sheet, change: Kind, found: Product | Draft) -> str:
    missing = "not given yet; the category manager can supply it"
    if change == "price":
        price = found.price if isinstance(found, Draft) else found.list_price
        return sheet.add("action.before", "Price now", price, "money", "on record", reason=missing)
    if change == "launch_date":
        return sheet.add("action.before", "Launch date now", found.launch_date, "date", "on record", reason=missing)
    return ""
