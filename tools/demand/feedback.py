"""When new sales have come: what each method would have said, how wrong it was, what drifted, and how weights move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy import func, select

from shop import Shop, ToolError
from shop import schema as t
from shop.database import insert_new
from tools.demand.contest import forecast
from tools.demand.drift import MOVED, Feedback, page_hinkley, stability_index, take_in
from tools.demand.methods import methods_of
from tools.demand.panel import Array, Panel
from tools.demand.read import read_panel
from tools.demand.series import CLASSES, naive_scale, recent_level

_LEAST = 5  # series of a class whose errors say something together
_LONG = 26  # weeks of inputs that the new ones are held against
_FEW = 8  # logged weeks from which residuals are tested for drift


@dataclass(frozen=True)
class Review:
    """What the last weeks taught.

    Attributes:
        weeks: First days of the weeks that were forecast and have come.
        by_kind: Feedback by class of series.
        series: Series behind it, by class.
        shifted: Inputs that no longer look as they did, with their stability index.
        drifted: "class: method" whose residuals drifted, with the position of the alarm among the logged weeks.
    """

    weeks: tuple[date, ...]
    by_kind: dict[str, Feedback]
    series: dict[str, int]
    shifted: dict[str, float]
    drifted: dict[str, int]


def review(shop: Shop, weeks: int = 4) -> Review:
    """Forecast the last weeks as they would have been forecast before them, hold them to what came, and log it.

    The past is replayed through `Shop.as_of`, so no forecast has to be stored and every product counts. A week that was
    logged before stays as it was logged.

    Raises:
        ToolError: Too little history to replay.
    """
    if not 1 <= weeks <= 12:
        raise ToolError(f"{weeks} weeks cannot be taken in at once; give 1 to 12.")
    past = shop.as_of(shop.cutoff + timedelta(days=1) - timedelta(weeks=weeks))
    now = read_panel(shop)
    if now is None or now.panel.units.shape[1] < weeks + 16:
        raise ToolError("There is too little history to look back on; import more weeks first.")
    before = read_panel(past)
    assert before is not None  # the same sales, some weeks less
    methods = methods_of(past, before, weeks)
    live = np.flatnonzero(np.isfinite(before.panel.units[:, -8:]).any(axis=1))
    made = forecast(before.panel, weeks, methods.contest, methods.models, live, methods.groups(before.frame))
    same = [now.row(before.panel.keys[i]) for i in live]
    actual, scale = now.panel.units[same, -weeks:], naive_scale(before.panel.take(live))
    found, series, logged = {}, {}, []
    days = tuple(day.date() for day in now.panel.starts[-weeks:])
    for number, kind in enumerate(CLASSES):
        rows = (made.kinds == number) & np.isfinite(actual).any(axis=1)
        if rows.sum() < _LEAST:
            continue
        weights = dict(zip(methods.contest.members, methods.contest.weights[number], strict=True))
        mine = {name: values[rows] for name, values in made.members.items() if weights[name] > 0}
        found[kind] = take_in(mine, actual[rows], scale[rows], weights)
        series[kind] = int(rows.sum())
        logged += _rows_of(kind, days, mine, actual[rows], scale[rows], found[kind])
    shifted = {name: stability_index(*pair) for name, pair in _inputs(now.panel, weeks).items()}
    with shop.begin() as connection:
        insert_new(connection, t.forecast_errors, logged)
    drifted = _drifted(shop)
    _log_drift(shop, days[-1], shifted, drifted)
    return Review(days, found, series, shifted, {k: at for k, at in drifted.items() if at is not None})


def last_review(shop: Shop) -> tuple[date | None, tuple[str, ...]]:
    """First day of the last week taken in, and what raised an alarm then; None where nothing ever was."""
    e, d = t.forecast_errors, t.forecast_drift
    with shop.engine.connect() as connection:
        week = connection.execute(select(func.max(e.c.week)).where(e.c.week <= shop.cutoff)).scalar_one()
        query = select(d.c.subject).where(d.c.week == week, d.c.alarm.is_(True)).order_by(d.c.subject)
        alarms = () if week is None else tuple(connection.execute(query).scalars())
    return week, alarms


def _inputs(panel: Panel, weeks: int) -> dict[str, tuple[Array, Array]]:
    """Inputs of the models, as they were in the half year before and as they are: flat samples."""
    units = panel.units / recent_level(panel.until(panel.units.shape[1] - weeks))[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        usual = np.nanmedian(np.where(np.isfinite(panel.price), panel.price, np.nan), axis=1, keepdims=True)
        price = np.log(panel.price / usual)
    sold = (np.nan_to_num(panel.units) > 0).astype(float)
    grids = {"sales over their level": units, "price over the usual": price, "weeks with a sale": sold}
    return {name: (g[:, -weeks - _LONG : -weeks].ravel(), g[:, -weeks:].ravel()) for name, g in grids.items()}


def _rows_of(
    kind: str, days: tuple[date, ...], made: Mapping[str, Array], actual: Array, scale: Array, found: Feedback
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for name, values in made.items():
        residual = (actual - values) / scale[:, None]
        for h, day in enumerate(days):
            came = residual[np.isfinite(residual[:, h]), h]
            if len(came):
                rows.append(
                    {
                        "week": day,
                        "kind": kind,
                        "method": name,
                        "error": float(np.abs(came).mean()),
                        "bias": float(came.mean()),
                        "series": len(came),
                        "weight_before": found.before[name],
                        "weight_after": found.after[name],
                    }
                )
    return rows


def _drifted(shop: Shop) -> dict[str, int | None]:
    """Page-Hinkley on the logged weekly residuals of every class and method; None without an alarm."""
    e = t.forecast_errors
    query = select(e.c.kind, e.c.method, e.c.bias).where(e.c.week <= shop.cutoff).order_by(e.c.week)
    series: dict[str, list[float]] = {}
    with shop.engine.connect() as connection:
        for kind, method, bias in connection.execute(query):
            series.setdefault(f"{kind}: {method}", []).append(bias)
    return {name: page_hinkley(np.array(values)) for name, values in series.items() if len(values) >= _FEW}


def _log_drift(shop: Shop, week: date, shifted: Mapping[str, float], drifted: Mapping[str, int | None]) -> None:
    rows = [
        {"week": week, "subject": name, "test": "psi", "value": value, "alarm": value >= MOVED}
        for name, value in shifted.items()
    ]
    rows += [
        {"week": week, "subject": name, "test": "page_hinkley", "value": float(at or 0), "alarm": at is not None}
        for name, at in drifted.items()
    ]
    with shop.begin() as connection:
        insert_new(connection, t.forecast_drift, rows)
