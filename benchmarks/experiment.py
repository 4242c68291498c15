"""Reads a randomised test (`experiment` of the benchmark layouts), or one of the published files known here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.layout import as_numbers, find_file, need_columns, read_table
from shop.errors import BadInput

Array = NDArray[np.float64]
_LEVELS = 30  # most values of a text column that get a column each
_MOST_RECENT = ("recency",)
_MOST = ("frequency", "history", "monetary", "orders", "past_spend")


@dataclass(frozen=True)
class Experiment:
    """A randomised test.

    Attributes:
        name: What reports call it.
        arms: Names of the treatments, without the control.
        arm: The arm drawn for each customer, 0 for the control, (n,).
        outcomes: By name, (n,) each; earlier ones lead to later ones.
        features: (n, k), numbers only.
        rfm: A score by recency, frequency and money, (n,); None where no such column is known.
        cost: Money per contact.
    """

    name: str
    arms: tuple[str, ...]
    arm: NDArray[np.int64]
    outcomes: dict[str, Array]
    features: Array
    rfm: Array | None
    cost: float


def read_experiment(folder: Path) -> Experiment:
    """The test in `folder`: `experiment` and `meta.json`, or the e-mail test as it was published.

    Raises:
        BadInput: A file or column is missing or holds something else; the sentence names it.
    """
    if not (folder / "meta.json").is_file():
        return _published(folder)
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInput(f"meta.json is not valid JSON ({error}); correct it.") from error
    file = find_file(folder, "experiment")
    if file is None:
        raise BadInput(f"{folder.name} has no experiment file; put experiment.csv or experiment.parquet there.")
    return make_experiment(folder.name, meta, read_table(file), file.name)


def make_experiment(name: str, meta: dict[str, Any], frame: pd.DataFrame, file: str) -> Experiment:
    """Put a checked frame and its settings together.

    Raises:
        BadInput: A column or setting is missing or holds something else.
    """
    outcomes = meta.get("outcomes")
    if not isinstance(outcomes, list) or not outcomes:
        raise BadInput('meta.json: "outcomes" must list the outcome columns, such as ["visit", "conversion"].')
    need_columns(frame, ("customer", "treatment", *outcomes), file)
    drawn = frame["treatment"].astype(str)
    control = str(meta.get("control", "0"))
    if control not in set(drawn):
        found = ", ".join(sorted(set(drawn))[:6])
        raise BadInput(f'{file}: column treatment has no {control!r}, the "control" of meta.json; it has {found}.')
    arms = tuple(sorted(set(drawn) - {control}))
    if not arms:
        raise BadInput(f"{file}: column treatment holds the control alone; a treated arm is expected.")
    numbers = {each: as_numbers(frame, each, file).fillna(0.0).to_numpy() for each in outcomes}
    known = frame.drop(columns=["customer", "treatment", *outcomes])
    codes = drawn.map({control: 0, **{arm: i for i, arm in enumerate(arms, start=1)}}).to_numpy(dtype=np.int64)
    cost = float(meta.get("cost_per_contact", 0.0))
    return Experiment(str(meta.get("name", name)), arms, codes, numbers, encode(known), rfm_score(known), cost)


def encode(frame: pd.DataFrame) -> Array:
    """Features as numbers: a text column with few values becomes one column each, another how common its value is."""
    text = [column for column in frame if not pd.api.types.is_numeric_dtype(frame[column])]
    few = [column for column in text if frame[column].nunique() <= _LEVELS]
    many = {column: frame[column].map(frame[column].value_counts()) for column in text if column not in few}
    return pd.get_dummies(frame.assign(**many), columns=few).to_numpy(dtype=float)


def rfm_score(frame: pd.DataFrame) -> Array | None:
    """Sum of ranks: bought lately, often, for much; None where no column is named like one of these."""
    columns = {str(column).lower(): column for column in frame}
    parts = [-_rank(frame[columns[name]]) for name in _MOST_RECENT if name in columns]
    parts += [_rank(frame[columns[name]]) for name in _MOST if name in columns]
    return np.sum(parts, axis=0) if parts else None


def _rank(values: pd.Series[float]) -> Array:
    return np.asarray(pd.to_numeric(values, errors="coerce").rank(pct=True), dtype=float)


def _published(folder: Path) -> Experiment:
    for file in sorted(folder.glob("*")):
        if file.name.endswith((".parquet", ".csv", ".csv.gz")):
            frame = read_table(file)
            if {"segment", "history_segment", "visit", "conversion", "spend"} <= set(frame):
                return hillstrom(folder.name, frame, file.name)
    raise BadInput(f"{folder.name} has no meta.json; it must say outcomes and control beside an experiment file.")


def hillstrom(name: str, frame: pd.DataFrame, file: str) -> Experiment:
    """The e-mail test of Hillstrom (2008): men's or women's merchandise against no e-mail."""
    meta = {"name": name, "outcomes": ["visit", "conversion", "spend"], "control": "No E-Mail", "cost_per_contact": 0.1}
    renamed = frame.rename(columns={"segment": "treatment"}).assign(customer=np.arange(len(frame)))
    return make_experiment(name, meta, renamed, file)


def subset(data: Experiment, rows: Sequence[int] | NDArray[np.int64]) -> Experiment:
    """The same test with some of its customers."""
    index = np.asarray(rows)
    return Experiment(
        data.name,
        data.arms,
        data.arm[index],
        {name: values[index] for name, values in data.outcomes.items()},
        data.features[index],
        None if data.rfm is None else data.rfm[index],
        data.cost,
    )
