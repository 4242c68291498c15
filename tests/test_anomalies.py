"""Anomalies: faults put into quiet series are found, named and not invented."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from agent.ledger import bare_numbers
from shop import Actor, Shop, ToolError, ToolResult
from tools.anomalies import explain, find_anomalies, score_weeks
from tools.demand.panel import Panel
from tools.demand.read import ShopPanel
from tools.registry import bind

WEEKS, COUNT = 80, 60


def quiet(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.uniform(10, 60, COUNT)[:, None], (COUNT, WEEKS)).astype(float)


def shop_panel(units: np.ndarray, **parts: np.ndarray) -> ShopPanel:
    zero = np.zeros(units.shape)
    panel = Panel(
        tuple(f"P{i}" for i in range(len(units))),
        pd.date_range("2024-01-01", periods=units.shape[1], freq="7D"),
        np.where(parts.get("days_out", zero) > 3, np.nan, units),
        parts.get("price", np.full(units.shape, 10.0)),
        parts.get("promotion", zero),
        "week",
    )
    frame = pd.DataFrame({"sku": panel.keys, "name": panel.keys, "category": "Kitchen"})
    return ShopPanel(panel, frame, units, parts.get("days_out", zero), parts.get("returned", zero), units * 10)


def test_injected_faults_are_found_at_once_and_quiet_weeks_are_left_alone() -> None:
    units = quiet()
    rng = np.random.default_rng(1)
    rows, weeks = np.arange(COUNT), rng.integers(20, WEEKS - 1, COUNT)
    up = rows % 2 == 0
    units[rows[up], weeks[up]] *= 4
    units[rows[~up], weeks[~up]] = 0
    data = shop_panel(units)
    flagged = score_weeks(data.panel, data.sold, data.returned).flagged
    truth = np.zeros(units.shape, dtype=bool)
    truth[rows, weeks] = True
    assert flagged[truth].mean() >= 0.9
    assert truth[flagged].mean() >= 0.8


def test_a_quiet_shop_has_almost_no_findings() -> None:
    data = shop_panel(quiet(5))
    assert score_weeks(data.panel, data.sold, data.returned).flagged.mean() < 0.004


def test_each_fault_gets_its_reason() -> None:
    units = quiet(2)
    price, days_out = np.full(units.shape, 10.0), np.zeros(units.shape)
    promotion, returned = np.zeros(units.shape), np.zeros(units.shape)
    units[0, 50], days_out[0, 50] = 0, 5
    units[1, 50], price[1, 50:] = units[1, 50] * 4, 7.0
    units[2, 50], promotion[2, 50] = units[2, 50] * 4, 1
    units[3, 50], returned[3, 50] = units[3, 50] * 6, 20
    units[4, 50] *= 4
    rivals = np.zeros(units.shape, dtype=bool)
    units[5, 50], rivals[5, 50] = 0, True
    data = shop_panel(units, price=price, days_out=days_out, promotion=promotion, returned=returned)
    found = score_weeks(data.panel, data.sold, data.returned)
    reasons = explain(data, found, rivals)
    wanted = ["stock-out", "price change", "promotion", "return wave", "unexplained", "rival"]
    assert list(reasons[:6, 50]) == wanted
    assert found.flagged[:6, 50].all()


def run(shop: Shop, **arguments: Any) -> ToolResult:
    return bind([find_anomalies], shop, Actor(role="manager"))["find_anomalies"](**arguments)


def test_the_tool_lists_findings_without_bare_numbers(demo_shop: Shop) -> None:
    result = run(demo_shop, weeks=26)
    cells = [cell for table in result.tables for row in (*table.rows, table.columns) for cell in row]
    assert not any(bare_numbers(text) for text in (result.summary, *result.warnings, *cells))
    count = next(figure.value for figure in result.figures if figure.id == "anomaly.count")
    assert isinstance(count, int)
    assert len(result.tables[0].rows) == min(count, 15)


def test_a_search_outside_a_year_is_refused(demo_shop: Shop) -> None:
    with pytest.raises(ToolError, match="1 to 52"):
        run(demo_shop, weeks=60)
