"""Customers: value, churn, segmentation and recommendation, each held to its rivals on public purchases."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import insert

from benchmarks.customers_layout import Labels, Transactions, read_customers
from benchmarks.customers_value import measure_labels, measure_lost, measure_parameters, measure_value
from benchmarks.layout import find_file
from benchmarks.result import Result, report
from shop import Shop, rollup
from shop import schema as t
from shop.errors import BadInput
from tools.customers import segment_customers

PUBLIC = ("cdnow", "online_retail_ii", "complete_journey", "telco_churn", "online_shoppers")
_MANY = 100_000
_CHUNK = 20_000


def main(data: str | Path | None = None, shared: str | Path | None = None, recommend: bool = True) -> dict[str, Any]:
    """Measure on the folder `data`, or on all public customer sets in `shared`.

    Raises:
        BadInput: Neither folder was given, or a folder does not hold what it should.
    """
    started = time.perf_counter()
    if data is None and shared is None:
        raise BadInput("Give --data with a folder of customers, or --shared with the public data sets.")
    folders = [Path(data)] if data is not None else [Path(str(shared)) / name for name in PUBLIC]
    rows: list[Result] = []
    chosen: dict[str, str] = {}
    missed: list[str] = []
    for folder in folders:
        for each in [] if _only_recommends(folder) else read_customers(folder):
            rows += _measure(each, chosen, missed)
            if folder.name == "cdnow" and isinstance(each, Transactions):
                rows += measure_parameters(each)
    if data is None:
        rows += segment_seconds(_MANY)
    name = Path(data).name if data is not None else "public"
    found = report("customers", name, rows, 0.0, chosen=chosen, not_measured=missed)
    if recommend:
        other = _recommendation(data, shared)
        found["results"] += other.pop("results", [])
        found = {**other, **found}
    found["seconds"] = round(time.perf_counter() - started, 2)
    return found


def _measure(data: Transactions | Labels, chosen: dict[str, str], missed: list[str]) -> list[Result]:
    """All rows of one data set; what it is too small for is named in `missed`."""
    tasks: dict[str, Callable[[], tuple[list[Result], str]]]
    if isinstance(data, Labels):
        tasks = {"churn": lambda: measure_labels(data)}
    else:
        tasks = {"value": lambda: measure_value(data), "churn": lambda: measure_lost(data)}
    rows: list[Result] = []
    for task, measure in tasks.items():
        begun = time.perf_counter()
        try:
            found, method = measure()
        except ValueError as error:
            missed.append(f"{data.name}, {task}: {error}")
            continue
        chosen[f"{data.name}, {task}"] = method
        seconds = round(time.perf_counter() - begun, 2)
        rows += [*found, Result("debut", "seconds", seconds, n=found[0].n, extra={"set": data.name, "task": task})]
    return rows


def _recommendation(data: str | Path | None, shared: str | Path | None) -> dict[str, Any]:
    """What the other half of the command measures, where there are interactions to measure it on."""
    from benchmarks.customers_recommend import PUBLISHED
    from benchmarks.customers_recommend import main as recommend

    if data is not None and find_file(Path(data), "interactions") is None and Path(data).name not in PUBLISHED:
        return {}
    return recommend(data, shared)


def _only_recommends(folder: Path) -> bool:
    """Whether a folder, as it was published, holds visits without buyers or amounts."""
    from benchmarks.customers_recommend import PUBLISHED

    return not (folder / "meta.json").is_file() and folder.name in PUBLISHED and folder.name not in PUBLIC


def segment_seconds(customers: int, seed: int = 0) -> list[Result]:
    """Seconds from the question to the segments in a shop of so many customers, nothing learned before."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/shop.db"
        fill(url, customers, seed)
        rows = []
        for by in ("rfm", "behaviour", "value"):
            shop = Shop.open(url)
            begun, worked = time.perf_counter(), time.process_time()
            segment_customers.tool.run(shop, {"by": by})  # type: ignore[attr-defined]
            seconds, processor = time.perf_counter() - begun, time.process_time() - worked
            # On a machine that does other work too, the processor's time is what the next machine will take.
            extra = {"task": by, "processor_seconds": round(processor, 2)}
            rows.append(Result("debut", "segment_seconds_100k", round(seconds, 2), n=customers, extra=extra))
            shop.engine.dispose()
    return rows


def fill(url: str, customers: int, seed: int = 0) -> None:
    """A shop of two years with so many customers, drawn from a BG/NBD: most buy once or twice, a few often."""
    rng = np.random.default_rng(seed)
    shop = Shop.open(url, create=True)
    rate = rng.gamma(0.6, 1 / 12.0, customers)  # purchases a week
    start = rng.integers(0, 700, customers)
    stay = rng.exponential(400, customers)
    number = 1 + rng.poisson(rate * np.minimum(730 - start, stay) / 7)
    who = np.repeat(np.arange(customers), number)
    day = start[who] + rng.random(len(who)) * np.minimum(730 - start, stay)[who]
    day[np.cumsum(number) - number] = start  # the first purchase is on the first day
    at = (pd.Timestamp("2024-01-01") + pd.to_timedelta(np.round(day * 86_400), unit="s")).to_pydatetime()
    channel, sku = rng.choice(["web", "app"], len(who)), rng.integers(0, 200, len(who))
    price, units = np.round(rng.lognormal(3.2, 0.6, len(who)) * 100), 1 + rng.poisson(0.4, len(who))
    orders = [
        {"id": f"O{i}", "customer_id": f"C{c}", "placed_at": at[i], "channel": str(channel[i])}
        for i, c in enumerate(who)
    ]
    lines = [
        {"order_id": f"O{i}", "line": 1, "sku": f"P{sku[i]}", "units": int(units[i]), "price_cents": int(price[i])}
        for i in range(len(who))
    ]
    with shop.begin() as connection:
        connection.execute(
            insert(t.products), [{"sku": f"P{i}", "name": f"P{i}", "category": f"K{i % 20}"} for i in range(200)]
        )
        connection.execute(insert(t.customers), [{"id": f"C{i}"} for i in range(customers)])
        for table, rows in ((t.orders, orders), (t.order_lines, lines)):
            for first in range(0, len(rows), _CHUNK):
                connection.execute(insert(table), rows[first : first + _CHUNK])
        rollup.rebuild(connection)
    shop.engine.dispose()
