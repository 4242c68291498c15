"""Reads price panels: the documented layout, or the public files as they came."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import public
from benchmarks.layout import as_days, as_numbers, find_file, need_columns, read_table
from shop.errors import BadInput
from tools.elasticity.observations import Observations

MARKS = ("promotion", "feature", "display")
_RIVAL = "rival_price_"
_STORES = 5  # stores from which a product has week effects of its own


@dataclass(frozen=True)
class PricePanel:
    """Units and prices of products by period, positive prices only.

    Attributes:
        name: For the report.
        rows: `product, store, date, units, price` and those of `cost, promotion, feature, display, rival_price_*` that
            the data have; sorted by product, store and date.
        test_from: First day of the test.
        truth: True elasticity by product; None where unknown.
    """

    name: str
    rows: pd.DataFrame
    test_from: pd.Timestamp
    truth: dict[str, float] | None

    def part(self, test: bool) -> pd.DataFrame:
        """The rows to learn from, or those to be judged on."""
        late = self.rows["date"] >= self.test_from
        return self.rows[late if test else ~late].reset_index(drop=True)


def load_panels(folder: Path) -> list[PricePanel]:
    """The panel in a folder, or those that its published files hold.

    Raises:
        BadInput: The folder holds neither; the sentence names the file, the column and what was expected.
    """
    if find_file(folder, "panel") is not None:
        return [read_panel(folder)]
    for pattern, convert in RAW.items():
        found = sorted(folder.glob(pattern))
        if found:
            return [make_panel(*convert(file)) for file in found]
    raise BadInput(f"{folder.name} has no panel file; put panel.csv or panel.parquet and meta.json there.")


def read_panel(folder: Path) -> PricePanel:
    """The panel of a folder in the documented layout."""
    file = find_file(folder, "panel")
    assert file is not None
    meta_file = folder / "meta.json"
    try:
        meta = json.loads(meta_file.read_text(encoding="utf-8")) if meta_file.is_file() else {}
    except ValueError as error:
        raise BadInput(f"meta.json is not valid JSON ({error}); correct it.") from error
    return make_panel(str(meta.get("name", folder.name)), meta, read_table(file), file.name)


def make_panel(name: str, meta: dict[str, Any], frame: pd.DataFrame, file: str = "panel") -> PricePanel:
    """A checked panel.

    Raises:
        BadInput: A column or setting is missing or holds something else.
    """
    need_columns(frame, ("product", "date", "units", "price"), file)
    rows = frame.assign(product=frame["product"].astype(str), date=as_days(frame, "date", file))
    rows["store"] = frame["store"].astype(str) if "store" in frame else ""
    rivals = [column for column in frame if str(column).startswith(_RIVAL)]
    numbers = [column for column in ("units", "price", "cost", *MARKS, *rivals) if column in frame]
    for column in numbers:
        rows[column] = as_numbers(rows, column, file)
    keys = ["product", "store", "date"]
    rows = rows.loc[(rows["price"] > 0) & (rows["units"] >= 0), [*keys, *numbers]]
    if rows.empty:
        raise BadInput(f"{file} has no row with a positive price; at least one is expected.")
    if rows.duplicated(keys).any():
        rows = rows.groupby(keys, as_index=False).agg({c: "sum" if c == "units" else "mean" for c in numbers})
    rows = rows.sort_values(keys, kind="stable").reset_index(drop=True)
    return PricePanel(name, rows, _test_from(meta, rows), _truth(meta, rows["product"].unique()))


def _test_from(meta: dict[str, Any], rows: pd.DataFrame) -> pd.Timestamp:
    if meta.get("test_from") is None:
        return pd.Timestamp(rows["date"].quantile(0.7))
    day = pd.to_datetime(str(meta["test_from"]), errors="coerce")
    if pd.isna(day) or not rows["date"].min() < day <= rows["date"].max():
        raise BadInput(f'meta.json: "test_from" must be a day inside the panel, not {meta["test_from"]!r}.')
    return pd.Timestamp(day)


def _truth(meta: dict[str, Any], products: Sequence[str]) -> dict[str, float] | None:
    given = meta.get("true_elasticity")
    if given is None:
        return None
    if isinstance(given, dict):
        return {str(product): float(value) for product, value in given.items()}
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise BadInput(f'meta.json: "true_elasticity" must be a number or an object of numbers, not {given!r}.')
    return {str(product): float(given) for product in products}


def as_observations(rows: pd.DataFrame) -> tuple[Observations, list[str]]:
    """A panel's rows as numbered arrays, and the products in that numbering."""
    product, names = pd.factorize(rows["product"])
    series = pd.factorize(rows["product"] + "\n" + rows["store"])[0]
    stores = rows.groupby("product")["store"].nunique()
    controls = [rows[mark].fillna(0.0).to_numpy(dtype=float) for mark in MARKS if mark in rows]
    labels = [mark for mark in MARKS if mark in rows]
    for column in (c for c in rows if str(c).startswith(_RIVAL)):
        price = rows[column].where(rows[column] > 0)
        controls.append(np.log(price.fillna(price.median())).to_numpy(dtype=float))
        labels.append(str(column))
    matrix = np.column_stack(controls) if controls else np.empty((len(rows), 0))
    moving = matrix.std(axis=0) > 1e-9 if len(labels) else np.zeros(0, dtype=bool)
    cost = rows["cost"].to_numpy(dtype=float) if "cost" in rows else None
    known = cost is not None and bool((cost > 0).all())
    return (
        Observations(
            product=product.astype(np.int64),
            series=series.astype(np.int64),
            period=pd.factorize(rows["date"], sort=True)[0].astype(np.int64),
            market=(product if stores.median() >= _STORES else np.zeros(len(rows))).astype(np.int64),
            units=rows["units"].to_numpy(dtype=float),
            price=rows["price"].to_numpy(dtype=float),
            controls=matrix[:, moving],
            names=tuple(label for label, moves in zip(labels, moving, strict=True) if moves),
            chains=[("",)] * len(names),
            cost=cost if known else None,
        ),
        [str(name) for name in names],
    )


Raw = tuple[str, dict[str, Any], pd.DataFrame]


def _sales(convert: Callable[[Path], public.Parts]) -> Callable[[Path], Raw]:
    def as_raw(path: Path) -> Raw:
        meta, sales, _ = convert(path)
        return str(meta["name"]), {"test_from": meta["test_from"]}, sales

    return as_raw


def _milk(path: Path) -> Raw:
    """Monthly quantities and prices by product and retailer."""
    rows = read_table(path)
    columns = {"time": "date", "prices": "price", "quantities": "units", "prodID": "product", "retID": "store"}
    return "Milk scanner data", {}, rows.rename(columns=columns)[list(columns.values())]


def _choices(path: Path) -> Raw:
    """Choices between brands: every shopping trip is a period and every brand a product bought once or not at all.

    With brand and trip effects a Poisson regression of these is McFadden's conditional logit in log prices.
    """
    rows = read_table(path)
    brands = [str(column)[6:] for column in rows if str(column).startswith("price.")]
    picked = rows[next(column for column in rows if str(column).endswith("choice"))].astype(str)
    day = pd.Timestamp("2000-01-01") + pd.to_timedelta(np.arange(len(rows)), unit="D")
    parts = []
    for brand in brands:
        part = pd.DataFrame({"product": brand, "date": day, "units": (picked == brand) * 1.0})
        part["price"] = rows[f"price.{brand}"].astype(float)
        for mark, stem in (("feature", "feat"), ("display", "disp")):
            if f"{stem}.{brand}" in rows:
                part[mark] = rows[f"{stem}.{brand}"].astype(float)
        parts.append(part)
    return path.stem, {}, pd.concat(parts, ignore_index=True)


RAW: dict[str, Callable[[Path], Raw]] = {
    "avocado.csv*": _sales(public.avocado),
    "m5_daily.parquet": _sales(public.m5),
    "stallion.parquet": _sales(public.stallion),
    "milk.parquet": _milk,
    "*.csv": _choices,
}
