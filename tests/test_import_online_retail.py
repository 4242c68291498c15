"""Online Retail II, made up in its layout and the published file itself, goes in whole, once, and for known reasons."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import func, select

from shop import BadInput, Shop
from shop import schema as t
from shop.importers import import_file
from shop.importers.finish import price_steps
from shop.importers.online_retail import categoriser, clean_name

KIND = "online-retail-ii"
HEADER = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
NOW = datetime(2012, 1, 1)
UK = "United Kingdom"
GOOD = [
    ["489434", "85048", "15CM CHRISTMAS GLASS BALL 20 LIGHTS", "12", "2009-12-01 07:45:00", "6.95", "13085", UK],
    ["489434", "79323p", "PINK CHERRY LIGHTS", "12", "2009-12-01 07:45:00", "6.75", "13085", UK],
    ["489435", "85048", "15CM CHRISTMAS GLASS BALL 20 LIGHTS", "2", "2009-12-01 09:00:00", "6.95", "", UK],
    ["500000", "22423", "REGENCY CAKESTAND 3 TIER", "600", "2010-03-09 10:00:00", "12.75", "13086", "France"],
    ["500000", "22423", "REGENCY CAKESTAND 3 TIER ", "1", "2010-03-09 10:00:00", "12.75", "13086", "France"],
    ["C500001", "22423", "REGENCY CAKESTAND 3 TIER", "-3", "2010-03-11 10:00:00", "12.75", "13086", "France"],
]
REFUSED = {
    "exact duplicate of an earlier row": GOOD[0],
    "not a product: postage": ["500002", "POST", "POSTAGE", "1", "2010-03-12 10:00:00", "18.00", "13086", "France"],
    "not a product: manual entry": ["500002", "M", "Manual", "1", "2010-03-12 10:00:00", "5.00", "13086", "France"],
    "not a product: gift voucher": ["500002", "GIFT_0001_20", "Voucher", "1", "2010-03-12 10:00:00", "17", "", UK],
    "not a product: bad debt": ["A506401", "B", "Adjust bad debt", "1", "2010-04-29 13:36:00", "-53594.36", "", UK],
    "negative price": ["500003", "22423", "REGENCY CAKESTAND 3 TIER", "1", "2010-03-12 10:00:00", "-1", "", UK],
    "stock adjustment: negative units without a cancellation": [
        *["500004", "22423", "damages", "-9", "2010-03-12 10:00:00", "0", "", UK]
    ],
    "free of charge: sample, gift or stock correction": [
        *["500005", "22423", "found", "9", "2010-03-12 10:00:00", "0", "", UK]
    ],
    "cancellation with positive units": ["C50006", "22423", "X", "9", "2010-03-12 10:00:00", "1", "", UK],
    "units are not a number": ["500007", "22423", "X", "nine", "2010-03-12 10:00:00", "1", "", UK],
    "units are not a whole number": ["500007", "22423", "X", "1.5", "2010-03-12 10:00:00", "1", "", UK],
    "price is not a number": ["500007", "22423", "X", "1", "2010-03-12 10:00:00", "1.2.3", "", UK],
    "date cannot be read": ["500007", "22423", "X", "1", "yesterday", "1", "", UK],
    "date is in the future": ["500007", "22423", "X", "1", "2012-01-03 00:00:00", "1", "", UK],
    "stock code is missing": ["500007", "", "X", "1", "2010-03-12 10:00:00", "1", "", UK],
}


def write(path: Path, rows: Iterable[list[str]], header: list[str] = HEADER, encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def everything(shop: Shop) -> dict[str, list[Any]]:
    with shop.engine.connect() as connection:
        return {
            table.name: list(connection.execute(select(table).order_by(*table.primary_key)).all())
            for table in t.metadata.sorted_tables
        }


def run(shop: Shop, path: Path, **options: Any) -> Any:
    return import_file(shop, KIND, path, refusals=path.with_suffix(".refused.csv"), now=NOW, **options)


def test_every_kind_of_row_is_handled_on_purpose(any_shop: Shop, tmp_path: Path) -> None:
    path = write(tmp_path / "retail.csv", [*GOOD, *REFUSED.values()])
    report = run(any_shop, path)
    assert report.rows_by_reason == dict.fromkeys(REFUSED, 1)
    assert (report.rows_read, report.rows_kept, report.rows_refused) == (21, 6, 15)
    assert (report.products, report.orders, report.customers, report.returns) == (3, 3, 2, 1)
    assert (report.first_day, report.last_day) == (date(2009, 12, 1), date(2010, 3, 11))
    assert report.encoding == "utf-8"
    with report.refusals_path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(int(row["row"]), row["reason"]) for row in rows] == list(enumerate(REFUSED, start=8))


def test_what_the_shop_knows_afterwards(any_shop: Shop, tmp_path: Path) -> None:
    run(any_shop, write(tmp_path / "retail.csv", [*GOOD, *REFUSED.values()]))
    assert (any_shop.currency, any_shop.name) == ("GBP", "Online Retail II")
    stand = any_shop.product("22423")
    assert stand is not None
    assert (stand.name, stand.category) == ("Regency Cakestand 3 Tier", "Kitchen > Baking")
    assert (stand.launch_date, stand.list_price, stand.cost) == (date(2010, 3, 9), 12.75, None)
    lights = any_shop.product("79323P")
    assert lights is not None
    assert lights.launch_date is None  # sold on the first day of the data: when it was launched is unknown
    day = any_shop.daily(skus=["22423"]).iloc[0]
    assert (day["units"], day["revenue"], day["in_stock"]) == (601, pytest.approx(601 * 12.75), None)
    returned = any_shop.daily(skus=["22423"]).iloc[1]
    assert (returned["units"], returned["returned_units"]) == (0, 3)
    orders = everything(any_shop)["orders"]
    assert {row.id: (row.customer_id, row.channel) for row in orders} == {
        "489434": ("13085", "web"),
        "489435": (None, "web"),
        "500000": ("13086", "wholesale"),
    }


def test_importing_twice_changes_nothing(any_shop: Shop, tmp_path: Path) -> None:
    path = write(tmp_path / "retail.csv", [*GOOD, *REFUSED.values()])
    assert run(any_shop, path).rows_new == 6
    before = everything(any_shop)
    report = run(any_shop, path)
    assert report.rows_new == 0
    assert report.rows_kept == 6
    assert everything(any_shop) == before
    assert len(before["imports"]) == 1


def test_the_same_rows_from_csv_excel_and_parquet(tmp_path: Path) -> None:
    frame = pd.DataFrame(GOOD, columns=HEADER)
    frame = frame.assign(
        Quantity=frame["Quantity"].astype(int),
        UnitPrice=frame["UnitPrice"].astype(float),
        InvoiceDate=pd.to_datetime(frame["InvoiceDate"]),
        CustomerID=pd.to_numeric(frame["CustomerID"]),
    )
    typed = frame.assign(
        InvoiceNo=[int(n) if n.isdigit() else n for n in frame["InvoiceNo"]],
        StockCode=[int(n) if n.isdigit() else n for n in frame["StockCode"]],
    )
    write(tmp_path / "a.csv", GOOD)
    frame.to_parquet(tmp_path / "b.parquet")
    renamed = typed.rename(columns={"InvoiceNo": "Invoice", "UnitPrice": "Price", "CustomerID": "Customer ID"})
    with pd.ExcelWriter(tmp_path / "c.xlsx") as book:  # as published: one sheet a year, other headers
        renamed.iloc[:3].to_excel(book, sheet_name="Year 2009-2010", index=False)
        renamed.iloc[3:].to_excel(book, sheet_name="Year 2010-2011", index=False)
    contents = []
    for name in ("a.csv", "b.parquet", "c.xlsx"):
        shop = Shop.open(f"sqlite:///{tmp_path / name}.db", create=True)
        assert run(shop, tmp_path / name).rows_kept == 6
        tables = everything(shop)
        del tables["imports"]
        contents.append(tables)
    assert contents[0] == contents[1] == contents[2]


def test_a_year_imported_before_the_one_that_came_first(empty_shop: Shop, tmp_path: Path) -> None:
    run(empty_shop, write(tmp_path / "late.csv", GOOD[3:]))
    assert empty_shop.product("22423").launch_date is None  # type: ignore[union-attr]
    run(empty_shop, write(tmp_path / "early.csv", GOOD[:3]))
    assert empty_shop.product("22423").launch_date == date(2010, 3, 9)  # type: ignore[union-attr]


def test_cp1252_is_read_and_named(empty_shop: Shop, tmp_path: Path) -> None:
    rows = [[*GOOD[0][:2], "CAFÉ SIGN £", *GOOD[0][3:]]]
    report = run(empty_shop, write(tmp_path / "old.csv", rows, encoding="cp1252"))
    assert report.encoding == "cp1252"
    assert empty_shop.product("85048").name == "Café Sign £"  # type: ignore[union-attr]
    report = run(empty_shop, write(tmp_path / "bom.csv", rows, encoding="utf-8-sig"))
    assert (report.encoding, report.rows_new) == ("utf-8-sig", 0)


def test_progress_reaches_the_end(empty_shop: Shop, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    pd.DataFrame(GOOD, columns=HEADER).to_parquet(tmp_path / "a.parquet")
    run(empty_shop, tmp_path / "a.parquet", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(6, 6)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", "is empty"),
        ("header.csv", ",".join(HEADER).encode(), "no rows"),
        (
            "columns.csv",
            b"InvoiceNo,StockCode,When\n1,2,3\n",
            "no column Description, Quantity.*it has InvoiceNo",
        ),
        ("binary.csv", b"InvoiceNo\x81\x8d,x\n\xff\xfe\x00\x01,2\n", "not text in UTF-8"),
        ("utf16.csv", "a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        ("excel.csv", b"PK\x03\x04rest", "Excel file by its content"),
        ("text.xlsx", b"InvoiceNo,StockCode\n1,2\n", "not a readable Excel file"),
        ("text.parquet", b"InvoiceNo,StockCode\n1,2\n", "not a readable Parquet file"),
        ("twice.csv", b"InvoiceNo,InvoiceNo\n1,2\n", "two columns named InvoiceNo"),
    ],
)
def test_bad_files_are_one_sentence_and_import_nothing(
    empty_shop: Shop, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=message):
        run(empty_shop, tmp_path / name)
    assert all(not rows for rows in everything(empty_shop).values())


def test_a_missing_file_and_an_unknown_kind(empty_shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no file"):
        run(empty_shop, tmp_path / "none.csv")
    with pytest.raises(BadInput, match="importers are generic, online-retail-ii, olist"):
        import_file(empty_shop, "shopify", tmp_path)


def test_a_file_of_refused_rows_alone_imports_nothing(any_shop: Shop, tmp_path: Path) -> None:
    path = write(tmp_path / "bad.csv", [REFUSED["negative price"], REFUSED["not a product: postage"]])
    with pytest.raises(BadInput, match="Not one row"):
        run(any_shop, path)
    assert all(not rows for rows in everything(any_shop).values())


def test_a_row_with_a_field_too_many_is_refused_alone(empty_shop: Shop, tmp_path: Path) -> None:
    report = run(empty_shop, write(tmp_path / "a.csv", [GOOD[0], [*GOOD[1], "extra"], GOOD[2]]))
    assert report.rows_by_reason == {"has 9 fields where the header has 8": 1}
    assert report.rows_kept == 2


def test_day_and_month_that_cannot_be_told_apart(empty_shop: Shop, tmp_path: Path) -> None:
    rows = [[*GOOD[0][:4], "01/12/2009 07:45", *GOOD[0][5:]]]
    with pytest.raises(BadInput, match="day or the month first"):
        run(empty_shop, write(tmp_path / "a.csv", rows))
    rows.append([*GOOD[2][:4], "13/12/2009 07:45", *GOOD[2][5:]])
    run(empty_shop, write(tmp_path / "b.csv", rows))
    assert empty_shop.cutoff == date(2009, 12, 13)


def test_a_shop_in_another_currency_is_left_alone(empty_shop: Shop, tmp_path: Path) -> None:
    with empty_shop.begin() as connection:
        connection.execute(t.meta.insert(), [{"key": "currency", "value": "USD"}])
    with pytest.raises(BadInput, match="counts in USD and the file in GBP"):
        run(empty_shop, write(tmp_path / "a.csv", GOOD))


@pytest.mark.parametrize(
    ("till", "name"),
    [
        ("WHITE HANGING HEART T-LIGHT HOLDER ", "White Hanging Heart T-Light Holder"),
        ("SET OF 3 CAKE TINS  PANTRY DESIGN ", "Set of 3 Cake Tins Pantry Design"),
        ("RED TOADSTOOL LED NIGHT LIGHT", "Red Toadstool LED Night Light"),
        ("CHILDREN'S APRON , DOLLY GIRL", "Children's Apron, Dolly Girl"),
        ("BAG 250g SWIRLY MARBLES", "Bag 250g Swirly Marbles"),
        ("Dotcomgiftshop Apron", "Dotcomgiftshop Apron"),
    ],
)
def test_names_are_no_longer_shouted(till: str, name: str) -> None:
    assert clean_name(till) == name


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("Bathroom Metal Sign", "Home > Signs & wall art"),
        ("Potting Shed Tea Mug", "Kitchen > Mugs & cups"),
        ("Christmas Gingham Heart", "Christmas > Decorations"),
        ("Hanging Jam Jar T-Light Holder", "Home > Candles & lights"),
        ("Jumbo Bag Red Retrospot", "Bags > Shopping & travel bags"),
        ("Xylotherium", "Other > Unsorted"),
    ],
)
def test_categories_follow_what_the_thing_is(name: str, category: str) -> None:
    assert categoriser()(name) == category


def test_only_lasting_changes_make_price_history() -> None:
    weeks = list(range(12))
    assert price_steps(weeks, [295] * 12) == [(0, 295)]
    assert price_steps(weeks, [295] * 5 + [195] + [295] * 6) == [(0, 295)]
    assert price_steps(weeks, [295] * 5 + [345] * 7) == [(0, 295), (5, 345)]
    assert price_steps(weeks, [295] * 5 + [298] * 7) == [(0, 295)]  # one per cent is rounding
    assert price_steps([3], [100]) == [(3, 100)]
    assert price_steps(weeks, [100, 200, 200, 200, 200, *[300] * 7]) == [(0, 200), (5, 300)]  # never two from one week


def test_dates_that_are_none_are_refused(empty_shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "retail.csv"
    path.write_text("\n".join([",".join(HEADER), "1,85048,BALL,1,soon,6.95,13085,France"]))
    with pytest.raises(BadInput, match="No date in the column InvoiceDate"):
        import_file(empty_shop, KIND, path, refusals=tmp_path / "refused.csv")


@pytest.mark.slow
def test_the_published_file(shared_data: Path, tmp_path: Path) -> None:
    path = next((shared_data / "online_retail_ii").glob("*.parquet"))
    shop = Shop.open(f"sqlite:///{tmp_path / 'shop.db'}", create=True)
    report = import_file(shop, KIND, path, refusals=tmp_path / "refused.csv")
    assert report.rows_read == report.rows_kept + report.rows_refused == 525_461
    assert report.rows_by_reason["exact duplicate of an earlier row"] == 6_865
    assert report.launches == 879
    products, daily = shop.products(), shop.daily()
    units = daily.groupby("sku")["units"].sum()
    unsorted = products.loc[products["category"] == "Other > Unsorted", "sku"]
    assert units.reindex(unsorted).sum() < 0.02 * units.sum()
    with shop.engine.connect() as connection:
        sold = connection.execute(select(func.sum(t.order_lines.c.units))).scalar()
    assert units.sum() == sold
    assert (
        products["list_price"].notna().all()
        or (products["list_price"].isna() == ~products["sku"].isin(units[units > 0].index)).all()
    )
