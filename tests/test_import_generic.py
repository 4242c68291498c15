"""Any table of sales or products: guessed, confirmed, read strictly."""

from __future__ import annotations

from datetime import date, datetime
from functools import partialmethod
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from shop import BadInput, Shop
from shop.importers import Mapping, guess_mapping, import_file, read_mapping, reading, write_mapping
from shop.importers.values import as_number, guess_decimal, guess_time_formats, number

GERMAN = """Bestellnummer;Datum;Artikel;Bezeichnung;Menge;Einzelpreis;Kunde
A1;13.01.2027;K-1;Kessel;2;1.024,90;Mei
A1;13.01.2027;K-2;Becher;1;4,50;Mei
A2;14.01.2027;K-1;Kessel;-1;1.024,90;
A3;14.01.2027;K-1;Kessel;1;-3,00;
A4;14.01.2027;K-1;Kessel;1,5;3,00;
"""
LAYOUT = """product,date,units,revenue
P1,2027-01-04,3,30
P1,2027-01-04,3,30
P2,2027-01-11,1,7.5
"""
PRODUCTS = """SKU,Name,Category,Cost,RRP,Launch date,Colour,Capacity
P1,Aurora Kettle,Kitchen > Kettles,12.5,39.9,2027-01-04,red,1.7 l
P2,Nova Kettle,Kitchen > Kettles,,29.9,,blue,
P3,Bad,Kitchen,-1,29.9,,,
P1,Again,Kitchen,1,2,,,
"""


def put(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def run(shop: Shop, path: Path, mapping: Mapping | None = None) -> Any:
    mapping = mapping or guess_mapping(path)
    refusals = path.with_suffix(".refused.csv")
    return import_file(shop, "generic", path, mapping=mapping, refusals=refusals, now=datetime(2027, 6, 1))


def test_a_german_export_is_guessed_and_read(any_shop: Shop, tmp_path: Path) -> None:
    path = put(tmp_path / "verkauf.csv", GERMAN)
    mapping = guess_mapping(path)
    assert mapping.columns == {
        "sku": "Artikel",
        "date": "Datum",
        "units": "Menge",
        "price": "Einzelpreis",
        "order": "Bestellnummer",
        "customer": "Kunde",
        "name": "Bezeichnung",
    }
    assert (mapping.table, mapping.decimal, mapping.date_format) == ("sales", ",", "%d.%m.%Y")
    report = run(any_shop, path, mapping.model_copy(update={"currency": "EUR"}))
    assert report.rows_by_reason == {"negative price": 1, "units are not a whole number": 1}
    assert (report.rows_kept, report.returns, any_shop.currency) == (3, 1, "EUR")
    sales = any_shop.daily(skus=["K-1"])
    assert sales["revenue"].tolist() == [2049.8, 0.0]
    assert sales["returned_units"].tolist() == [0, 1]
    assert any_shop.product("K-2").name == "Becher"  # type: ignore[union-attr]


def test_sales_without_order_numbers_keep_equal_rows_and_import_once(any_shop: Shop, tmp_path: Path) -> None:
    path = put(tmp_path / "sales.csv", LAYOUT)
    assert run(any_shop, path).rows_new == 3
    assert run(any_shop, path).rows_new == 0
    daily = any_shop.daily()
    assert daily["units"].tolist() == [6, 1]
    assert daily["revenue"].tolist() == [60.0, 7.5]


def test_a_product_list_completes_products_and_keeps_its_word(empty_shop: Shop, tmp_path: Path) -> None:
    run(empty_shop, put(tmp_path / "sales.csv", LAYOUT))
    report = run(empty_shop, put(tmp_path / "products.csv", PRODUCTS))
    assert report.rows_by_reason == {"negative cost": 1, "a second row for the same product": 1}
    kettle = empty_shop.product("P1")
    assert kettle is not None
    assert (kettle.cost, kettle.list_price, kettle.launch_date) == (12.5, 39.9, date(2027, 1, 4))
    assert kettle.attributes == {"Colour": "red", "Capacity": "1.7 l"}
    assert empty_shop.product("P2").cost is None  # type: ignore[union-attr]
    run(empty_shop, put(tmp_path / "more.csv", "product,date,units,revenue\nP1,2027-05-11,1,7.5\n"))
    later = empty_shop.product("P1")
    assert later is not None
    assert (later.list_price, later.launch_date, later.name) == (39.9, date(2027, 1, 4), "Aurora Kettle")


def test_a_mapping_survives_its_file(tmp_path: Path) -> None:
    mapping = Mapping(
        shop='The "Corner" shop', currency="EUR", decimal=",", columns={"sku": "Artikel Nr.", "name": "名称"}
    )
    write_mapping(mapping, tmp_path / "m.toml")
    assert read_mapping(tmp_path / "m.toml") == mapping


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("columns = 3", "fault at columns"),
        ("[columns", "not TOML"),
        ('currency = "euro"\n[columns]', "fault at currency"),
        ("colums = 1\n[columns]", "fault at colums"),
    ],
)
def test_a_faulty_mapping_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read_mapping(put(tmp_path / "m.toml", text))


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (
            Mapping(columns={"sku": "product"}),
            "column is date, units, price or revenue; sales.csv has",
        ),
        (Mapping(columns={"sku": "product", "date": "date", "units": "units", "price": "cash"}), "no column cash"),
        (Mapping(table="products", columns={"sku": "product", "name": "units", "size": "x"}), "unknown field size"),
        (
            Mapping(date_format="", columns={"sku": "product", "date": "date", "units": "units", "price": "revenue"}),
            "set date_format",
        ),
    ],
)
def test_a_mapping_that_does_not_fit(empty_shop: Shop, tmp_path: Path, mapping: Mapping, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        run(empty_shop, put(tmp_path / "sales.csv", LAYOUT), mapping)
    assert empty_shop.products().empty


def test_a_product_that_is_there_keeps_its_name(empty_shop: Shop, tmp_path: Path) -> None:
    run(empty_shop, put(tmp_path / "sales.csv", "product,name,date,units,price\nP1,Kettle,2027-01-04,2,3\n"))
    more = "product,name,date,units,price\nP1,Pot,2027-01-05,2,3\nP2,Cup,2027-01-05,1,3\nP2,Cap,2027-01-06,1,3\n"
    run(empty_shop, put(tmp_path / "more.csv", more))
    assert empty_shop.products()["name"].tolist() == ["Kettle", "Cap"]  # of two as frequent, the first of the alphabet


def test_a_list_of_names_alone_is_a_product_list(empty_shop: Shop, tmp_path: Path) -> None:
    path = put(tmp_path / "names.csv", "SKU,Name\nP1,Aurora Kettle\n")
    report = run(empty_shop, path, Mapping(table="products", columns={"sku": "SKU", "name": "Name"}))
    assert (report.rows_new, report.products) == (1, 1)
    kettle = empty_shop.product("P1")
    assert kettle is not None
    assert (kettle.name, kettle.cost, kettle.list_price, kettle.launch_date) == ("Aurora Kettle", None, None, None)


def test_a_part_of_a_file_without_a_good_row_is_passed_over(
    empty_shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path / "sales.csv", "product,date,units,price\nP1,2027-01-04,0,3\nP1,2027-01-05,2,3\n")
    mapping = guess_mapping(path)
    monkeypatch.setattr(reading.TableFile, "chunks", partialmethod(reading.TableFile.chunks, 1))
    report = run(empty_shop, path, mapping)
    assert (report.rows_kept, report.rows_by_reason) == (1, {"no units": 1})


def test_blank_lines_are_no_rows(empty_shop: Shop, tmp_path: Path) -> None:
    path = put(tmp_path / "sales.csv", "product,date,units,price\n\n\n")
    with pytest.raises(BadInput, match="has no rows; nothing was imported"):
        run(empty_shop, path, Mapping(columns={"sku": "product", "date": "date", "units": "units", "price": "price"}))


def test_a_mapping_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no mapping file"):
        read_mapping(tmp_path / "m.toml")


def test_no_mapping_at_all(empty_shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="needs a mapping"):
        import_file(empty_shop, "generic", put(tmp_path / "sales.csv", LAYOUT))


@pytest.mark.parametrize(
    ("cell", "decimal", "value"),
    [
        ("24.90", ".", 24.9),
        ("1,234.50", ".", 1234.5),
        ("24,90", ",", 24.9),
        ("1.234,50", ",", 1234.5),
        ("£ 3.50", ".", 3.5),
        ("3,50 EUR", ",", 3.5),
        ("-4", ".", -4.0),
        (7, ".", 7.0),
    ],
)
def test_numbers_are_read(cell: Any, decimal: str, value: float) -> None:
    assert number(cell, decimal) == value


@pytest.mark.parametrize(
    "cell", ["", "1e5", "nan", "inf", "0x10", "1 2", "1.2.3", "12,34", "free", None, float("inf"), True]
)
def test_what_is_no_number_is_missing(cell: Any) -> None:
    assert as_number(pd.Series([cell], dtype=object)).isna().all()


def test_guesses_from_values() -> None:
    assert guess_decimal(pd.Series(["24,90", "1.000,00"])) == ","
    assert guess_decimal(pd.Series(["24.90", "1,000.00", "1,000"])) == "."
    assert guess_time_formats(pd.Series(["2027-01-02", "2027-01-03 10:00"])) == ["ISO8601"]
    assert guess_time_formats(pd.Series(["01/02/2027", "13/02/2027"])) == ["%d/%m/%Y"]
    assert guess_time_formats(pd.Series(["01/02/2027"])) == ["%d/%m/%Y", "%m/%d/%Y"]
