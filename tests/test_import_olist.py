"""Olist's folder of CSV files, made up in its layout."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from shop import BadInput, Shop
from shop.importers import import_file

REVIEW_HEADER = "review_id,order_id,review_score,review_comment_title,review_comment_message,review_creation_date"
FILES = {
    "olist_orders_dataset.csv": """"order_id","customer_id","order_status","order_purchase_timestamp"
"o1","c1","delivered","2017-10-02 10:56:33"
"o2","c2","delivered","2018-07-24 20:41:37"
"o3","c3","canceled","2018-08-08 08:38:49"
""",
    "olist_order_items_dataset.csv": """"order_id","order_item_id","product_id","price","freight_value"
"o1",1,"p1aaaaaaaa",58.90,13.29
"o1",2,"p1aaaaaaaa",58.90,13.29
"o2",1,"p1aaaaaaaa",58.90,13.29
"o2",2,"p2bbbbbbbb",9.00,1.00
"o3",1,"p2bbbbbbbb",9.00,1.00
"o9",1,"p1aaaaaaaa",58.90,13.29
"o1",3,"p1aaaaaaaa",-1.00,13.29
""",
    "olist_products_dataset.csv": """"product_id","product_category_name","product_weight_g"
"p1aaaaaaaa","beleza_saude",225
"p2bbbbbbbb","",100
""",
    "olist_customers_dataset.csv": """"customer_id","customer_unique_id","customer_zip_code_prefix","customer_state"
"c1","anna","01409","SP"
"c2","anna","01409","SP"
"c3","bruno","20000","RJ"
""",
    "product_category_name_translation.csv": """\ufeffproduct_category_name,product_category_name_english
beleza_saude,health_beauty
""",
    "olist_order_reviews_dataset.csv": REVIEW_HEADER
    + """
r1,o1,5,,"Muito bom,
recomendo",2017-10-10 00:00:00
r2,o2,1,,,2018-08-01 00:00:00
r3,o8,1,,,2018-08-01 00:00:00
""",
}  # fmt: skip


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "olist"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_the_folder_becomes_a_shop(any_shop: Shop, export: Path) -> None:
    report = import_file(any_shop, "olist", export, refusals=export / "refused.csv")
    assert report.rows_by_reason == {
        "order is not in olist_orders_dataset.csv": 1,
        "negative price": 1,
        "review of an order with several products": 1,
        "review of an order without a kept item": 1,
    }
    assert (any_shop.currency, report.customers, report.orders) == ("BRL", 2, 3)
    cream = any_shop.product("p1aaaaaaaa")
    assert cream is not None
    assert (cream.name, cream.category, cream.launch_date) == ("Health beauty p1aaaaaa", "Health beauty", None)
    other = any_shop.product("p2bbbbbbbb")
    assert other is not None
    assert (other.name, other.launch_date) == ("Product p2bbbbbb", date(2018, 7, 24))
    daily = any_shop.daily()
    assert daily["units"].tolist() == [2, 1, 1]  # the cancelled order is no sale
    reviews = any_shop.reviews()
    assert reviews[["id", "sku", "rating", "text"]].to_numpy().tolist() == [
        ["r1-o1", "p1aaaaaaaa", 5, "Muito bom, recomendo"]
    ]


def test_a_second_time_changes_nothing(any_shop: Shop, export: Path) -> None:
    first = import_file(any_shop, "olist", export, refusals=export / "refused.csv")
    again = import_file(any_shop, "olist", export, refusals=export / "refused.csv")
    assert first.rows_new == 6
    assert again.rows_new == 0


def test_reviews_and_translations_may_be_absent(empty_shop: Shop, export: Path) -> None:
    for name in ("olist_order_reviews_dataset.csv", "product_category_name_translation.csv"):
        (export / name).unlink()
    import_file(empty_shop, "olist", export, refusals=export / "refused.csv")
    assert empty_shop.reviews().empty
    assert empty_shop.products()["category"].tolist() == ["Beleza saude", ""]


def test_cancelled_orders_alone_begin_no_history(empty_shop: Shop, export: Path) -> None:
    orders = export / "olist_orders_dataset.csv"
    orders.write_text(orders.read_text().replace("delivered", "canceled"))
    report = import_file(empty_shop, "olist", export, refusals=export / "refused.csv")
    assert report.launches == 0
    assert empty_shop.products()["launch_date"].isna().all()


def test_a_folder_that_lacks_a_file_or_a_column(empty_shop: Shop, export: Path) -> None:
    with pytest.raises(BadInput, match="not a folder"):
        import_file(empty_shop, "olist", export / "olist_orders_dataset.csv")
    (export / "olist_products_dataset.csv").write_text("product_id\np1\n", encoding="utf-8")
    with pytest.raises(BadInput, match="no column product_category_name"):
        import_file(empty_shop, "olist", export)
    (export / "olist_products_dataset.csv").unlink()
    with pytest.raises(BadInput, match="lacks olist_products_dataset"):
        import_file(empty_shop, "olist", export)
    assert empty_shop.products().empty
