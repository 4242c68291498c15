"""`find_anomalies`: weeks that do not fit a product's own season, level and price, each with its likely reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import select

from shop import Product, Shop, Table, ToolError, ToolResult
from shop import schema as t
from shop.resolve import find_category, find_product
from shop.types import Weeks
from tools.demand.panel import Array, Panel
from tools.demand.read import ShopPanel, read_panel
from tools.demand.series import pooled_season
from tools.figures import Sheet, evidence
from tools.registry import tool

LEAST = 12  # weeks of a product that are needed to know what is usual
_SHOWN = 15
_MOST_ROWS = 20_000
_LEAST_NOISE = 0.03  # squared spread of a product's demand that is always allowed for
REASONS = ("stock-out", "price change", "promotion", "rival", "return wave", "unexplained")


@dataclass(frozen=True)
class Unusual:
    """Scores of product weeks.

    Attributes:
        expected: Usual units (N, T), NaN where too little was seen before.
        z: Robust z-score of what was sold (N, T); NaN like `expected`.
        votes: How many of the three detectors call the week unusual (N, T).
    """

    expected: Array
    z: Array
    votes: NDArray[np.int64]

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Weeks that at least two detectors call unusual, the robust z-score among them (N, T)."""
        return np.asarray((self.votes >= 2) & (np.abs(np.nan_to_num(self.z)) >= 3.0))


@tool("read", "internal")
def find_anomalies(
    shop: Shop, product: str | None = None, category: str | None = None, weeks: Weeks = 12
) -> ToolResult:
    """Find unusual weeks of sales and say what lies behind them.

    Args:
        product: SKU or name of a product; left out, all products of the category or the shop are searched.
        category: Category to search.
        weeks: Weeks back from the last data, 1 to 52.
    """
    if not 1 <= weeks <= 52:
        raise ToolError(f"{weeks} weeks back cannot be searched; give 1 to 52 weeks.")
    item = find_product(shop, product) if product else None
    if item is not None and not isinstance(item, Product):
        raise ToolError(f"{item.name} ({item.id}) is a draft without sales; name a product that sells.")
    path = find_category(shop, category) if category and item is None else None
    data = read_panel(shop)
    if data is None or (item is not None and item.sku not in data.panel.keys):
        raise ToolError("There are no sales to search; name a product or category that sells.")
    keep = _asked(data, item, path)
    if (np.isfinite(data.panel.units[keep]).sum(axis=1) < LEAST).all():
        raise ToolError("Fewer than twelve weeks were seen, too few to know what is usual; ask for another product.")
    found = score_weeks(data.panel, data.sold, data.returned)
    reasons = explain(data, found, rival_moves(shop, data))
    return _answer(shop, data, found, reasons, keep, weeks)


def score_weeks(panel: Panel, sold: Array, returned: Array, contamination: float = 0.04) -> Unusual:
    """Score every product week by three detectors on seasonal residuals.

    Expected units are the median of the eight weeks before, season-adjusted; `robust_z` scores what was sold against
    them. An Isolation Forest (Liu, Ting & Zhou 2008) and a One-class SVM (Schölkopf et al. 2001) see the score, its
    change, the price change and the return rate of all products.

    Args:
        panel: Demand, NaN where out of stock or off sale.
        sold: Units really sold (N, T).
        returned: Units returned (N, T).
        contamination: Share of weeks that the two learners call unusual.
    """
    periods = panel.units.shape[1]
    season = pooled_season(panel, 0)[:, :periods]
    flat = np.where(np.isfinite(panel.units), panel.units / np.exp(season), np.nan)
    before = pd.DataFrame(flat.T).shift(1).rolling(8, min_periods=4).median().to_numpy().T
    expected = before * np.exp(season)
    z = robust_z(np.where(_on_sale(panel), sold, np.nan), expected, np.isfinite(panel.units))
    votes = (np.abs(np.nan_to_num(z)) >= 3.0).astype(np.int64)
    features, where = _features(panel, z, sold, returned)
    if len(features) >= 50:
        votes[where] += _learned_votes(features, contamination)
    return Unusual(expected, z, votes)


def robust_z(sold: Array, expected: Array, steady: NDArray[np.bool_]) -> Array:
    """Distance of sales from what is usual in robust standard deviations (N, T); NaN where either is unknown.

    Sales are skewed, so one scale does not serve both sides. A fall is judged in logs, where an empty week stands
    out, by 1.4826 × the median absolute residual of the product with the Poisson share added. A rise is judged in
    square roots, where chance is even (Anscombe 1948): the variance is one plus the mean times the product's squared
    spread, which is estimated by medians and halfway pulled to that of all products.

    Args:
        sold: Units (N, T).
        expected: Usual units (N, T).
        steady: Weeks with stock, from which a rise's spread is learned (N, T).
    """
    fall = np.log1p(sold) - np.log1p(expected)
    spread = np.nan_to_num(1.4826 * _median(np.abs(fall)))
    fall = fall / np.sqrt(spread**2 + 1 / (np.maximum(expected, 0.5) + 1))
    rise = 2 * (np.sqrt(sold + 0.375) - np.sqrt(expected + 0.375))
    scale = np.sqrt(1 + expected)
    rise = rise - np.nan_to_num(_median(np.where(steady, rise / scale, np.nan))) * scale
    noise = _median(np.where(steady, (1.4826**2 * rise**2 - 1) / np.maximum(expected, 1.0), np.nan))
    usual = float(np.nanmedian(noise)) if np.isfinite(noise).any() else _LEAST_NOISE
    noise = np.maximum((np.nan_to_num(noise, nan=usual) + usual) / 2, _LEAST_NOISE)
    rise = rise / np.sqrt(1 + expected * noise)
    return np.asarray(np.where(sold < expected, fall, rise))


def explain(data: ShopPanel, found: Unusual, rivals: NDArray[np.bool_]) -> NDArray[np.object_]:
    """The likely reason of each product week (N, T), one of `REASONS`; the first that fits in this order."""
    price = data.panel.price
    change = np.zeros(price.shape)
    change[:, 1:] = np.abs(np.log(price[:, 1:] / price[:, :-1]))
    change = np.nan_to_num(change)
    moved = change >= 0.05
    usual_returns = pd.DataFrame(data.returned.T).shift(1).rolling(12, min_periods=4).mean().to_numpy().T
    wave = data.returned >= 3 + 3 * np.nan_to_num(usual_returns)
    empty = (data.days_out >= 2) & (found.z < 0)
    reasons = np.full(price.shape, "unexplained", dtype=object)
    for mask, name in (
        (rivals, "rival"),
        (wave, "return wave"),
        (moved, "price change"),
        ((data.panel.promotion > 0) & (found.z > 0), "promotion"),
        (empty, "stock-out"),
    ):
        reasons[mask] = name
    return reasons


def rival_moves(shop: Shop, data: ShopPanel) -> NDArray[np.bool_]:
    """Weeks in which a competitor changed its price for the product by five per cent or more (N, T)."""
    c = t.competitor_prices
    query = select(c.c.competitor, c.c.sku, c.c.day, c.c.price_cents).where(c.c.day <= shop.cutoff)
    with shop.engine.connect() as connection:
        frame = pd.DataFrame(connection.execute(query).fetchall(), columns=["competitor", "sku", "day", "price"])
    moves = np.zeros(data.panel.units.shape, dtype=bool)
    if frame.empty:
        return moves
    frame = frame.sort_values(["competitor", "sku", "day"])
    frame["log"] = np.log(frame["price"].astype(float))
    step = frame.groupby(["competitor", "sku"])["log"].diff().abs()
    moved = frame[(step >= 0.05) & frame["sku"].isin(data.panel.keys)]
    rows = data.frame.index.to_series().set_axis(data.frame["sku"]).loc[moved["sku"]].to_numpy()
    week = data.panel.starts.searchsorted(pd.to_datetime(moved["day"]), side="right") - 1
    moves[rows[week >= 0], week[week >= 0]] = True
    return moves


def _median(values: Array) -> Array:
    """Median of each row, gaps left out (N, 1); NaN for a row of gaps."""
    return pd.DataFrame(values.T).median().to_numpy()[:, None]


def _on_sale(panel: Panel) -> NDArray[np.bool_]:
    """Between the first and the last week with demand known, gaps (no stock) included (N, T)."""
    known = np.isfinite(panel.units)
    begun = np.maximum.accumulate(known, axis=1)
    return np.asarray(begun & np.maximum.accumulate(known[:, ::-1], axis=1)[:, ::-1])


def _features(panel: Panel, z: Array, sold: Array, returned: Array) -> tuple[Array, tuple[NDArray[np.intp], ...]]:
    step = np.zeros(z.shape)
    step[:, 1:] = np.nan_to_num(z[:, 1:]) - np.nan_to_num(z[:, :-1])
    price = np.zeros(z.shape)
    price[:, 1:] = np.nan_to_num(np.log(panel.price[:, 1:] / panel.price[:, :-1]))
    rate = returned / np.maximum(sold, 1)
    where = np.nonzero(np.isfinite(z))
    return np.column_stack([part[where] for part in (z, step, price, rate)]), where


def _learned_votes(features: Array, contamination: float) -> NDArray[np.int64]:
    from sklearn.ensemble import IsolationForest
    from sklearn.svm import OneClassSVM

    rng = np.random.default_rng(0)
    part = rng.choice(len(features), min(len(features), _MOST_ROWS), replace=False)
    forest = IsolationForest(n_estimators=100, contamination=contamination, random_state=0).fit(features[part])
    scale = np.maximum(features.std(axis=0), 1e-6)
    few = part[:2000]
    machine = OneClassSVM(nu=contamination, gamma="scale").fit(features[few] / scale)
    return np.asarray((forest.predict(features) < 0).astype(int) + (machine.predict(features / scale) < 0).astype(int))


def _asked(data: ShopPanel, item: Product | None, path: str | None) -> NDArray[np.bool_]:
    if item is not None:
        return (data.frame["sku"] == item.sku).to_numpy()
    if path is None:
        return np.ones(len(data.frame), dtype=bool)
    category = data.frame["category"].astype(str)
    return ((category == path) | category.str.startswith(f"{path} > ")).to_numpy()


def _answer(
    shop: Shop, data: ShopPanel, found: Unusual, reasons: NDArray[np.object_], keep: NDArray[np.bool_], weeks: int
) -> ToolResult:
    sheet = Sheet()
    flagged = found.flagged & keep[:, None]
    flagged[:, : max(0, flagged.shape[1] - weeks)] = False
    rows, columns = np.nonzero(flagged)
    sheet.add("anomaly.weeks", "Weeks searched", min(weeks, flagged.shape[1]), "weeks", "back from the last data")
    rule = "robust z-score of at least three and one of Isolation Forest and One-class SVM agreeing"
    sheet.add("anomaly.count", "Unusual product weeks", len(rows), "count", rule)
    open_count = int((reasons[rows, columns] == "unexplained").sum())
    sheet.add(
        "anomaly.unexplained", "Of them without a known reason", open_count, "count", "no cause in the shop's data"
    )
    order = np.argsort(-np.abs(found.z[rows, columns]), kind="stable")[:_SHOWN]
    cells = []
    for number, at in enumerate(order, start=1):
        row, column = int(rows[at]), int(columns[at])
        start = data.panel.starts[column].date()
        source = evidence(shop, "daily", {"sku": (data.panel.keys[row],)}, start, start + timedelta(days=6))
        stem = f"anomaly.finding_{number}"
        cells.append(
            (
                sheet.add(f"{stem}_product", "Product", str(data.frame["name"][row]), "text", "as stored"),
                sheet.add(f"{stem}_week", "Week from", start, "date", "seven days"),
                sheet.add(f"{stem}_sold", "Units sold", data.sold[row, column], "units", "sum of sales", rows=source),
                sheet.add(
                    f"{stem}_usual",
                    "Usual units",
                    found.expected[row, column],
                    "units",
                    "median of the eight weeks before, season-adjusted",
                ),
                str(reasons[row, column]),
            )
        )
    if not cells:
        return ToolResult(
            summary="No week of the last {{anomaly.weeks}} stands out from what is usual.", figures=sheet.figures
        )
    table = Table(title="Unusual weeks", columns=("Product", "Week from", "Sold", "Usual", "Reason"), rows=tuple(cells))
    summary = (
        "{{anomaly.count}} product weeks of the last {{anomaly.weeks}} stand out; "
        "{{anomaly.unexplained}} of them have no reason in the shop's data."
    )
    return ToolResult(summary=summary, figures=sheet.figures, tables=(table,))
