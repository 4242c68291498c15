"""How customers stood on a day: what they had bought in the year before, in all and in one category."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# What is known of a customer before an offer; `sent_before` counts earlier messages and is for the caller to add.
FEATURES = ("recency", "orders", "spent", "in_category", "age", "sent_before")
YEAR = 365


def standing(
    lines: pd.DataFrame, customers: pd.Index[Any], day: float, category: str, joined: NDArray[np.float64]
) -> pd.DataFrame:
    """How customers stood on the morning of a day: `FEATURES` without `sent_before`, nan where nothing is known.

    Args:
        lines: Past order lines `customer, day, category, paid`.
        customers: Those asked about.
        day: In days, as `lines` count them.
        category: Path; purchases in it and below it count.
        joined: Day each customer joined, nan where unknown.
    """
    past = lines[(lines["day"] < day) & (lines["day"] >= day - YEAR)]
    groups = past.groupby("customer")
    found = pd.DataFrame(index=customers)
    found["recency"] = day - groups["day"].max().reindex(customers)
    found["orders"] = groups["day"].nunique().reindex(customers).fillna(0).astype(float)
    found["spent"] = groups["paid"].sum().reindex(customers).fillna(0.0)
    mine = past[inside(past["category"], category)]
    found["in_category"] = mine.groupby("customer")["day"].nunique().reindex(customers).fillna(0).astype(float)
    found["age"] = day - joined
    return found


def inside(categories: pd.Series[str], path: str) -> NDArray[np.bool_]:
    """Which categories are the path or below it; an empty path holds all."""
    if not path:
        return np.ones(len(categories), dtype=bool)
    return ((categories == path) | categories.str.startswith(f"{path} > ")).to_numpy(dtype=bool)
