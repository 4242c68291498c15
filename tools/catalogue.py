"""The catalogue: draft a product that is being planned, and find products by what is written about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from shop import Shop, Table, ToolError, ToolResult
from shop.dates import parse_day
from shop.passages import Scope
from shop.resolve import find_category
from shop.types import Cost, Count, Day, OwnCategory, Price
from tools.figures import Sheet, evidence
from tools.proposals import LARGEST
from tools.registry import tool
from tools.service.shelf import Priced, offer_cells, on_shelf, shelf_rows
from tools.text import product_text, tokens

Array = NDArray[np.float64]
_K1, _B = 1.5, 0.75  # BM25's usual settings
_ALIKE = 85  # rapidfuzz ratio from which a word counts as a misspelling of another
MAX_FOUND = 50
SURE = 0.5  # match from which a text is about the query
_PRICED = Priced(
    "list price, else the last price paid", "no price and no sale on record; the importer can bring a price list"
)


@tool("write", "internal")
def draft_product(
    shop: Shop,
    name: str,
    category: OwnCategory | None = None,
    cost: Cost | None = None,
    price: Price | None = None,
    launch_date: Day | None = None,
    description: str | None = None,
    attributes: dict[str, str] | None = None,
) -> ToolResult:
    """Create a draft of a new product that is being planned.

    What is left out is as in the latest draft of that name: who says one thing more of it has not taken the rest back.

    Args:
        name: Name of the product.
        category: Category of the shop, as said.
        cost: Cost per unit in the shop's currency.
        price: Planned price per unit in the shop's currency.
        launch_date: Planned launch day, as said.
        description: What it is and does.
        attributes: Facts such as colour, material or size.
    """
    if not name:
        raise ToolError("A draft needs a name; say what the product is called.")
    for what, value in (("cost", cost), ("price", price)):
        if value is not None and not 0 < value <= LARGEST:
            raise ToolError(
                f"A {what} of {value:g} cannot be right; give a {what} above zero and up to {LARGEST:,}, "
                "or leave it out."
            )
    path = find_category(shop, category) if category else ""
    day = future_day(shop, launch_date) if launch_date else None
    before = next((draft for draft in reversed(shop.drafts()) if draft.name.lower() == name.strip().lower()), None)
    if before is not None:
        path, cost, price = path or before.category, cost or before.cost, price or before.price
        day, description = day or before.launch_date, description or before.description
        attributes = {**before.attributes, **(attributes or {})}
    draft = shop.add_draft(name, path, cost, price, day, description or "", attributes or {})
    sheet = Sheet()
    said = "as given" if before is None else "as given, now or in the draft before"
    missing = "not given yet; the category manager can supply it"
    sheet.add("item.draft_id", "Draft id", draft.id, "text", "next free number")
    sheet.add("item.name", "Name", draft.name, "text", said)
    sheet.add("item.category", "Category", draft.category or None, "text", "matched in the shop", reason=missing)
    sheet.add("item.price", "Planned price", draft.price, "money", said, reason=missing)
    sheet.add("item.cost", "Cost per unit", draft.cost, "money", said, reason=missing)
    sheet.add("item.launch_date", "Planned launch date", draft.launch_date, "date", said, reason=missing)
    warnings = _draft_warnings(cost, price)
    if before is not None and before.id != draft.id:
        sheet.add("item.before", "Draft it completes", before.id, "text", "the latest of that name")
        warnings = (*warnings, "What was left out is as in draft {{item.before}}.")
    return ToolResult(summary=_draft_summary(sheet), figures=sheet.figures, warnings=warnings)


@tool("read", "public")
def search_products(shop: Shop, query: str, category: str | None = None, limit: Count = 10) -> ToolResult:
    """Find products by what is written about them, with price, rating and sales.

    Args:
        query: What to look for, in English or Chinese.
        category: Only in this category, as said.
        limit: How many to show at most, 1 to 50.
    """
    if not 1 <= limit <= MAX_FOUND:
        raise ToolError(f"Between 1 and {MAX_FOUND} products can be shown, not {limit}; give another limit.")
    path = find_category(shop, category) if category else None
    for_customer = shop.session is not None and shop.session.is_customer
    products = on_shelf(shop, path) if for_customer else shop.products(path)
    best = _by_meaning(shop, products, query, path, limit) or _by_words(shop, products, query, limit)
    if not best:
        where = f" in {path}" if path else ""
        raise ToolError(f"Nothing{where} matches “{query}”; try other words, or another category.")
    found = products.iloc[best]
    sheet = Sheet()
    count = sheet.add(
        "found.count", "Products found", len(found), "count", "best matches of words and meaning, at most the limit"
    )
    rows = shelf_rows(shop, sheet, found) if for_customer else _found_rows(shop, sheet, found)
    columns = ("Product", "Price", "Rating", "Units in a year")[: len(rows[0])]
    table = Table(title="Products found", columns=columns, rows=rows)
    first = (
        "{{found.item_1_name}} at {{found.item_1_price}}"
        if sheet.known("found.item_1_price")
        else "{{found.item_1_name}}"
    )
    summary = f"The search found {count} products. The closest is {first}."
    return ToolResult(summary=summary, figures=sheet.figures, tables=(table,))


def future_day(shop: Shop, text: str) -> date:
    """A planned day as said.

    Raises:
        ToolError: It cannot be read, or lies before the shop's today.
    """
    day = parse_day(text, shop.today)
    if day < shop.today:
        raise ToolError(f"The launch date {day} is before {shop.today}; give a date from then on.")
    return day


def _by_meaning(shop: Shop, products: pd.DataFrame, query: str, path: str | None, limit: int) -> list[int]:
    """Positions of the products whose texts are about the query; none where the texts cannot be searched."""
    if shop.searcher is None:
        return []
    scope = Scope(kinds=("product",), category=path or "", until=shop.cutoff)
    hits = shop.searcher.search(query, scope, limit=4 * limit).hits  # a product has several passages
    position = {sku: at for at, sku in enumerate(products["sku"])}
    skus = dict.fromkeys(hit.sku for hit in hits if hit.match >= SURE)
    return [position[sku] for sku in skus if sku in position][:limit]


def _by_words(shop: Shop, products: pd.DataFrame, query: str, limit: int) -> list[int]:
    """Positions of the products that share words with the query, misspelled ones included."""
    scores = bm25(query, _texts(shop, products))
    return [int(i) for i in np.argsort(-scores, kind="stable")[:limit] if scores[i] > 0]


def bm25(query: str, texts: Sequence[str]) -> Array:
    """Okapi BM25 score of each text (n,); a query word that no text holds counts as the closest spelling that one does.

    Words are those of `tools.text.tokens`; k1 = 1.5, b = 0.75 (Robertson and Zaragoza, 2009).
    """
    documents = [tokens(text) for text in texts]
    lengths = np.array([len(document) for document in documents], dtype=float)
    scores = np.zeros(len(documents))
    if not lengths.any():
        return scores
    vocabulary = sorted({word for document in documents for word in document})
    norm = _K1 * (1 - _B + _B * lengths / lengths.mean())
    for word in _spelled(set(tokens(query)), vocabulary):
        counts = np.array([document.count(word) for document in documents], dtype=float)
        holding = (counts > 0).sum()
        idf = np.log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
        scores += idf * counts * (_K1 + 1) / (counts + norm)
    return scores


def _spelled(words: set[str], vocabulary: list[str]) -> set[str]:
    known, found = set(vocabulary), set()
    for word in words:
        match = None if word in known else process.extractOne(word, vocabulary, scorer=fuzz.ratio, score_cutoff=_ALIKE)
        found.add(match[0] if match else word)
    return found & known


def _texts(shop: Shop, products: pd.DataFrame) -> list[str]:
    chinese = shop.names().set_index("id")["name_zh"]
    texts = []
    for row in products.to_dict("records"):
        # The name counts twice: it says what the product is, the description what it is like.
        texts.append(f"{row['name']} {row['category']} {chinese.get(row['sku'], '')} {product_text(row)}")
    return texts


def _found_rows(shop: Shop, sheet: Sheet, found: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    since = shop.cutoff - timedelta(weeks=52) + timedelta(days=1)
    sales = shop.daily(skus=list(found["sku"]), since=since)
    units = sales.groupby("sku")["units"].sum()
    paid = sales[(sales["units"] > 0) & (sales["revenue"] > 0)].groupby("sku").last()
    ratings = shop.reviews(skus=list(found["sku"])).groupby("sku")["rating"].mean()
    cells = []
    for number, row in enumerate(found.to_dict("records"), start=1):
        sku, stem = row["sku"], f"found.item_{number}"
        price = row["list_price"]
        if pd.isna(price) and sku in paid.index:
            price = paid.loc[sku, "revenue"] / paid.loc[sku, "units"]
        sold = evidence(shop, "daily", {"sku": (sku,)}, since)
        cells.append(
            (
                *offer_cells(shop, sheet, stem, row, price, ratings.get(sku), _PRICED),
                sheet.add(
                    f"{stem}_units",
                    "Units in the last year",
                    int(units.get(sku, 0)),
                    "units",
                    "sum of units sold",
                    rows=sold,
                ),
            )
        )
    return tuple(cells)


def _draft_summary(sheet: Sheet) -> str:
    parts = ["{{item.name}} is now draft {{item.draft_id}}"]
    if sheet.known("item.category"):
        parts.append(" in {{item.category}}")
    if sheet.known("item.price"):
        parts.append(", planned at {{item.price}}")
    if sheet.known("item.launch_date"):
        parts.append(", to launch on {{item.launch_date}}")
    missing = [
        word
        for word, figure_id in (
            ("category", "item.category"),
            ("cost", "item.cost"),
            ("price", "item.price"),
            ("launch date", "item.launch_date"),
        )
        if not sheet.known(figure_id)
    ]
    still = f" Still open: {', '.join(missing)}." if missing else " Forecast, price and stock can be planned now."
    return "".join(parts) + "." + still


def _draft_warnings(cost: float | None, price: float | None) -> tuple[str, ...]:
    if cost is not None and price is not None and price <= cost:
        return ("The planned price {{item.price}} does not cover the cost {{item.cost}}: every unit would lose money.",)
    return ()
