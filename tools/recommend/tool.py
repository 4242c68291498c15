"""`recommend_products`: what to show a customer, or beside a product, and what it is likely to bring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from shop import Draft, Product, Shop, Table, ToolError, ToolResult
from shop.resolve import find_customer, find_product
from shop.types import Count
from tools.figures import Sheet, interval
from tools.recommend.histories import Histories, Mask, Scores, histories
from tools.recommend.need import Due, due
from tools.recommend.offer import Offer, next_best_offer
from tools.recommend.rank import Guards, pick, usual_prices
from tools.recommend.read import AHEAD, Taught, days, taught
from tools.registry import tool

_DUE = 0.15  # chance of needing a product again from which it is offered again
_SHOWN = 0.02  # chance from which a need is shown at all
_FEW = 5  # purchases below which a product's category speaks for it
_Z80 = 1.2816


@dataclass(frozen=True)
class _Asked:
    customer: str
    item: Product | Draft | None
    limit: int


@tool("read", "internal")
def recommend_products(
    shop: Shop, customer: str | None = None, product: str | None = None, limit: Count = 5
) -> ToolResult:
    """Recommend products for a customer, or to go with a product.

    Args:
        customer: Customer id or name; left out, the products that go with `product` for anybody.
        product: SKU, draft id or name to go with; left out, what the customer is likely to buy next.
        limit: How many, 1 to 20.
    """
    if customer is None and product is None:
        raise ToolError("recommend_products needs a customer or a product; say for whom, or to go with what.")
    if not 1 <= limit <= 20:
        raise ToolError(f"A list of {limit} is not useful; ask for 1 to 20 products.")
    item = None if product is None else find_product(shop, product)
    asked = _Asked("" if customer is None else find_customer(shop, customer), item, limit)
    model = taught(shop)
    history = history_of(model, asked.customer, float(days(shop.today)))
    again = due(model.need, history, AHEAD)
    scores = scored(model, asked.item, history)
    allowed = _allowed(model, asked.item, history, again)
    paid = usual_prices(history, model.shelf.prices)[0] or _around(asked.item)
    guards = Guards(same_kind=1.0) if item is not None else Guards()
    chosen = pick(scores, limit, allowed, model.shelf.kinds, model.shelf.prices, paid, model.shelf.new, guards)
    if not chosen:
        raise ToolError("Nothing on sale is left to recommend: all is delisted, out of stock or had; check the stock.")
    return _report(model, asked, history, again, chosen)


def history_of(model: Taught, customer: str, now: float) -> Histories:
    """One customer's purchases; an empty history for somebody unknown."""
    if customer in model.rows:
        return model.log.take(np.array([model.rows[customer]]))
    none = np.zeros(0, dtype=np.int64)
    return histories(none, none, np.zeros(0), model.log.items, np.array([now]))


def scored(model: Taught, item: Product | Draft | None, history: Histories) -> Scores:
    """Scores of the catalogue, (items,): by the customer's history, by the product, or by both multiplied."""
    own = _own(model, history)
    if item is None:
        return own
    place = model.shelf.place.get(item.sku) if isinstance(item, Product) else None
    beside = _beside(model, place, item)
    if not len(history.row):
        return beside
    return np.asarray(np.sqrt(own / max(float(own.max()), 1e-9)) * beside, dtype=np.float32)


def _own(model: Taught, history: Histories) -> Scores:
    """By the history: as one buys for the first time, and what was had before by how it is bought again."""
    again, fresh = (each[0] for each in model.model.score_both(history))
    had = np.unique(history.item)
    fresh[had] = again[had]
    return np.asarray(fresh, dtype=np.float32)


def _beside(model: Taught, place: int | None, item: Product | Draft) -> Scores:
    """What is bought near the product or, where it has hardly been bought, near the products of its category.

    Products of its own category count a quarter: they are bought by the same people, but more often instead of it.
    """
    shelf = model.shelf
    kind = shelf.frame["category"].to_numpy() == item.category
    few = place is None or int((model.log.item == place).sum()) < _FEW
    places = np.flatnonzero(kind) if few else np.array([place])
    together = np.asarray(model.beside.near[places].sum(axis=0), dtype=np.float32).ravel()
    together[kind] *= 0.25
    return together / max(float(together.max(initial=0.0)), 1e-9) + 0.05 * model.model.popular.astype(np.float32)


def _allowed(model: Taught, item: Product | Draft | None, history: Histories, again: Due) -> Mask:
    """What may be shown: on sale, not the product itself, and not what one has, unless it is likely needed again."""
    allowed = model.shelf.buyable.copy()
    allowed[history.item] = False
    needed = again.item[again.chance >= _DUE]
    allowed[needed] = model.shelf.buyable[needed]
    if isinstance(item, Product) and item.sku in model.shelf.place:
        allowed[model.shelf.place[item.sku]] = False
    return allowed


def _around(item: Product | Draft | None) -> tuple[float, float] | None:
    price = None if item is None else item.price if isinstance(item, Draft) else item.list_price
    return None if price is None else (price * 0.25, price)


# -- the answer -------------------------------------------------------------------------------------------------------


def _report(model: Taught, asked: _Asked, history: Histories, again: Due, chosen: list[int]) -> ToolResult:
    sheet = Sheet()
    rows = [_row(sheet, model, asked, history, again, number, place) for number, place in enumerate(chosen, start=1)]
    columns = ("Product", "Category", "Price", "Chance if they order", "Margin a unit", "Why")
    tables = [Table(title="Recommended", columns=columns, rows=tuple(rows))]
    needs = _needs(sheet, model, again)
    tables += [needs] if needs else []
    if asked.customer:
        sheet.add("recommend.customer", "Customer", asked.customer, "text", "as found")
        sheet.add("recommend.bought", "Purchases seen", len(history.row), "count", "order lines of two years")
    if asked.item is not None:
        sheet.add("recommend.product", "Product", asked.item.name, "text", "as found")
    _offer(sheet, model, asked, chosen)
    _proof(sheet, model)
    return ToolResult(
        summary=_summary(sheet, asked),
        figures=sheet.figures,
        tables=tuple(tables),
        warnings=_warnings(model, asked, history),
    )


def _row(
    sheet: Sheet, model: Taught, asked: _Asked, history: Histories, again: Due, number: int, place: int
) -> tuple[str, ...]:
    one = model.shelf.frame.iloc[place]
    key = f"recommend.{{}}_{number}"
    price, margin = model.shelf.prices[place], model.shelf.margins[place]
    chance, reason = _chance(model, asked, number)
    how = "share of past customers who bought what stood at that place of their list, isotonic; before the guards"
    unknown = "the product has no price" if np.isnan(price) else "its cost is not known"
    sheet.add(key.format("sku"), "SKU", str(one["sku"]), "text", "as in the catalogue")
    return (
        sheet.add(key.format("name"), "Product", str(one["name"]), "text", "as in the catalogue"),
        sheet.add(key.format("category"), "Category", str(one["category"]), "text", "as in the catalogue"),
        sheet.add(
            key.format("price"), "Price", None if np.isnan(price) else price, "money", "list price", reason=unknown
        ),
        sheet.add(
            key.format("chance"),
            "Chance to be bought, if they order within four weeks",
            chance,
            "share",
            how,
            reason=reason,
        ),
        sheet.add(
            key.format("margin"),
            "Margin a unit",
            None if np.isnan(margin) else margin,
            "money",
            "price less cost",
            reason=unknown,
        ),
        _why(model, asked, history, again, place),
    )


def _chance(model: Taught, asked: _Asked, number: int) -> tuple[float | None, str]:
    if asked.item is not None:
        return None, "past lists were made for customers, not beside a product"
    if number > len(model.chances):
        return None, "no past list was that long"
    if asked.customer not in model.rows:
        return None, "the customer has not bought yet, and past lists were for customers who had"
    return float(model.chances[number - 1]), ""


def _why(model: Taught, asked: _Asked, history: Histories, again: Due, place: int) -> str:
    if (again.item == place).any():
        return "due to be bought again"
    if model.shelf.new[place]:
        return "new: shown to learn who likes it"
    if asked.item is not None:
        return "bought beside it"
    if not len(history.row):
        return "popular with everybody"
    bought = set(model.shelf.kinds[history.item].tolist())
    return "of a category they buy from" if int(model.shelf.kinds[place]) in bought else "bought by customers like them"


def _needs(sheet: Sheet, model: Taught, again: Due) -> Table | None:
    """What the customer may need again, and when."""
    rows = []
    for number, at in enumerate(np.flatnonzero(again.chance >= _SHOWN)[:5], start=1):
        usual = date(1970, 1, 1) + timedelta(days=round(again.last[at] + again.gap[at]))
        name = str(model.shelf.frame["name"].iloc[again.item[at]])
        gap, low, high, chance = (each[at] for each in (again.gap, again.low, again.high, again.chance))
        how = "log-normal gap between purchases: the customer's own, drawn towards all buyers of the product"
        rows.append(
            (
                sheet.add(f"need.product_{number}", "Product", name, "text", "bought before"),
                sheet.add(f"need.gap_{number}", "Days between purchases", gap, "days", how, low, high),
                sheet.add(f"need.usual_{number}", "Usual day of the next purchase", usual, "date", how),
                sheet.add(f"need.chance_{number}", "Chance within four weeks", chance, "share", how),
            )
        )
    columns = ("Product", "Days between purchases", "Usual next day", "Chance within four weeks")
    return Table(title="Needed again", columns=columns, rows=tuple(rows)) if rows else None


def _offer(sheet: Sheet, model: Taught, asked: _Asked, chosen: list[int]) -> None:
    """The next best offer by chance x margin: nobody was held out from recommendations, so no uplift is known."""
    offers = []
    for number, place in enumerate(chosen, start=1):
        chance, _ = _chance(model, asked, number)
        margin = model.shelf.margins[place]
        if chance is not None and np.isfinite(margin):
            offers.append(Offer(str(model.shelf.frame["name"].iloc[place]), chance, float(margin)))
    best = next_best_offer(offers)
    label, how = "Next best offer", "largest chance to be bought times margin; a response, not an uplift"
    if best:
        sheet.add("recommend.offer", label, best[0].key, "text", how)
        sheet.add("recommend.offer_worth", "Expected margin of it, if they order", best[0].worth, "money", how)
        return
    sheet.add("recommend.offer", label, None, "text", reason="no product of the list has both a chance and a margin")


def _proof(sheet: Sheet, model: Taught) -> None:
    lists, good = model.judged
    share = good / max(lists, 1)
    wide = _Z80 * np.sqrt(max(share * (1 - share), 1e-9) / max(lists, 1))
    how = "lists of ten as of four weeks ago, before the guards, for customers who ordered since; what was new to them"
    sheet.add(
        "recommend.hit_rate",
        "Past lists with something that was bought",
        share if lists else None,
        "share",
        how,
        low=max(0.0, share - wide),
        high=min(1.0, share + wide),
        reason="no customer bought both lately and before",
    )
    sheet.add("recommend.lists", "Past lists judged", lists, "count", how)


def _summary(sheet: Sheet, asked: _Asked) -> str:
    whom = "{{recommend.customer}}" if asked.customer else "anybody"
    first = (
        f"To go with {{{{recommend.product}}}}, show {whom} {{{{recommend.name_1}}}} first."
        if asked.item is not None
        else f"Show {whom} {{{{recommend.name_1}}}} first."
    )
    proof = (
        "Of {{recommend.lists}} such lists made four weeks ago for customers who ordered, {{recommend.hit_rate}} "
        f"({interval('recommend.hit_rate')}) held something that the customer has bought since."
    )
    offer = " The next best offer is {{recommend.offer}}." if sheet.known("recommend.offer") else ""
    return f"{first}{offer} {proof}" if asked.item is None else first


def _warnings(model: Taught, asked: _Asked, history: Histories) -> tuple[str, ...]:
    found = []
    if asked.customer and not len(history.row):
        found.append("This customer has not bought within two years: the list is what everybody buys.")
    if isinstance(asked.item, Draft):
        found.append("The draft has no sales: what goes with it is read from its category.")
    found.append(
        "The chances tell who buys, not who buys because of the list; only customers held out at random tell that."
    )
    return tuple(found)
