"""Facts of copy that stand outside the product's own row: price, launch day, what reviews say, the return window."""

from __future__ import annotations

import re

import pandas as pd
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from shop import Draft, Passage, Product, Rows, Shop
from shop.text import clean, sentences
from tools.copy.bilingual import in_language
from tools.copy.facts import Fact
from tools.copy.limits import Language
from tools.figures import evidence
from tools.reviews.polarity import Polarity
from tools.reviews.themes import Aspects, review_sentences, themes
from tools.text import tokens

LEAST_REVIEWS = 10  # before copy speaks of reviews at all
GOOD_RATING = 4.0  # a lower mean is no selling point, and is left out rather than dressed up
LEAST_SAYING = 5  # reviews that praise the same thing
_RETURNS = re.compile(r"\breturn\w*\b.*\b(?:days?|weeks?)\b|[天日周]内?.*退货", re.I)
_EXCEPT = re.compile(r"cannot be returned|not be returned|no returns|不可退|不能退", re.I)


def price_fact(shop: Shop, item: Product | Draft) -> list[Fact]:
    """The catalogue's price or the draft's planned one, written in each language; none where it is not known."""
    price = item.price if isinstance(item, Draft) else item.list_price
    if price is None:
        return []
    texts = {language: str(format_currency(price, shop.currency, locale=language)) for language in ("en", "zh")}
    source = f"draft {item.id}, planned price" if isinstance(item, Draft) else f"product {item.sku}, list price"
    return [Fact("price", "price", texts, {}, source, _own(item))]


def launch_fact(shop: Shop, item: Product | Draft) -> list[Fact]:
    """The launch day where it lies ahead."""
    day = item.launch_date
    if day is None or day <= shop.today:
        return []
    texts = {language: str(format_date(day, format="long", locale=language)) for language in ("en", "zh")}
    return [Fact("launch", "launch", texts, {}, "launch date", _own(item))]


def review_facts(shop: Shop, item: Product) -> list[Fact]:
    """Mean rating and number of reviews where both are worth telling, and the praise that enough of them share."""
    reviews = shop.reviews(skus=[item.sku])
    if len(reviews) < LEAST_REVIEWS or reviews["rating"].mean() < GOOD_RATING:
        return []
    rows = evidence(shop, "reviews", {"sku": (item.sku,)})
    found = [
        _number("reviews", len(reviews), "reviews up to the cut-off", rows),
        _number("rating", round(float(reviews["rating"].mean()), 1), "mean of the review ratings", rows),
    ]
    return found + _theme(shop, item, reviews)


def _theme(shop: Shop, item: Product, reviews: pd.DataFrame) -> list[Fact]:
    """The aspect most praised, where at least twice as many praise it as complain about it."""
    category = shop.reviews(category=item.category) if item.category else reviews
    polarity = Polarity.fit([clean(text) for text in category["text"]], category["rating"].tolist())
    listed = themes(review_sentences(reviews, Aspects(item.attributes), polarity), least=1)
    against = {theme.aspect: len(theme.reviews) for theme in listed if theme.side == "complaint"}
    for theme in listed:
        praised = len(theme.reviews)
        if theme.side != "praise" or praised < LEAST_SAYING or praised < 2 * against.get(theme.aspect, 0):
            continue
        chinese = in_language(theme.aspect, "zh", "aspects") or in_language(theme.aspect, "zh", "names")
        rows = Rows(table="reviews", where={"id": tuple(sorted(theme.reviews)[:200])}, count=praised)
        texts = {"en": theme.aspect.lower(), **({"zh": chinese} if chinese else {})}
        source = "what the praising sentences of reviews mention"
        return [
            Fact("theme", "reviews", texts, {}, source, rows),
            _number("theme_count", praised, "reviews with a sentence that praises it", rows),
        ]
    return []


def policy_facts(shop: Shop, item: Product | Draft, language: Language) -> tuple[list[Fact], bool]:
    """The return window in force, as the policy of a language writes it; and whether an exception kept it out.

    A product whose category a policy names among what cannot be returned gets no sentence about returns.
    """
    policies = shop.policies()
    kind = set(tokens(item.category))
    if any(kind & set(tokens(text)) for text in policies["text"] if _EXCEPT.search(text)):
        return [], True
    for row in policies[policies["language"] == language].to_dict("records"):
        first = next(iter(sentences(clean(row["text"]))), "")
        if _RETURNS.search(first) and not _EXCEPT.search(row["text"]):
            source = f"{row['title']}: {row['section']} ({row['id']})"
            passage = Passage(id=row["id"], source=source, text=row["text"])
            rows = Rows(table="policies", where={"id": (row["id"],)}, count=1)
            return [Fact("policy", "policy", {language: first}, {}, source, rows, passage)], False
    return [], False


def _number(fact_id: str, value: float, source: str, rows: Rows) -> Fact:
    texts = {language: str(format_decimal(value, locale=language)) for language in ("en", "zh")}
    return Fact(fact_id, "reviews", texts, {}, source, rows)


def _own(item: Product | Draft) -> Rows:
    table, column, key = ("drafts", "id", item.id) if isinstance(item, Draft) else ("products", "sku", item.sku)
    return Rows(table=table, where={column: (key,)}, count=1)
