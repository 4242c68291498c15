"""The demo shop's campaigns: what each channel spent by day, what came back, and the true response of demand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.random import Generator

from shop.demo.truth import ChannelTruth, Floats
from shop.demo.words import Words

CHANNELS = {  # truth; usual daily spend; cost per click in money; clicks per impression; orders per click
    "search": (ChannelTruth(carry_over=0.15, half=70.0, strength=0.16), 48.0, 0.85, 0.034, 0.042),
    "social": (ChannelTruth(carry_over=0.45, half=115.0, strength=0.22), 62.0, 0.6, 0.012, 0.016),
    "display": (ChannelTruth(carry_over=0.35, half=105.0, strength=0.06), 40.0, 0.45, 0.004, 0.006),
    "email": (ChannelTruth(carry_over=0.3, half=20.0, strength=0.18), 15.0, 0.12, 0.026, 0.035),
    "video": (ChannelTruth(carry_over=0.7, half=185.0, strength=0.2), 75.0, 0.95, 0.006, 0.008),
    "affiliate": (ChannelTruth(carry_over=0.2, half=55.0, strength=0.1), 27.0, 0.55, 0.02, 0.03),
}
FLIGHT_NAMES = {
    "search": "Search: {department}",
    "social": "Feed stories: {department}",
    "display": "Banners: {department}",
    "email": "Newsletter: {department}",
    "video": "Short films: {department}",
    "affiliate": "Partner picks: {department}",
}


@dataclass(frozen=True)
class Media:
    """`effect` is the lift of log demand by (day, department); `rows` are the campaigns as the shop knows them."""

    effect: Floats
    truths: dict[str, ChannelTruth]
    rows: list[dict[str, Any]]


def plan(words: Words, days: int, first_day: date, season: Floats, size: float, rng: Generator) -> Media:
    """Book flights of one to six weeks per channel and department, more of them in season.

    Args:
        season: Factor by (day, department).
        size: Spend, and the spend at which response saturates, against the full shop's.
    """
    departments = len(words.departments)
    effect = np.zeros((days, departments))
    rows: list[dict[str, Any]] = []
    truths, flights = {}, 0
    for channel, (full, usual, *rates) in CHANNELS.items():
        truth = truths[channel] = full.model_copy(update={"half": full.half * size})
        spend = np.zeros((days, departments))
        for number in range(departments):
            for start, length in _flights(days, season[:, number], rng):
                flights += 1
                amount = size * usual * rng.lognormal(0, 0.5) * rng.lognormal(0, 0.18, length)
                spend[start : start + length, number] = np.round(amount, 2)
                name = FLIGHT_NAMES[channel].format(department=words.departments[number].name)
                head = {"id": f"CMP-{flights:04d}", "name": name, "channel": channel}
                head["category"] = words.departments[number].name
                rows += _rows(
                    head, first_day + timedelta(days=start), spend[start : start + length, number], rates, rng
                )
        effect += respond(spend, truth)
    return Media(effect, truths, rows)


def respond(spend: Floats, truth: ChannelTruth) -> Floats:
    """Lift of log demand from daily spend (days first): geometric carry-over, then saturation."""
    stocked = np.empty_like(spend)
    carried = np.zeros(spend.shape[1:])
    for day in range(len(spend)):
        carried = spend[day] + truth.carry_over * carried
        stocked[day] = carried
    return np.asarray(truth.strength * stocked / (stocked + truth.half))


def _flights(days: int, season: Floats, rng: Generator) -> list[tuple[int, int]]:
    flights, day = [], int(rng.integers(5, 60))
    while day < days - 7:
        length = min(int(rng.integers(1, 7)) * 7, days - day)
        flights.append((day, length))
        day += length + int(rng.integers(20, 130) / max(float(season[day]), 0.5))
    return flights


def _rows(head: dict[str, Any], start: date, spend: Floats, rates: list[float], rng: Generator) -> list[dict[str, Any]]:
    per_click, click_rate, order_rate = rates
    clicks = rng.poisson(spend / per_click)
    impressions = rng.poisson(np.maximum(spend / per_click, clicks) / click_rate)
    conversions = rng.binomial(clicks, order_rate)
    return [
        head
        | {
            "day": start + timedelta(days=i),
            "spend_cents": round(float(spend[i]) * 100),
            "impressions": int(impressions[i]),
            "clicks": int(clicks[i]),
            "conversions": int(conversions[i]),
        }
        for i in range(len(spend))
    ]
