"""Reads a marketing mix (`mix` of the benchmark layouts) or one of the public sets, and draws known truths for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.layout import as_days, as_numbers, find_file, need_columns, read_table
from shop.errors import BadInput
from tools.advertising.response import adstock, calendar_columns, hill

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """The true response of one channel: `strength` times a saturation of the adstocked spend.

    `half` and `shape` are of a Hill curve; where `rate` is set the saturation is logistic, (1 - e^-rx) / (1 + e^-rx).
    """

    carry: float
    strength: float
    half: float = 1.0
    shape: float = 1.0
    rate: float | None = None

    def at(self, stock: Array) -> Array:
        """Extra target at a stock of spend (n,)."""
        if self.rate is None:
            return np.asarray(self.strength * hill(stock, self.half, self.shape))
        return np.asarray(self.strength * np.tanh(self.rate * stock / 2))


@dataclass(frozen=True)
class Mix:
    """A marketing mix.

    Attributes:
        name: What reports call it.
        days: First day of each period, (T,).
        target: (T,).
        spend: (T, C).
        channels: (C,).
        nuisance: Intercept, trend, season and controls, (T, q).
        truth: The curves behind the target; None where nobody knows them.
    """

    name: str
    days: NDArray[np.datetime64]
    target: Array
    spend: Array
    channels: tuple[str, ...]
    nuisance: Array
    truth: tuple[Curve, ...] | None


def read_mixes(folder: Path) -> list[Mix]:
    """The sets in `folder`: one in the layout, or the public files known here.

    Raises:
        BadInput: A file, column or setting is missing or holds something else.
    """
    if not (folder / "meta.json").is_file():
        found = [
            make_mix(meta["name"], meta, frame, file.name)
            for pattern, convert in PUBLISHED.items()
            for file in sorted(folder.glob(pattern))
            for meta, frame in [convert(read_table(file))]
        ]
        if not found:
            raise BadInput(f"{folder.name} has no meta.json; it must name target and channels beside a mix file.")
        return found
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInput(f"meta.json is not valid JSON ({error}); correct it.") from error
    file = find_file(folder, "mix")
    if file is None:
        raise BadInput(f"{folder.name} has no mix file; put mix.csv, mix.csv.gz or mix.parquet there.")
    return [make_mix(folder.name, meta, read_table(file), file.name)]


def make_mix(name: str, meta: dict[str, Any], frame: pd.DataFrame, file: str) -> Mix:
    """Put a checked frame and its settings together; rows of one day (regions) are added up.

    Raises:
        BadInput: A column or setting is missing or holds something else.
    """
    target, channels, controls = meta.get("target", "target"), meta.get("channels"), meta.get("controls", [])
    if not isinstance(channels, list) or not channels:
        raise BadInput('meta.json: "channels" must list the spend columns.')
    need_columns(frame, ("date", target, *channels, *controls), file)
    numbers = {each: as_numbers(frame, each, file).fillna(0.0) for each in (target, *channels)}
    text = [each for each in controls if not pd.api.types.is_numeric_dtype(frame[each])]
    extra = pd.get_dummies(frame[controls], columns=text, dtype=float) if controls else pd.DataFrame(index=frame.index)
    frame = pd.DataFrame(numbers).assign(date=as_days(frame, "date", file))
    if (frame[channels] < 0).any(axis=None):
        raise BadInput(f"{file}: a spend column is negative; money spent on a channel is expected.")
    by_day = frame.groupby("date").sum()
    days = by_day.index.to_numpy()
    known = extra.groupby(frame["date"].to_numpy()).mean().fillna(0.0).to_numpy(dtype=float)
    # A control that hardly varies says nothing, and as many controls as periods say everything.
    known = known[:, known.std(axis=0) > 1e-9]
    nuisance = np.column_stack([calendar_columns(days), known])
    return Mix(
        str(meta.get("name", name)),
        days,
        by_day[target].to_numpy(dtype=float),
        by_day[channels].to_numpy(dtype=float),
        tuple(map(str, channels)),
        nuisance,
        _truth(meta.get("truth"), channels),
    )


def _truth(truth: Any, channels: list[str]) -> tuple[Curve, ...] | None:
    """Curves from `{channel: {"carry_over", "strength", "half", "shape"}}`, or with `rate`; None where it is not so."""
    if not isinstance(truth, dict) or not all(isinstance(truth.get(each), dict) for each in channels):
        return None
    names = {"carry_over": "carry", "strength": "strength", "half": "half", "shape": "shape", "rate": "rate"}
    parts = [{names[key]: float(value) for key, value in truth[each].items() if key in names} for each in channels]
    return tuple(Curve(**part) for part in parts) if all({"carry", "strength"} <= set(part) for part in parts) else None


def true_effect(truth: tuple[Curve, ...], spend: Array) -> Array:
    """Extra target of every period (T,) that a history of spend (T, C) brought."""
    return np.sum([curve.at(adstock(spend[:, c], curve.carry)) for c, curve in enumerate(truth)], axis=0)


def true_value(truth: tuple[Curve, ...], plan: Array) -> float:
    """Extra target per period that spend `plan` (C,), held, brings."""
    return float(sum(curve.at(np.array([money]))[0] for curve, money in zip(truth, plan, strict=True)))


def drawn_truth(mix: Mix, rng: np.random.Generator) -> tuple[Curve, ...]:
    """Random curves for the channels of a set: returns a factor of two apart, half of a form the fit does not know.

    Together the channels bring 10 to 35 % of the target; half of the curves are logistic, half Hill.
    """
    share = rng.uniform(0.1, 0.35) * mix.target.mean()
    weight = mix.spend.mean(axis=0) * rng.lognormal(0, 0.6, len(mix.channels))
    curves = []
    for c, part in enumerate(weight / weight.sum() * share):
        spend = mix.spend[:, c]
        usual = float(spend[spend > 0].mean()) if (spend > 0).any() else 1.0
        point, carry = usual * rng.lognormal(0.2, 0.5), float(rng.uniform(0.0, 0.7))
        form = {"rate": 2.2 / point} if rng.random() < 0.5 else {"half": point, "shape": float(rng.uniform(0.8, 1.6))}
        unit = Curve(carry, 1.0, **form)
        brought = float(unit.at(adstock(spend, carry)).mean())
        curves.append(Curve(carry, part / max(brought, 1e-12), **form))
    return tuple(curves)


def _robyn(frame: pd.DataFrame) -> tuple[dict[str, Any], pd.DataFrame]:
    channels = ["tv_S", "ooh_S", "print_S", "facebook_S", "search_S"]
    meta = {"name": "Robyn", "target": "revenue", "channels": channels}
    meta |= {"controls": ["competitor_sales_B", "events", "newsletter"]}
    return meta, frame.rename(columns={"DATE": "date"})


def _meridian(frame: pd.DataFrame) -> tuple[dict[str, Any], pd.DataFrame]:
    channels = [column for column in frame if column.endswith("_spend")]
    controls = [column for column in frame if column.endswith("_control") or column in ("Promo",)]
    controls += [column for column in frame if column.startswith("Organic")]
    name = "Meridian, regions" if "geo" in frame else "Meridian, national"
    meta = {"name": name, "target": "revenue", "channels": channels, "controls": controls}
    money = frame["conversions"] * frame["revenue_per_conversion"]
    return meta, frame.rename(columns={"time": "date"}).assign(revenue=money)


def _pymc(frame: pd.DataFrame) -> tuple[dict[str, Any], pd.DataFrame]:
    # The parameters its authors simulated it with; the file itself bears them out by least squares.
    truth = {
        "x1": {"carry_over": 0.4, "strength": 3000.0, "rate": 4.0},
        "x2": {"carry_over": 0.2, "strength": 2000.0, "rate": 3.0},
    }
    meta = {"name": "PyMC", "target": "y", "channels": ["x1", "x2"], "controls": ["event_1", "event_2"], "truth": truth}
    return meta, frame.rename(columns={"date_week": "date"})


PUBLISHED: dict[str, Callable[[pd.DataFrame], tuple[dict[str, Any], pd.DataFrame]]] = {
    "dt_simulated_weekly.csv*": _robyn,
    "geo_media.csv*": _meridian,
    "national_all_channels.csv*": _meridian,
    "mmm_example.csv*": _pymc,
}
