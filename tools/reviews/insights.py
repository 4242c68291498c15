"""Review insights: what buyers praise and complain about, how many of them, and what speaks against it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from shop import Passage, Product, Rows, Shop, Table, ToolError, ToolResult
from shop.passages import Hit, Scope
from shop.resolve import find_category, find_product
from shop.text import clean, shorten
from tools.figures import Sheet
from tools.registry import tool
from tools.reviews.polarity import Polarity
from tools.reviews.shares import difference, wilson
from tools.reviews.themes import Aspects, Side, Theme, review_sentences, themes

MOST_THEMES = 5  # on either side
RECENT = timedelta(days=182)
SURE = 0.5  # match from which a sentence is about the question
MOST_NEAR = 2
LEAST_TO_COMPARE = 20  # reviews on each side of a comparison
_SIDES: tuple[tuple[Side, str], ...] = (("complaint", "pain"), ("praise", "praise"))
_ONLY = {
    "complaint": re.compile(
        r"complain|dislike|(?:not|n['’]t) like|hate|problem|wrong|negative|pain|bad|缺点|差评|投诉|问题|不满|吐槽", re.I
    ),
    "praise": re.compile(r"prais|(?<!not )(?<!n['’]t )\blike|love|positive|good|strength|优点|好评|喜欢", re.I),
}


@dataclass(frozen=True)
class _Asked:
    """Whose reviews, and what part of them the question is about."""

    name: str
    skus: tuple[str, ...]
    rivals: tuple[str, ...]  # own products of the same category, to compare with
    aspects: frozenset[str]
    side: Side | None


@tool("read", "internal")
def review_insights(shop: Shop, query: str, product: str | None = None, category: str | None = None) -> ToolResult:
    """Find what buyers praise and complain about in reviews, as n of N with quotes and counter-quotes.

    Args:
        query: What to find out, such as "what do people dislike" or "is it too loud".
        product: Only reviews of this product: SKU or name.
        category: Only reviews of products in this category, as said.
    """
    catalogue = shop.products()
    names = Aspects(key for attributes in catalogue["attributes"] for key in attributes)
    asked = _asked(shop, catalogue, names, query, product, category)
    reviews = shop.reviews(skus=[*asked.skus, *asked.rivals])
    own = reviews[reviews["sku"].isin(asked.skus)]
    if own.empty:
        raise ToolError(f"There are no reviews of {asked.name} yet; ask about its category or another product.")
    polarity = Polarity.fit([clean(text) for text in reviews["text"]], reviews["rating"].tolist())
    frame = review_sentences(own, names, polarity)
    found = _fitting(frame, asked)
    sheet = Sheet()
    _overview(shop, sheet, asked, own)
    others = reviews[reviews["sku"].isin(asked.rivals)]
    compared = review_sentences(others, names, polarity) if len(others) else None
    tables = [
        table
        for side, stem in _SIDES
        if (table := _table(shop, sheet, stem, [t for t in found if t.side == side], own, compared))
    ]
    summary = _summary(sheet, found) + _nearest(shop, sheet, query, asked)
    return ToolResult(
        summary=summary,
        figures=sheet.figures,
        tables=tuple(tables),
        warnings=_warnings(sheet, found, asked),
    )


def _fitting(frame: pd.DataFrame, asked: _Asked) -> list[Theme]:
    """Themes on what was asked, however few say so; where nothing was singled out or said, all with support."""
    exact = [theme for theme in themes(frame, least=1) if theme.aspect in asked.aspects]
    return exact or [theme for theme in themes(frame) if asked.side in (None, theme.side)]


def _asked(
    shop: Shop, catalogue: pd.DataFrame, names: Aspects, query: str, product: str | None, category: str | None
) -> _Asked:
    path = find_category(shop, category) if category else ""
    name, skus, rivals = path or "the whole shop", tuple(catalogue["sku"]), ()
    if path:
        skus = tuple(shop.products(path)["sku"])
    if product:
        item = find_product(shop, product)
        if not isinstance(item, Product):
            alike = f"“{item.category}”" if item.category else "its category"
            raise ToolError(f"{item.name} is a draft and has no reviews yet; ask about {alike} instead.")
        name, skus = f"{item.name} ({item.sku})", (item.sku,)
        rivals = tuple(sku for sku in shop.products(item.category)["sku"] if sku != item.sku) if item.category else ()
    said = clean(query)
    wanted: list[Side] = [side for side, pattern in _ONLY.items() if pattern.search(said)]  # type: ignore[misc]
    side = wanted[0] if len(wanted) == 1 else None
    return _Asked(name, skus, rivals, frozenset(names.of(said)), side)


def _overview(shop: Shop, sheet: Sheet, asked: _Asked, own: pd.DataFrame) -> None:
    rows = Rows(table="reviews", where=_where(asked), until=shop.cutoff, count=len(own))
    sheet.add("reviews.scope", "Reviews of", asked.name, "text", "as asked")
    sheet.add("reviews.count", "Reviews", len(own), "count", "reviews up to the cut-off", rows=rows)
    sheet.add("reviews.rating", "Mean rating", own["rating"].mean(), "ratio", "mean of the ratings", rows=rows)
    sheet.add("reviews.first", "First review", own["day"].min(), "date", "earliest day", rows=rows)
    sheet.add("reviews.last", "Last review", own["day"].max(), "date", "latest day", rows=rows)
    rivals = shop.competitors()
    rivals = rivals[rivals["sku"].isin(asked.skus)].dropna(subset=["rating", "reviews"])
    weight = rivals["reviews"].astype(float)
    known = weight.sum() > 0
    sheet.add(
        "reviews.rival_rating",
        "Rivals' mean rating",
        float((rivals["rating"].astype(float) * weight).sum() / weight.sum()) if known else None,
        "ratio",
        "latest rating of each rival offer, weighted by its number of reviews",
        rows=Rows(table="competitor_prices", where=_where(asked), count=len(rivals)),
        reason="no rating of a rival offer is on record; the importer can bring them",
    )


def _where(asked: _Asked) -> dict[str, tuple[str, ...]]:
    return {"sku": asked.skus} if len(asked.skus) <= 200 else {}


def _table(
    shop: Shop, sheet: Sheet, stem: str, found: list[Theme], own: pd.DataFrame, compared: pd.DataFrame | None
) -> Table | None:
    if not found:
        return None
    rivals = {} if compared is None else {(t.aspect, t.side): t for t in themes(compared, least=1)}
    total = 0 if compared is None else compared["review"].nunique()
    rows = []
    for number, theme in enumerate(found[:MOST_THEMES], 1):
        key = f"reviews.{stem}_{number}"
        cells = _theme_figures(sheet, key, theme, own)
        cells += (
            _change(shop, sheet, key, theme, own),
            _against(sheet, key, theme, len(own), rivals.get((theme.aspect, theme.side)), total),
        )
        rows.append(cells)
    title = "What buyers complain about" if stem == "pain" else "What buyers praise"
    columns = ("Theme", "Reviews that say so", "Share", "For example", "On the other hand", "Lately", "Others like it")
    return Table(title=title, columns=columns, rows=tuple(rows))


def _theme_figures(sheet: Sheet, key: str, theme: Theme, own: pd.DataFrame) -> tuple[str, ...]:
    n, share = len(theme.reviews), wilson(len(theme.reviews), len(own))
    rows = Rows(table="reviews", where={"id": tuple(sorted(theme.reviews)[:200])}, count=n)
    name = sheet.add(f"{key}_name", "Theme", theme.aspect, "text", "aspect that the sentences mention")
    count = sheet.add(f"{key}_count", "Reviews that say so", n, "count", "reviews with such a sentence", rows=rows)
    part = sheet.add(
        f"{key}_share", "Share of all reviews", share.value, "share", "n / N, Wilson", share.low, share.high, rows
    )
    quote = _quote(sheet, f"{key}_quote", "Quote", theme.quotes, own)
    against = _quote(sheet, f"{key}_counter", "Counter-quote", theme.counter, own)
    bounds = "{{" + f"{key}_share.low" + "}} to {{" + f"{key}_share.high" + "}}"
    return (name, f"{count} of {{{{reviews.count}}}}", f"{part} ({bounds})", quote, against)


def _quote(sheet: Sheet, key: str, label: str, quotes: tuple[tuple[str, str], ...], own: pd.DataFrame) -> str:
    """The clearest sentence, and the whole review it stands in as its citation."""
    formula = "clearest such sentence"
    if not quotes:
        return sheet.add(key, label, None, "text", formula, reason="no review says otherwise")
    review, sentence = quotes[0]
    rows = Rows(table="reviews", where={"id": (review,)}, count=1)
    said = sheet.add(key, label, f"“{shorten(sentence, 160)}”", "text", formula, rows=rows, untrusted=True)
    whole = own.loc[own["id"] == review, "text"].iloc[0]
    return f"{said} {sheet.cite(f'{key}_source', Passage(id=review, source=f'review {review}', text=whole), rows)}"


def _change(shop: Shop, sheet: Sheet, key: str, theme: Theme, own: pd.DataFrame) -> str:
    """Whether the theme is mentioned more or less often than before, where that can be told."""
    turn = shop.cutoff - RECENT
    recent = own["day"] > turn
    new, old = int(recent.sum()), int((~recent).sum())
    if min(new, old) < LEAST_TO_COMPARE:
        return "too few reviews to tell"
    late = sum(day > turn for day in theme.days)
    before = len(theme.days) - late
    share = wilson(late, new)
    formula = "share of the reviews of the last half year that say so, Wilson"
    placeholder = sheet.add(f"{key}_recent", "Share lately", share.value, "share", formula, share.low, share.high)
    low, high = difference((late, new), (before, old))
    word = "more often" if low > 0 else "less often" if high < 0 else "no clear change"
    return f"{word}: {placeholder}"


def _against(sheet: Sheet, key: str, theme: Theme, total: int, other: Theme | None, others: int) -> str:
    """The same theme in reviews of the shop's other products of the category."""
    if others < LEAST_TO_COMPARE:
        return "nothing to compare with"
    count = len(other.reviews) if other else 0
    share = wilson(count, others)
    formula = "share of the reviews of the other products of its category that say so, Wilson"
    placeholder = sheet.add(f"{key}_others", "Share for others", share.value, "share", formula, share.low, share.high)
    low, high = difference((len(theme.reviews), total), (count, others))
    word = "less often" if low > 0 else "more often" if high < 0 else "about as often"
    return f"{word}: {placeholder}"


def _nearest(shop: Shop, sheet: Sheet, query: str, asked: _Asked) -> str:
    """What reviews say that is closest to the question, where the texts can be searched and anything is close."""
    if shop.searcher is None:
        return ""
    skus = asked.skus if len(asked.skus) < 500 else None
    hits = shop.searcher.search(query, Scope(kinds=("review",), skus=skus, until=shop.cutoff), limit=5).hits
    sure = {hit.passage.text: hit for hit in reversed(hits) if hit.match >= SURE}  # the same words count once
    said = [_near(sheet, number, hit) for number, hit in enumerate(reversed(sure.values()), 1)][:MOST_NEAR]
    return f" Closest to the question: {' '.join(said)}" if said else ""


def _near(sheet: Sheet, number: int, hit: Hit) -> str:
    rows = Rows(table="reviews", where={"id": (hit.ref,)}, count=1)
    text = f"“{shorten(hit.passage.text, 160)}”"
    key, formula = f"reviews.near_{number}", "closest sentence"
    quote = sheet.add(key, "Said in a review", text, "text", formula, rows=rows, untrusted=True)
    return f"{quote} {sheet.cite(f'{key}_source', hit.passage, rows)}"


def _summary(sheet: Sheet, found: list[Theme]) -> str:
    start = "{{reviews.count}} reviews of {{reviews.scope}} give {{reviews.rating}} stars on average."
    parts = [start]
    for stem, verb in (("pain", "complained about"), ("praise", "praised")):
        if sheet.known(f"reviews.{stem}_1_name"):
            key = f"reviews.{stem}_1"
            parts.append(
                f"Most {verb}: {{{{{key}_name}}}}, in {{{{{key}_count}}}} of {{{{reviews.count}}}} reviews, "
                f"such as {{{{{key}_quote}}}} {{{{{key}_quote_source}}}}."
            )
    if not found:
        parts.append("No theme is shared by enough reviews to be one.")
    return " ".join(parts)


def _warnings(sheet: Sheet, found: list[Theme], asked: _Asked) -> tuple[str, ...]:
    warnings = ["Aspects and polarity are read by rules, not by a person: check the quotes before acting on a count."]
    if asked.aspects and not any(theme.aspect in asked.aspects for theme in found):
        warnings.append("Too few reviews mention what was asked; these are the themes that the reviews do have.")
    if sheet.known("reviews.rival_rating"):
        warnings.append("Of rivals only the ratings are on record, not what their buyers wrote.")
    return tuple(warnings)
