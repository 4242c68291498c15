"""Products, categories and customers are found by what people call them, or the error names the closest."""

from __future__ import annotations

from datetime import date

import pytest

from shop import Draft, Product, Shop, ToolError, rollup
from shop import schema as t
from shop.database import insert_new
from shop.resolve import find_category, find_customer, find_product


@pytest.fixture
def shop(empty_shop: Shop) -> Shop:
    kettles, mugs = "Kitchen > Kettles", "Kitchen > Mugs & cups"
    with empty_shop.begin() as connection:
        insert_new(
            connection,
            t.products,
            [
                {"sku": "K-100", "name": "Aurora Gooseneck Kettle", "name_zh": "极光细嘴水壶", "category": kettles},
                {"sku": "K-101", "name": "Nova Travel Kettle", "name_zh": "新星旅行水壶", "category": kettles},
                {"sku": "M-1", "name": "Blue Mug", "name_zh": "蓝色马克杯", "category": mugs},
                {"sku": "M-2", "name": "Blue Mug", "name_zh": "蓝色大马克杯", "category": mugs},
                {"sku": "C-1", "name": "Pine Candle", "name_zh": "松木蜡烛", "category": "Home > Candles & lights"},
                {"sku": "G-1", "name": "Garden Light", "name_zh": "花园灯", "category": "Garden > Lights"},
                {"sku": "P-1", "name": "Patio Light", "name_zh": "露台灯", "category": "Patio > Lights"},
            ],
        )
        insert_new(
            connection,
            t.customers,
            [
                {"id": "CU-1", "name": "Mei Lin", "email": "mei@example.org"},
                {"id": "CU-2", "name": "Ada Byron", "email": "ada@example.org"},
                {"id": "CU-3", "name": "Ada Byrne", "email": "byrne@example.org"},
            ],
        )
        insert_new(connection, t.daily, [{"sku": "K-100", "day": date(2027, 1, 1), "units": 1}])
    return empty_shop


@pytest.mark.parametrize(
    "said",
    ["K-100", "k-100", "Aurora Gooseneck Kettle", "aurora gooseneck kettle", "aurora kettle", "Arora Goosneck ketle",
     "极光细嘴水壶", "极光水壶", " the Aurora gooseneck kettle "],
)  # fmt: skip
def test_products_by_id_name_and_slip_of_the_pen(shop: Shop, said: str) -> None:
    found = find_product(shop, said)
    assert isinstance(found, Product)
    assert found.sku == "K-100"


def test_drafts_by_id_and_name(shop: Shop) -> None:
    draft = shop.add_draft("Solstice Teapot")
    assert find_product(shop, "d-0001") == draft
    assert isinstance(find_product(shop, "solstice teapot"), Draft)


def test_of_drafts_of_one_name_the_latest_is_meant(shop: Shop) -> None:
    shop.add_draft("Solstice Teapot")
    latest = shop.add_draft("solstice teapot", price=30.0)
    assert find_product(shop, "Solstice teapot") == latest
    shop.add_draft("Blue mug")
    with pytest.raises(ToolError, match="could be more than one"):
        find_product(shop, "blue mug")


def test_equal_matches_are_listed_not_chosen(shop: Shop) -> None:
    with pytest.raises(ToolError, match=r"Blue Mug \(M-1\); Blue Mug \(M-2\)"):
        find_product(shop, "blue mug")
    with pytest.raises(ToolError, match=r"K-100.*K-101|K-101.*K-100"):
        find_product(shop, "kettle")


def test_no_match_lists_the_closest(shop: Shop) -> None:
    with pytest.raises(ToolError, match="There is no product"):
        find_product(shop, "quantum bicycle")
    with pytest.raises(ToolError, match="search_products"):
        find_product(shop, "")


def test_a_replay_does_not_find_a_later_launch(shop: Shop) -> None:
    with shop.begin() as connection:
        insert_new(connection, t.products, [{"sku": "Z", "name": "Zephyr Fan", "launch_date": date(2027, 6, 1)}])
        rollup.rebuild(connection, ["Z"])
    assert find_product(shop.as_of(date(2027, 6, 2)), "zephyr fan").name == "Zephyr Fan"
    with pytest.raises(ToolError):
        find_product(shop.as_of(date(2027, 5, 1)), "Z")


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("Kitchen > Kettles", "Kitchen > Kettles"),
        ("kitchen>kettles", "Kitchen > Kettles"),
        ("Kitchen / Kettles", "Kitchen > Kettles"),
        ("kettles", "Kitchen > Kettles"),
        ("kettle", "Kitchen > Kettles"),
        ("Kitchen", "Kitchen"),
        ("candles and lights", "Home > Candles & lights"),
        ("mugs & cups", "Kitchen > Mugs & cups"),
    ],
)
def test_categories(shop: Shop, said: str, path: str) -> None:
    assert find_category(shop, said) == path


def test_unknown_and_ambiguous_categories(shop: Shop) -> None:
    with pytest.raises(ToolError, match=r"Garden > Lights; Patio > Lights"):
        find_category(shop, "lights")
    with pytest.raises(ToolError, match="main categories are Garden, Home, Kitchen, Patio"):
        find_category(shop, "submarines")


@pytest.mark.parametrize("said", ["CU-1", "cu-1", "mei@example.org", "Mei Lin", "mei lin"])
def test_customers(shop: Shop, said: str) -> None:
    assert find_customer(shop, said) == "CU-1"


def test_customers_alike_are_listed(shop: Shop) -> None:
    with pytest.raises(ToolError, match=r"CU-2.*CU-3|CU-3.*CU-2"):
        find_customer(shop, "ada")
