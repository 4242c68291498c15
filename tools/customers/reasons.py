"""Why a customer is at risk: the terms that push the log odds up most, said in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tools.customers.churn import Churn

WORDS = {  # feature → said of a high value, said of a low one
    "recency": ("away for long", "back only lately"),
    "age": ("customer for long", "customer for a short time"),
    "purchases": ("many purchases", "few purchases"),
    "spent": ("much spent in all", "little spent in all"),
    "basket": ("large orders", "small orders"),
    "last_basket": ("large last order", "small last order"),
    "gap": ("long gaps between purchases", "short gaps between purchases"),
    "gap_spread": ("irregular purchases", "very regular purchases"),
    "overdue": ("away longer than usual for them", "not due yet"),
    "recent_purchases": ("many purchases of late", "few purchases of late"),
    "recent_spent": ("much spent of late", "little spent of late"),
    "earlier_purchases": ("many purchases before that", "few purchases before that"),
    "units": ("many units", "few units"),
    "standing": ("strong on recency, frequency and money", "weak on recency, frequency and money"),
}
ONCE = "bought once only"


def reasons(churn: Churn, customer: Any, most: int = 2) -> tuple[str, ...]:
    """What raises this customer's chance to be lost most, the strongest first; empty where nothing does."""
    terms: pd.Series[float] = churn.terms.loc[customer].drop("base").sort_values(ascending=False, kind="stable")
    middle, here = churn.known.median().to_dict(), churn.known.loc[customer].to_dict()
    found: list[str] = []
    for name, term in terms.items():
        value = float(here[name])
        words = ONCE if np.isnan(value) else WORDS[str(name)][0 if value > middle[name] else 1]
        if term > 0 and words not in found:
            found.append(words)
    return tuple(found[:most])


def advice(why: tuple[str, ...]) -> str:
    """What to do about the strongest reason."""
    first = why[0] if why else ""
    if first in (ONCE, "few purchases", "customer for a short time"):
        return "invite to a second purchase with what goes with the first"
    if "away" in first:
        return "remind of what is due"
    if "of late" in first or "before that" in first:
        return "show what is new in the favourite category"
    return "ask what was missing, before any discount"
