"""What the shop's campaigns spent and what its categories sold, week by week, and the curves learned from both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Date, func, literal, select

from shop import Shop, ToolError
from shop import schema as t
from tools.advertising.channels import CHANNELS
from tools.advertising.rates import RateModel, fit_rate
from tools.advertising.response import Response, calendar_columns, fit_response, hill

Array = NDArray[np.float64]
_WEEKS = 156
_LEAST = 26
_RECENT = 13
_FEATURES = ["channel", "category", "quarter"]


@dataclass(frozen=True)
class Media:
    """Sales and spend by week (T) and campaign category (G).

    Attributes:
        groups: Category paths that campaigns ran for; "" is the whole shop.
        channels: Those with spend.
        starts: First day of each week, which end on the cut-off.
        units: (T, G).
        worth: Contribution by week where costs are known, else revenue, (T, G).
        discount: Share of list value given away, (T, G).
        spend: (T, G, C).
        costed: Whether `worth` is contribution.
    """

    groups: tuple[str, ...]
    channels: tuple[str, ...]
    starts: NDArray[np.datetime64]
    units: Array
    worth: Array
    discount: Array
    spend: Array
    costed: bool


@dataclass(frozen=True)
class Learned:
    """What is learned from the campaigns: `response` of log units, and the rates by campaign."""

    media: Media
    response: Response
    clicks: RateModel
    orders: RateModel
    campaigns: pd.DataFrame


def learn(shop: Shop) -> Learned:
    """The shop's campaigns and what they tell; kept until the data change.

    Raises:
        ToolError: There are no campaigns on record, or too few weeks of them.
    """
    return shop.learned("advertising", lambda: _learn(shop))


def _learn(shop: Shop) -> Learned:
    campaigns = shop.campaigns(since=shop.cutoff - timedelta(weeks=_WEEKS) + timedelta(days=1))
    campaigns = campaigns[campaigns["channel"].isin(CHANNELS) & (campaigns["spend"] > 0)]
    if campaigns.empty:
        raise ToolError(
            "No campaign with spend is on record, so nothing tells what a channel brings; "
            "import campaigns (day, channel, spend, impressions, clicks, conversions) and ask again."
        )
    media = read_media(shop, campaigns)
    seen = np.log(np.where(media.units > 0, media.units, np.nan))
    try:
        response = fit_response(seen, media.spend, _nuisance(media), media.channels)
    except ValueError as error:
        raise ToolError(
            f"Campaigns and sales overlap for {len(media.starts)} weeks, too few to tell channels apart; "
            "ask again once there is half a year of both."
        ) from error
    table = _by_campaign(campaigns)
    counts = [table[name].to_numpy(dtype=float) for name in ("impressions", "clicks", "conversions")]
    clicked = fit_rate(table[_FEATURES], counts[0], np.minimum(counts[1], counts[0]))
    ordered = fit_rate(table[_FEATURES], counts[1], np.minimum(counts[2], counts[1]))
    return Learned(media, response, clicked, ordered, table)


def read_media(shop: Shop, campaigns: pd.DataFrame) -> Media:
    """Sales and spend on one grid of weeks.

    Args:
        shop: Whose sales.
        campaigns: `day, channel, category, spend`, at least one row.
    """
    groups = tuple(sorted(campaigns["category"].unique()))
    channels = tuple(name for name in CHANNELS if name in set(campaigns["channel"]))
    sales = _weekly_sales(shop)
    weeks = min(_WEEKS, int(sales["back"].max()) + 1)
    if weeks < _LEAST:
        raise ToolError(f"{weeks} weeks of sales cannot tell what a channel brings; ask again after half a year.")
    starts = pd.Timestamp(shop.cutoff) - pd.to_timedelta(np.arange(weeks)[::-1] * 7 + 6, unit="D")
    costed = bool(sales.loc[sales["cost"].notna(), "revenue"].sum() > 0.5 * sales["revenue"].sum())
    grids = np.zeros((4, weeks, len(groups)))
    for g, group in enumerate(groups):
        inside = np.ones(len(sales), dtype=bool) if not group else _below(sales["category"], group)
        mine = sales[inside & (sales["back"] < weeks)]
        worth = mine["revenue"] - mine["cost"] if costed else mine["revenue"]
        # Sales without a known cost count as the others do.
        share = worth.sum() / max(float(mine.loc[worth.notna(), "revenue"].sum()), 1e-9)
        rows = weeks - 1 - mine["back"].to_numpy()
        for k, values in enumerate(
            (mine["units"], mine["revenue"], mine["discount"], worth.fillna(share * mine["revenue"]))
        ):
            grids[k, :, g] = np.bincount(rows, values.to_numpy(dtype=float), minlength=weeks)
    spend = np.zeros((weeks, len(groups), len(channels)))
    back = (pd.Timestamp(shop.cutoff) - campaigns["day"]).dt.days.to_numpy() // 7
    row, group, channel = (
        weeks - 1 - back,
        np.searchsorted(groups, campaigns["category"]),
        np.array([channels.index(name) for name in campaigns["channel"]]),
    )
    kept = row >= 0
    np.add.at(spend, (row[kept], group[kept], channel[kept]), campaigns["spend"].to_numpy(dtype=float)[kept])
    units, revenue, discount, worth_ = grids
    given = np.divide(discount, revenue + discount, out=np.zeros_like(discount), where=revenue + discount > 0)
    return Media(groups, channels, starts.to_numpy(), units, worth_, given, spend, costed)


def weekly_value(media: Media, response: Response, group: int, start: date, weeks: int) -> Array:
    """What a week without advertising is worth in a group, for `weeks` weeks from `start`, (weeks,).

    The last quarter's worth, less what advertising brought in it, moved along last year's season.
    """
    worth = media.worth[:, group]
    past = media.spend[-_RECENT:, group]
    lift = sum(
        float((response.strength[0, c] * hill(past[:, c], response.half[0, c], response.shape[0, c])).mean())
        for c in range(len(response.channels))
    )
    season = _season(media.units[:, group])
    ahead = [int((start - _day(media.starts[-1])).days // 7) + k for k in range(weeks)]
    recent = max(float(np.mean([season[-k % len(season)] for k in range(1, _RECENT + 1)])), 1e-9)
    level = float(worth[-_RECENT:].mean()) / float(np.exp(lift))
    return np.array([level * season[(k - 1) % len(season)] / recent for k in ahead])


def expected_rates(learned: Learned, campaigns: Mapping[str, str], quarter: int) -> dict[str, tuple[Array, Array]]:
    """Click and order rate of campaigns, by channel: expected, P10 and P90 of the next one, (3,) each.

    Args:
        learned: What past campaigns tell.
        campaigns: Category by channel.
        quarter: Of the year, one to four.
    """
    if not campaigns:
        return {}
    made = [{"channel": name, "category": of, "quarter": f"Q{quarter}"} for name, of in campaigns.items()]
    rows = pd.DataFrame(made)
    clicks, orders = _spread(learned.clicks, rows), _spread(learned.orders, rows)
    return {name: (clicks[at], orders[at]) for at, name in enumerate(campaigns)}


def cost_per_click(campaigns: pd.DataFrame, channel: str, category: str) -> float | None:
    """Money per click of the channel's campaigns, of the category where there are any; None without a click."""
    mine = campaigns[campaigns["channel"] == channel]
    near = mine[mine["category"] == category]
    used = near if near["clicks"].sum() > 0 else mine
    return float(used["spend"].sum() / used["clicks"].sum()) if used["clicks"].sum() > 0 else None


def _spread(model: RateModel, rows: pd.DataFrame) -> Array:
    """Expected rate, P10 and P90 of each row (N, 3)."""
    from scipy.stats import beta

    mean = np.clip(model.predict(rows), 1e-7, 1 - 1e-7)
    rho = float(np.clip(model.concentration, 1e-6, 0.999))
    a, b = mean * (1 / rho - 1), (1 - mean) * (1 / rho - 1)
    return np.column_stack([mean, beta.ppf(0.1, a, b), beta.ppf(0.9, a, b)])


def _nuisance(media: Media) -> Array:
    """Level and season of each group, shocks that all groups share, and discounts, (T, G, q)."""
    weeks, groups = media.units.shape
    calendar = calendar_columns(media.starts)
    columns = np.zeros((weeks, groups, groups * calendar.shape[1]))
    for g in range(groups):
        columns[:, g, g * calendar.shape[1] : (g + 1) * calendar.shape[1]] = calendar
    parts = [columns, media.discount[:, :, None]]
    if groups >= 3:
        # Three groups or more tell a week's common shock from a campaign for one of them.
        parts.append(np.broadcast_to(np.eye(weeks)[:, None, :], (weeks, groups, weeks)))
    return np.concatenate(parts, axis=2)


def _weekly_sales(shop: Shop) -> pd.DataFrame:
    """Per category and week back from the cut-off: units, revenue, discount and cost of what was sold."""
    d, p = t.daily, t.products
    back = (t.days_between(literal(shop.cutoff, Date), d.c.day) // 7).label("back")
    query = (
        select(
            p.c.category,
            back,
            p.c.cost_cents.is_not(None).label("known"),
            func.sum(d.c.units).label("units"),
            func.sum(d.c.revenue_cents).label("revenue"),
            func.sum(d.c.discount_cents).label("discount"),
            func.sum(d.c.units * p.c.cost_cents).label("cost"),
        )
        .join(p, p.c.sku == d.c.sku)
        .where(d.c.day <= shop.cutoff, d.c.day > shop.cutoff - timedelta(weeks=_WEEKS))
        .group_by(p.c.category, back, p.c.cost_cents.is_not(None))
    )
    with shop.engine.connect() as connection:
        frame = pd.DataFrame(connection.execute(query).mappings().all())
    if frame.empty:
        raise ToolError("Nothing was sold in the last three years; import newer sales.")
    money = ["revenue", "discount", "cost"]
    frame[["units", *money]] = frame[["units", *money]].apply(pd.to_numeric, errors="coerce").astype(float)
    return frame.assign(back=frame["back"].astype(int), **{name: frame[name] / 100 for name in money})


def _by_campaign(campaigns: pd.DataFrame) -> pd.DataFrame:
    """One row per campaign: channel, category, quarter it began in, and its sums."""
    table = campaigns.groupby("id", as_index=False).agg(
        channel=("channel", "first"),
        category=("category", "first"),
        day=("day", "min"),
        spend=("spend", "sum"),
        impressions=("impressions", "sum"),
        clicks=("clicks", "sum"),
        conversions=("conversions", "sum"),
    )
    return table.assign(quarter="Q" + table["day"].dt.quarter.astype(str))


def _season(units: Array) -> Array:
    """Factor of each week of a year (52,), week 0 being the one after the last; flat with less than a year and a half.

    Weeks of a year ago and around it, over the year's mean.
    """
    if len(units) < 78:
        return np.ones(52)
    year = units[-52:]
    smooth = np.convolve(np.concatenate([units[-55:-52], year, year[:3]])[: 52 + 6], np.ones(7) / 7, "valid")
    return np.asarray(np.maximum(smooth[:52] / max(smooth[:52].mean(), 1e-9), 0.05))


def _below(category: pd.Series[str], path: str) -> NDArray[np.bool_]:
    return ((category == path) | category.str.startswith(f"{path} > ")).to_numpy(dtype=bool)


def _day(stamp: np.datetime64) -> date:
    return pd.Timestamp(stamp).date()


def covering(groups: Sequence[str], category: str) -> int | None:
    """The narrowest campaign category that holds `category`; None where none does."""
    holds = [
        g for g, group in enumerate(groups) if not group or category == group or category.startswith(f"{group} > ")
    ]
    return max(holds, key=lambda g: len(groups[g]), default=None)
