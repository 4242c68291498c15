"""Any CSV, Excel or Parquet table of sales or products, read by a mapping that is guessed and then confirmed."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import Field, ValidationError

from shop.errors import BadInput
from shop.importers.finish import finish, rebuild_touched
from shop.importers.job import LARGEST, Job, declare, first_reason, records, value_rules
from shop.importers.reading import TableFile, open_table, require_columns
from shop.importers.values import as_number, as_text, as_time, guess_decimal, guess_time_formats
from shop.types import Frozen

KIND = "generic"
REQUIRED = {"sales": ("sku", "date", "units"), "products": ("sku", "name")}
_HEADINGS = {  # our field: what headers call it, plainest first
    "sku": "sku stockcode productid productcode itemid itemcode article articleno articlenumber artikelnummer artikel "
    "asin ean product item 商品编码 商品编号 货号",
    "date": "date orderdate invoicedate day datum saledate purchasedate createdat timestamp orderedat 日期 下单时间",
    "units": "units quantity qty pieces count sold unitssold menge anzahl amountsold 数量 销量",
    "price": "price unitprice saleprice pricepaid preis einzelpreis stückpreis 单价 价格",
    "revenue": "revenue sales total amount linetotal turnover netsales umsatz betrag 销售额 金额",
    "order": "order orderid orderno ordernumber invoice invoiceno invoicenumber transaction transactionid basket "
    "bestellung bestellnummer 订单号",
    "customer": "customer customerid customerno client clientid user userid buyer kunde kundennummer 客户 买家",
    "region": "region country state store city land 地区",
    "name": "name productname title itemname description bezeichnung produktname 名称 商品名称",
    "category": "category categorypath department producttype kategorie warengruppe 类目 分类",
    "brand": "brand manufacturer marke 品牌",
    "description": "description longdescription details beschreibung 描述",
    "cost": "cost unitcost purchaseprice costprice einkaufspreis ek 成本",
    "list_price": "listprice rrp retailprice price msrp verkaufspreis vk 标价",
    "launch_date": "launchdate launch introduced firstsale releasedate 上市日期",
}
FIELDS = {
    "sales": ("sku", "date", "units", "price", "revenue", "order", "customer", "region", "name", "category"),
    "products": ("sku", "name", "category", "brand", "description", "cost", "list_price", "launch_date"),
}


class Mapping(Frozen):
    """Which column is what, and how numbers and dates are written."""

    table: Literal["sales", "products"] = "sales"
    shop: str = "My shop"
    currency: str = Field("USD", pattern="^[A-Z]{3}$")
    decimal: Literal[".", ","] = "."
    date_format: str = "ISO8601"  # or as in strftime; "" where the guess could not tell day from month
    columns: dict[str, str]
    attributes: tuple[str, ...] = ()  # further columns of a product, kept under their own names


def guess_mapping(path: Path) -> Mapping:
    """A first mapping from the headers and the values, for a person to confirm; what is not found is left out.

    Raises:
        BadInput: The file cannot be read.
    """
    table = open_table(path)
    head = table.head()
    plain = {re.sub(r"[\W_]+", "", column.lower()): column for column in table.columns}
    kind: Literal["sales", "products"] = "sales" if _match("date", plain) and _match("units", plain) else "products"
    columns: dict[str, str] = {}
    for name in FIELDS[kind]:
        found = _match(name, {key: column for key, column in plain.items() if column not in columns.values()})
        if found is not None and not (name == "revenue" and "price" in columns):
            columns[name] = found
    money = [columns[name] for name in ("price", "revenue", "cost", "list_price") if name in columns]
    decimals = {guess_decimal(head[column]) for column in money}
    dates = [columns[name] for name in ("date", "launch_date") if name in columns]
    forms = guess_time_formats(head[dates[0]]) if dates else []
    rest = tuple(c for c in table.columns if c not in columns.values()) if kind == "products" else ()
    return Mapping(
        table=kind,
        decimal="," if decimals == {","} else ".",
        date_format=forms[0] if len(forms) == 1 else "",
        columns=columns,
        attributes=rest,
    )


def _match(name: str, plain: dict[str, str]) -> str | None:
    return next((plain[heading] for heading in _HEADINGS[name].split() if heading in plain), None)


def write_mapping(mapping: Mapping, path: Path) -> None:
    """Store a mapping as TOML, to be looked over and edited."""
    lines = [f"# Fields for {mapping.table}: {', '.join(FIELDS[mapping.table])}. Needed: {_needed(mapping.table)}."]
    settings = mapping.model_dump(exclude={"columns"})
    lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in settings.items()]
    lines += ["", "[columns]", *(f"{key} = {json.dumps(c, ensure_ascii=False)}" for key, c in mapping.columns.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _needed(kind: str) -> str:
    return ", ".join(REQUIRED[kind]) + (", and price or revenue" if kind == "sales" else "")


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        BadInput: It is missing, no TOML, or has a setting that does not exist.
    """
    try:
        return Mapping.model_validate(tomllib.loads(path.read_text("utf-8")))
    except FileNotFoundError as error:
        raise BadInput(f"There is no mapping file {path}; let it be guessed first.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"The mapping file {path.name} is not TOML ({error}); correct it there.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"The mapping file {path.name} has a fault at {where}: {first['msg'].lower()}.") from error


def load(job: Job, path: Path, mapping: Mapping) -> str:
    """Read the file by its mapping into the job's transaction; returns the text encoding, where it is text.

    Raises:
        BadInput: The mapping lacks a field or names a column that the file does not have.
    """
    table = open_table(path)
    missing = [name for name in REQUIRED[mapping.table] if name not in mapping.columns]
    if mapping.table == "sales" and not {"price", "revenue"} & mapping.columns.keys():
        missing.append("price or revenue")
    if missing:
        found = ", ".join(table.columns)
        raise BadInput(
            f"The mapping does not say which column is {', '.join(missing)}; {path.name} has the columns {found}; "
            "name them under [columns] of the mapping file."
        )
    unknown = sorted(mapping.columns.keys() - set(FIELDS[mapping.table]))
    if unknown:
        known = ", ".join(FIELDS[mapping.table])
        raise BadInput(f"The mapping has the unknown field {', '.join(unknown)}; the fields are {known}.")
    require_columns(table, [*mapping.columns.values(), *mapping.attributes], "correct the mapping file")
    _require_date_format(table, mapping)
    declare(job.connection, mapping.currency, mapping.shop)
    _load_sales(job, table, mapping) if mapping.table == "sales" else _load_products(job, table, mapping)
    return table.encoding


def _require_date_format(table: TableFile, mapping: Mapping) -> None:
    column = mapping.columns.get("date") or mapping.columns.get("launch_date")
    if column is None or mapping.date_format:
        return
    forms = guess_time_formats(table.head()[column])
    raise BadInput(
        f"The dates in the column {column} of {table.path.name} "
        + ("could have the day or the month first" if forms else "are in no form that is known")
        + f"; set date_format in the mapping file, such as {json.dumps(forms[0] if forms else '%d/%m/%Y')}."
    )


def _load_sales(job: Job, table: TableFile, mapping: Mapping) -> None:
    for chunk in job.chunks(table):
        rows = _sales(chunk.frame, mapping)
        rules = [(rows["sku"] == "", "product is missing"), *value_rules(rows, job.today)]
        if "order" in mapping.columns:
            rules.append((rows["order_id"] == "", "order is missing"))
            rules.append((job.repeated(rows), "exact duplicate of an earlier row"))
        rules += [
            (rows["price"] < 0, "negative price"),
            (rows["units"] == 0, "no units"),
            (rows["price"] < 0.005, "free of charge"),
        ]
        kept = rows[job.keep(chunk, first_reason(rows.index, rules))]
        if kept.empty:
            continue
        if "order" not in mapping.columns:
            kept = kept.assign(order_id=_own_orders(job, kept))
        lines = kept.assign(
            units=kept["units"].abs().astype("int64"),
            price_cents=(kept["price"] * 100).round().astype("int64"),
            discount_cents=0,
        ).drop(columns="price")
        job.add_products(
            [{"sku": s, "name": s, "category": c} for s, c in zip(lines["sku"], lines["category"], strict=True)]
        )
        job.add_sales(lines[kept["units"] > 0])
        job.add_returns(lines[kept["units"] < 0], "returned")
    finish(job)


def _sales(frame: pd.DataFrame, mapping: Mapping) -> pd.DataFrame:
    def text(name: str) -> Any:
        return as_text(frame[mapping.columns[name]]) if name in mapping.columns else ""

    units = as_number(frame[mapping.columns["units"]], mapping.decimal)
    if "price" in mapping.columns:
        price = as_number(frame[mapping.columns["price"]], mapping.decimal)
    else:
        price = as_number(frame[mapping.columns["revenue"]], mapping.decimal) / units.where(units != 0, 1)
    return pd.DataFrame(
        {
            "order_id": text("order"),
            "sku": text("sku"),
            "name": text("name"),
            "category": text("category"),
            "customer_id": text("customer"),
            "region": text("region"),
            "placed_at": as_time(frame[mapping.columns["date"]], mapping.date_format),
            "units": units,
            "price": price,
        },
        index=frame.index,
    )


def _own_orders(job: Job, rows: pd.DataFrame) -> list[str]:
    """Order numbers for a file without them, made from a row's content: a second import makes the same ones."""
    numbers = []
    for values in rows.drop(columns="order_id").itertuples(index=False, name=None):
        content = hashlib.sha256(repr(values).encode()).hexdigest()[:16]
        job.own_orders[content] += 1
        numbers.append(f"{content}-{job.own_orders[content]}")
    return numbers


def _load_products(job: Job, table: TableFile, mapping: Mapping) -> None:
    for chunk in job.chunks(table):
        rows, rules = _products(chunk.frame, mapping)
        rules.append((job.repeated(rows[["sku"]]), "a second row for the same product"))
        kept = job.keep(chunk, first_reason(rows.index, rules))
        job.update_products(records(rows[kept]))
    rebuild_touched(job)


def _products(frame: pd.DataFrame, mapping: Mapping) -> tuple[pd.DataFrame, list[tuple[Any, str]]]:
    """Columns of the table `products` for the fields that the mapping names, and the rules for their values."""
    columns, text = mapping.columns, {name: as_text(frame[column]) for name, column in mapping.columns.items()}
    rows = pd.DataFrame(
        {name: text[name] for name in ("sku", "name", "category", "brand", "description") if name in columns}
    )
    rules: list[tuple[Any, str]] = [(rows["sku"] == "", "product is missing"), (rows["name"] == "", "name is missing")]
    for name, word in (("cost", "cost"), ("list_price", "price")):
        if name in columns:
            amount = as_number(frame[columns[name]], mapping.decimal)
            rules += [
                ((text[name] != "") & amount.isna(), f"{word} is not a number"),
                (amount < 0, f"negative {word}"),
                (amount > LARGEST / 100, f"{word} is out of range"),
            ]
            stored = [None if value != value else round(value * 100) for value in amount.tolist()]
            rows[f"{name}_cents"] = pd.Series(stored, index=rows.index, dtype=object)
    if "launch_date" in columns:
        launch = as_time(frame[columns["launch_date"]], mapping.date_format)
        rules.append(((text["launch_date"] != "") & launch.isna(), "date cannot be read"))
        rows["launch_date"] = launch.dt.date.astype(object).where(launch.notna(), None)
    if mapping.attributes:
        cells = [as_text(frame[name]) for name in mapping.attributes]
        rows["attributes"] = pd.Series(
            [_filled(mapping.attributes, values) for values in zip(*cells, strict=True)],
            index=rows.index,
            dtype=object,
        )
    rows["declared"] = " ".join(str(column) for column in rows if column != "sku")
    return rows, rules


def _filled(names: Sequence[str], values: Sequence[str]) -> dict[str, str]:
    return {name: value for name, value in zip(names, values, strict=True) if value}
