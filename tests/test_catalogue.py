"""The catalogue tools: drafts are checked before they are stored, and search finds what was meant."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from test_launch import check_templates, world

from shop import Shop, ToolError
from shop import schema as t
from shop.resolve import find_product
from tools.catalogue import bm25, draft_product, search_products


@pytest.fixture
def known(empty_shop: Shop) -> Shop:
    return world(empty_shop)


def test_bm25_matches_the_formula() -> None:
    texts = ["red kettle", "red red pan", "blue pot with lid"]
    lengths = np.array([2, 3, 3])  # "with" is too common to count
    idf = np.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    counts = np.array([1, 2, 0])
    naive = idf * counts * 2.5 / (counts + 1.5 * (0.25 + 0.75 * lengths / lengths.mean()))
    assert bm25("red", texts) == pytest.approx(naive)


def test_bm25_forgives_a_misspelling_and_reads_chinese() -> None:
    texts = ["glass kettle", "steel pan", "不锈钢水壶"]
    assert bm25("ketle", texts).argmax() == 0
    assert bm25("水壶", texts).argmax() == 2
    assert not bm25("zebra", texts).any()
    assert not bm25("the", texts).any()


def test_a_draft_is_stored_as_said(known: Shop) -> None:
    result = draft_product(known, "Beech kettle", "kettles", 8.0, 22.0, "2026-03-01", "Whistles.", {"colour": "red"})
    ledger = check_templates(result)
    draft = known.draft(str(ledger["item.draft_id"].value))
    assert draft is not None
    assert (draft.category, draft.cost, draft.price) == ("Kitchen > Kettles", 8.0, 22.0)
    assert draft.launch_date == date(2026, 3, 1)
    assert draft.attributes == {"colour": "red"}


def test_what_is_not_given_is_unknown(known: Shop) -> None:
    ledger = check_templates(draft_product(known, "Beech kettle"))
    for name in ("category", "cost", "price", "launch_date"):
        assert ledger[f"item.{name}"].value is None
        assert "category manager" in ledger[f"item.{name}"].reason


def test_what_is_said_later_completes_the_draft_of_that_name(known: Shop) -> None:
    draft_product(known, "Beech kettle", price=22.0, launch_date="2026-03-01", attributes={"colour": "red"})
    completed = draft_product(known, "beech kettle", "kettles", cost=8.0, attributes={"size": "2 l"})
    ledger = check_templates(completed)
    assert ledger["item.before"].value == "D-0001"
    assert completed.warnings == ("What was left out is as in draft {{item.before}}.",)
    draft = known.draft(str(ledger["item.draft_id"].value))
    assert draft is not None
    assert (draft.category, draft.cost, draft.price) == ("Kitchen > Kettles", 8.0, 22.0)
    assert draft.launch_date == date(2026, 3, 1)
    assert draft.attributes == {"colour": "red", "size": "2 l"}
    assert find_product(known, "Beech kettle") == draft
    assert any("does not cover" in warning for warning in draft_product(known, "Beech kettle", cost=30.0).warnings)


def test_a_price_under_cost_is_a_warning(known: Shop) -> None:
    result = draft_product(known, "Beech kettle", cost=30.0, price=22.0)
    check_templates(result)
    assert any("does not cover" in warning for warning in result.warnings)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"category": "spaceships"}, "no category"),
        ({"cost": -1.0}, "cost above zero"),
        ({"price": 0.0}, "price above zero"),
        ({"price": 1e308}, "price above zero and up to"),
        ({"launch_date": "2001-01-01"}, "before"),
        ({"launch_date": "someday"}, "not a date"),
    ],
)
def test_a_bad_draft_is_refused_and_not_stored(known: Shop, arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ToolError, match=says):
        draft_product(known, "Beech kettle", **arguments)
    assert known.drafts() == []


def test_search_shows_price_rating_and_sales_of_a_year(known: Shop) -> None:
    with known.begin() as connection:
        rows = [
            {"id": f"R{n}", "sku": "P000", "day": known.cutoff, "rating": stars, "text": "fine"}
            for n, stars in enumerate((3, 5))
        ]
        connection.execute(t.reviews.insert(), rows)
    result = search_products(known, "oak kettle 0", limit=3)
    ledger = check_templates(result)
    assert "P000" in str(ledger["found.item_1_name"].value)
    assert ledger["found.item_1_price"].value == 20.0
    assert ledger["found.item_1_rating"].value == 4
    since = known.cutoff - timedelta(days=52 * 7 - 1)
    assert ledger["found.item_1_units"].value == known.daily(skus=["P000"], since=since)["units"].sum()
    assert ledger["found.count"].value == 3


def test_a_product_without_reviews_has_no_rating(known: Shop) -> None:
    figures = {f.id: f for f in search_products(known, "kettle").figures}
    assert figures["found.item_1_rating"].value is None


def test_search_stays_in_its_category(known: Shop) -> None:
    names = [
        str(f.value) for f in search_products(known, "oak elm ash", category="pots", limit=50).figures if "name" in f.id
    ]
    assert names
    assert all("pot" in name for name in names)


@pytest.mark.parametrize(
    ("arguments", "says"), [({"query": "zebra"}, "Nothing"), ({"query": "oak", "limit": 0}, "1 and 50")]
)
def test_a_search_that_cannot_answer_says_so(known: Shop, arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ToolError, match=says):
        search_products(known, **arguments)
