"""What a customer's purchases tell on a day: one row per customer, for value, churn and segments alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tools.customers.lifetime import Counts

Array = NDArray[np.float64]
WEEK = 7.0
FEATURES = (
    "recency",
    "age",
    "purchases",
    "spent",
    "basket",
    "last_basket",
    "gap",
    "gap_spread",
    "overdue",
    "recent_purchases",
    "recent_spent",
    "earlier_purchases",
    "units",
    "standing",
)


def purchase_days(transactions: pd.DataFrame) -> pd.DataFrame:
    """One row per customer and day with a purchase: `customer, day, amount, units`, in order of time.

    Several orders of a day count as one purchase; a day whose amounts do not sum above zero is none.

    Args:
        transactions: `customer, date, amount` and optionally `units`.
    """
    frame = pd.DataFrame(
        {
            "customer": transactions["customer"].to_numpy(),
            "day": pd.to_datetime(transactions["date"]).dt.normalize().to_numpy(),
            "amount": transactions["amount"].to_numpy(dtype=float),
            "units": transactions["units"].to_numpy(dtype=float) if "units" in transactions else 1.0,
        }
    )
    days = frame.groupby(["customer", "day"], as_index=False, sort=True)[["amount", "units"]].sum()
    return days[days["amount"] > 0].sort_values(["customer", "day"], kind="stable").reset_index(drop=True)


def features(days: pd.DataFrame, until: pd.Timestamp, since: pd.Timestamp | None = None) -> pd.DataFrame:
    """`FEATURES` of every customer who bought before `until`, from nothing later; times in weeks, index the customer.

    Args:
        days: As `purchase_days` gives them.
        until: First day that is not known yet.
        since: First day looked at; None looks at all.
    """
    known = days["day"] < until
    past = days[known & (days["day"] >= since)] if since is not None else days[known]
    past = past.assign(gap=past.groupby("customer")["day"].diff().dt.days / WEEK)
    groups = past.groupby("customer")
    frame = groups.agg(
        first=("day", "min"),
        last=("day", "max"),
        purchases=("day", "size"),
        spent=("amount", "sum"),
        last_basket=("amount", "last"),
        units=("units", "sum"),
        gap=("gap", "mean"),
        gap_spread=("gap", "std"),
    )
    frame["recency"] = (until - frame.pop("last")).dt.days / WEEK
    frame["age"] = (until - frame.pop("first")).dt.days / WEEK
    frame["basket"] = frame["spent"] / frame["purchases"]
    frame["overdue"] = frame["recency"] / frame["gap"].fillna(frame["age"]).clip(lower=1 / WEEK)
    span = float(frame["age"].max()) if len(frame) else 0.0
    for name, low, high in (("recent", 0.0, 0.25), ("earlier", 0.25, 0.5)):
        after, before = until - _weeks(high * span), until - _weeks(low * span)
        window = past[(past["day"] >= after) & (past["day"] < before)].groupby("customer")
        frame[f"{name}_purchases"] = window.size().reindex(frame.index).fillna(0.0)
        frame[f"{name}_spent"] = window["amount"].sum().reindex(frame.index).fillna(0.0)
    ranks = [-frame["recency"], frame["purchases"], frame["spent"]]
    frame["standing"] = sum(part.rank(pct=True) for part in ranks) / len(ranks)
    return frame[list(FEATURES)].astype(float)


def sampled(days: pd.DataFrame, most: int = 15_000, seed: int = 0) -> pd.DataFrame:
    """The days of at most so many customers, drawn at random: enough to learn from in a large shop."""
    customers = days["customer"].unique()
    if len(customers) <= most:
        return days
    drawn = np.random.default_rng(seed).choice(customers, most, replace=False)
    return days[days["customer"].isin(drawn)]


def counts(frame: pd.DataFrame) -> Counts:
    """What buy-till-you-die models take, in weeks, from `features`."""
    age, recency = frame["age"].to_numpy(), frame["recency"].to_numpy()
    return Counts(frame["purchases"].to_numpy() - 1, np.maximum(age - recency, 0.0), age)


def outcome(days: pd.DataFrame, customers: pd.Index[Any], start: pd.Timestamp, weeks: float) -> pd.DataFrame:
    """What each of `customers` did in the `weeks` from `start` on: `purchases` (days with one) and `spent`."""
    ahead = days[(days["day"] >= start) & (days["day"] < start + _weeks(weeks))]
    groups = ahead.groupby("customer")
    found = pd.DataFrame({"purchases": groups.size(), "spent": groups["amount"].sum()})
    return found.reindex(customers).fillna(0.0).astype(float)


def _weeks(number: float) -> pd.Timedelta:
    return pd.Timedelta(days=round(number * WEEK))
