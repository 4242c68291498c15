"""The level and curve of a planned launch, from the shop down to its analogues, with its predictive spread."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tools.launch.analogues import Likeness, category_similarity, choose, price_similarity, season_similarity
from tools.launch.cohort import Cohort, Subject
from tools.launch.curves import launch_totals, mean_curve, shares_of, shrink, took, variance_parts, within_slope
from tools.launch.season import launch_calendar, season_factors

Array = NDArray[np.float64]
TIERS = ("low", "middle", "high")
MIN_LAUNCHES = 3


@dataclass(frozen=True)
class Settings:
    """How launches are forecast.

    Attributes:
        basis: Weeks whose sum is the level of a launch.
        shape_trust: Units at which a launch's own curve counts as much as the usual one.
        curve_strength: Launches that the wider group's curve is worth.
        analogue_strength: Analogues that the groups' level is worth, the closest analogue counting as one.
        tier_launches: Launches a category needs to be split into price tiers.
        level_launches: Launches a category needs to be named as the source of the level.
        backtests: Past launches that the method is tried on, at most.
        backtest_history: Earlier launches that each of them needs.
        draws: Simulated launches.
    """

    basis: int = 12
    shape_trust: float = 30.0
    curve_strength: float = 10.0
    analogue_strength: float = 3.0
    tier_launches: int = 9
    level_launches: int = 5
    backtests: int = 40
    backtest_history: int = 20
    draws: int = 2000
    likeness: Likeness = field(default_factory=Likeness)


@dataclass(frozen=True)
class Level:
    """What past launches say about a planned one.

    Attributes:
        mean: Of log(1 + units) over the basis weeks, season taken out.
        sd: Predictive standard deviation of the same.
        curve: Share of the basis units by week (W,).
        season: Season factor by week (W,).
        shapes: Shares of every launch by week (L, W), for the spread between weeks.
        weights: Weight of every launch as a source of shapes (L,), summing to one.
        groups: Groups from the shop to the analogues, with the launches in each.
        choice: The analogues, see `analogues.choose`; `at` counts along `launches`.
        launches: The launches used (L rows of `Cohort.frame`) with `units`, their units over the basis weeks.
    """

    mean: float
    sd: float
    curve: Array
    season: Array
    shapes: Array
    weights: Array
    groups: tuple[tuple[str, float], ...]
    choice: pd.DataFrame
    launches: pd.DataFrame

    def units(self, basis: int) -> float:
        """Median units over the basis weeks in their season."""
        return float(np.expm1(self.mean) * (self.curve[:basis] * self.season[:basis]).sum())


def launch_level(
    cohort: Cohort,
    subject: Subject,
    text: Array,
    table: Array,
    names: tuple[str, ...],
    settings: Settings,
) -> Level:
    """The level and curve of `subject` from earlier launches.

    Log units are shrunk down the chain shop, category path, price tier, analogues (empirical Bayes: each group's mean
    is pulled to the wider group's by the ratio of variances within and between categories); curves likewise.

    Args:
        cohort: Launches as seen on the day of the forecast, see `Cohort.known_on`.
        subject: The planned product.
        text: Its text similarity to each launch (L,).
        table: Log season index, see `season.season_table`.
        names: Top categories of the table's rows.
        settings: How to forecast.

    Raises:
        ValueError: No launch with a usable total.
    """
    weeks = cohort.units.shape[1]
    basis = min(weeks, settings.basis)
    flat = cohort.units / season_factors(table, names, cohort.frame["category"], cohort.calendar)
    usual = mean_curve(flat, basis)
    totals = launch_totals(flat, usual, basis)
    usable = _usable(cohort, totals, basis)
    cohort, flat, totals, text = cohort.take(usable), flat[usable], totals[usable], text[usable]
    frame = cohort.frame.assign(units=launch_totals(cohort.units, usual, basis))
    level = _at_price(np.log1p(totals), frame, subject.price)

    choice = _analogues(frame, cohort.lost(basis), subject, text, basis, settings.likeness)
    labels, members = _groups(frame, subject, settings)
    near = np.zeros(len(frame))
    near[choice["at"]] = choice["weight"] / max(choice["weight"].max(), 1e-12)
    chain = np.vstack([members, near])
    within, strength = _strength(level, frame["category"])
    means, counts = shrink(level, chain, np.append(np.full(len(labels), strength), settings.analogue_strength))
    shapes = shares_of(flat, totals, usual, settings.shape_trust)
    curve = shrink(shapes, chain, np.full(len(chain), settings.curve_strength))[0][-1]
    groups = tuple(zip([*labels, "analogues"], counts.tolist(), strict=True))
    return Level(
        mean=float(means[-1]),
        sd=_spread(level, members[-1], means[-2], within, float(counts[-1] + strength)),
        curve=curve / curve[:basis].sum(),
        season=season_factors(table, names, [subject.category], _calendar(subject, weeks))[0],
        shapes=shapes,
        weights=_shape_weights(members[-1], near),
        groups=groups,
        choice=choice,
        launches=frame,
    )


def _calendar(subject: Subject, weeks: int) -> NDArray[np.int64]:
    return launch_calendar(pd.DatetimeIndex([subject.launched]), weeks)


def _usable(cohort: Cohort, totals: Array, basis: int) -> NDArray[np.bool_]:
    known = np.isfinite(totals)
    if not known.any():
        raise ValueError("no finished launch to learn from")
    carried = known & took(cohort.units, basis)
    return carried if carried.sum() >= MIN_LAUNCHES else known


def _analogues(
    frame: pd.DataFrame, lost: Array, subject: Subject, text: Array, basis: int, likeness: Likeness
) -> pd.DataFrame:
    prices = frame["price"].to_numpy(dtype=float)
    similarity = (
        likeness.text * text
        + likeness.category * category_similarity(subject.category, frame["category"])
        + likeness.price * price_similarity(subject.price, prices, likeness.price_scale)
        + likeness.season * season_similarity(subject.launched, frame["launched"], likeness.season_scale)
    )
    return choose(similarity, prices, lost, basis, subject.price, likeness)


def _groups(frame: pd.DataFrame, subject: Subject, settings: Settings) -> tuple[list[str], Array]:
    """The shop, each step of the category path, and the price tier within the deepest step that can be split."""
    labels = ["the whole shop"]
    members: list[Array] = [np.ones(len(frame))]
    path = subject.category.split(" > ") if subject.category else []
    for depth in range(1, len(path) + 1):
        name = " > ".join(path[:depth])
        inside = (frame["category"] == name) | frame["category"].str.startswith(name + " > ")
        labels.append(name)
        members.append(np.asarray(inside, dtype=float))
    prices = frame["price"].to_numpy(dtype=float)
    for depth in reversed(range(len(labels))):
        priced = (members[depth] > 0) & np.isfinite(prices)
        if subject.price is not None and priced.sum() >= settings.tier_launches:
            cuts = np.quantile(prices[priced], [1 / 3, 2 / 3])
            tier = int(np.searchsorted(cuts, subject.price))
            same = priced & (np.searchsorted(cuts, prices) == tier)
            labels.insert(depth + 1, f"{labels[depth]}, {TIERS[tier]} price tier")
            members.insert(depth + 1, same.astype(float))
            break
    return labels, np.vstack(members)


def _at_price(level: Array, frame: pd.DataFrame, price: float | None) -> Array:
    """Levels moved along the slope of level on price between products of a category, as if sold at `price`."""
    if price is None:
        return level
    distance = np.nan_to_num(np.log(frame["price"].to_numpy(dtype=float) / price)).clip(-1.5, 1.5)
    slope = within_slope(distance, level, frame["category"])
    # Dearer products of a category do not sell more: a positive slope is chance or a mix of kinds.
    return level - min(slope, 0.0) * distance


def _strength(level: Array, categories: pd.Series[str]) -> tuple[float, float]:
    codes, _ = pd.factorize(categories)
    within, between = variance_parts(level, codes.astype(np.int64))
    return within, float(np.clip(within / max(between, 1e-9), 1.0, 50.0))


def _spread(level: Array, member: Array, mean: float, within: float, known: float) -> float:
    # The group's own variance counts as much as it has launches; ten launches' worth comes from the shop.
    variance = ((member * (level - mean) ** 2).sum() + 10 * within) / (member.sum() + 10)
    return float(np.sqrt(max(variance, 1e-4) * (1 + 1 / known)))


def _shape_weights(member: Array, near: Array) -> Array:
    blend = near / max(near.sum(), 1e-12) + member / max(member.sum(), 1.0)
    blend = blend if blend.sum() else np.ones(len(near))
    return np.asarray(blend / blend.sum())
