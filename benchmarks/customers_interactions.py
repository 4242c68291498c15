"""Reads interactions of users with items in the documented layout, or one of the published sets known here."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from benchmarks.layout import as_numbers, find_file, need_columns, read_table
from shop.errors import BadInput
from tools.recommend.histories import Array, Histories, Index, histories
from tools.recommend.split import Trial, by_session, by_time, leave_last_out, unfolded

Protocol = Literal["sessions", "leave_last_out", "split_date"]
_DAY = 86400.0


@dataclass(frozen=True)
class Interactions:
    """One data set: the trial it is tested on, how to cut its past the same way, and texts of its items."""

    name: str
    protocol: Protocol
    trial: Trial
    split: Callable[[Histories], Trial]
    texts: tuple[str, ...] = ()


def holds_interactions(folder: Path) -> bool:
    """Whether the folder is for recommendation at all."""
    published = any(next(iter(folder.glob(pattern)), None) for pattern in (*_PUBLISHED, "train_sessions.txt.gz"))
    return published if not (folder / "meta.json").is_file() else find_file(folder, "interactions") is not None


def read_interactions(folder: Path) -> Interactions:
    """The data set in `folder`: `interactions` and `meta.json`, or one of the published sets known here.

    Raises:
        BadInput: A file, column or setting is missing or holds something else.
    """
    if not (folder / "meta.json").is_file():
        if (folder / "train_sessions.txt.gz").is_file():
            return diginetica(folder)
        for pattern, convert in _PUBLISHED.items():
            if path := next(iter(sorted(folder.glob(pattern))), None):
                return convert(folder, path)
        raise BadInput(f"{folder.name} has no meta.json; it must say the protocol beside an interactions file.")
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInput(f"meta.json is not valid JSON ({error}); correct it.") from error
    file = find_file(folder, "interactions")
    if file is None:
        raise BadInput(f"{folder.name} has no interactions file; put interactions.csv or .parquet there.")
    return make_interactions(folder.name, meta, read_table(file), file.name, _texts(folder))


def make_interactions(
    name: str, meta: dict[str, Any], frame: pd.DataFrame, file: str, texts: dict[str, str] | None = None
) -> Interactions:
    """Put a checked frame and its settings together.

    Raises:
        BadInput: A column or setting is missing or holds something else.
    """
    need_columns(frame, ("user", "item", "order"), file)
    if frame.empty:
        raise BadInput(f"{file} has no rows; at least one interaction is expected.")
    protocol = meta.get("protocol")
    if protocol not in get_args(Protocol):
        known = ", ".join(f'"{each}"' for each in get_args(Protocol))
        raise BadInput(f'meta.json: "protocol" must be one of {known}, not {protocol!r}.')
    moment = _moments(frame, file)
    user = pd.factorize(frame["user"].astype(str))[0].astype(np.int64)
    item, names = pd.factorize(frame["item"].astype(str), sort=True)
    log = histories(user, item.astype(np.int64), moment, len(names))
    share = float(meta.get("test_share", 0.1))
    if not 0 < share < 1:
        raise BadInput(f'meta.json: "test_share" must lie between 0 and 1, not {share!r}.')
    told = tuple((texts or {}).get(str(each), "") for each in names)
    trial, split = _cut(protocol, meta, log, user, share, frame, file)
    return Interactions(str(meta.get("name", name)), protocol, trial, split, told if any(told) else ())


def _cut(
    protocol: Protocol, meta: dict[str, Any], log: Histories, user: Index, share: float, frame: pd.DataFrame, file: str
) -> tuple[Trial, Callable[[Histories], Trial]]:
    """The trial of a protocol, and how the training part is cut the same way."""
    if protocol == "leave_last_out":
        return leave_last_out(log), leave_last_out
    if protocol == "sessions":
        tested = np.unique(user[round(len(user) * (1 - share)) :])
        return by_session(log, tested), lambda past: last_sessions(past, share / 2)
    split = _split_moment(meta, frame, file)
    if not log.time.min() < split <= log.time.max():
        raise BadInput(f'meta.json: "split_date" must lie inside the interactions of {file}; change it.')
    return by_time(log, split), lambda past: last_stretch(past, float(log.time.max()) - split)


def last_sessions(past: Histories, share: float) -> Trial:
    """The sessions that ended last, as many as hold this share of the interactions, from the earlier ones."""
    order = np.lexsort((np.arange(past.rows), past.now))[::-1]
    count = int(np.searchsorted(np.cumsum(past.lengths[order]), share * len(past.row))) + 1
    return by_session(past, np.sort(order[: max(count, min(50, past.rows // 2))]))


def last_stretch(past: Histories, length: float) -> Trial:
    """The last stretch of the log from what came before, no longer than a third of it."""
    last = float(past.time.max())
    return by_time(past, last - min(length, float(np.ptp(past.time)) / 3))


def _moments(frame: pd.DataFrame, file: str) -> Array:
    """Column `order` as numbers, or as days where it holds times."""
    values = frame["order"]
    if not pd.api.types.is_datetime64_any_dtype(values):
        numbers = pd.to_numeric(values, errors="coerce")
        if numbers.notna().all():
            return numbers.to_numpy(dtype=float)
    times = pd.to_datetime(values, errors="coerce", utc=True, format="mixed")
    if times.isna().all():
        as_numbers(frame, "order", file)
    if times.isna().any():
        line = int(times.isna().to_numpy().argmax()) + 2
        raise BadInput(f"{file}, line {line}: column order has {values.iloc[line - 2]!r}; a time is expected.")
    return _days(times)


def _days(times: pd.Series[pd.Timestamp]) -> Array:
    return np.asarray(times.dt.tz_localize(None).astype("datetime64[s]").astype("int64") / _DAY, dtype=float)


def _split_moment(meta: dict[str, Any], frame: pd.DataFrame, file: str) -> float:
    said = meta.get("split_date")
    if isinstance(said, int | float) and not isinstance(said, bool):
        return float(said)
    day = pd.to_datetime(str(said), errors="coerce")
    if pd.isna(day):
        raise BadInput(f'meta.json: "split_date" must be a day such as 2024-07-01, not {said!r}.')
    return float(pd.Timestamp(day).timestamp() / _DAY)


def _texts(folder: Path) -> dict[str, str]:
    """Texts of the items from `products` or `items`, where there is one."""
    file = find_file(folder, "products") or find_file(folder, "items")
    if file is None:
        return {}
    frame = read_table(file)
    key = next((name for name in ("item", "product") if name in frame), None)
    if key is None:
        raise BadInput(f"{file.name}: column item is missing; it names the items of the interactions.")
    words = frame.drop(columns=key).select_dtypes(include=["object", "string"]).fillna("").astype(str)
    return dict(zip(frame[key].astype(str), words.agg(" ".join, axis=1), strict=True))


# -- the published sets -----------------------------------------------------------------------------------------------


def diginetica(folder: Path) -> Interactions:
    """Sessions of item ids in time order, and test beginnings with the item that came next."""
    train = _id_lines(folder / "train_sessions.txt.gz")
    tested = _id_lines(folder / "test_prefix_target.txt.gz")
    # Each session stands there as all its beginnings, the longest first.
    whole = [one for one, before in zip(tested, [[], *tested], strict=False) if one != before[: len(one)]]
    names = np.unique(np.concatenate([np.concatenate(train), np.concatenate(whole)]))
    past, sessions = (_sequences(each, names, start) for each, start in ((train, 0), (whole, len(train))))
    return Interactions(
        "Diginetica sessions", "sessions", unfolded(past, sessions), lambda log: last_sessions(log, 0.05)
    )


def _id_lines(path: Path) -> list[list[int]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [[int(each) for each in line.split()] for line in lines]


def _sequences(sessions: list[list[int]], names: Any, start: int) -> Histories:
    row = np.repeat(np.arange(len(sessions)), [len(each) for each in sessions])
    item = np.searchsorted(names, np.concatenate(sessions))
    # The file has no times: sessions follow one another.
    return histories(row, item, (start + row).astype(float), len(names))


def online_retail(folder: Path, path: Path) -> Interactions:
    """What customers of a gift shop bought in the last ten weeks, from what they bought before; real articles only."""
    lines = read_table(path)
    code = lines["StockCode"].astype(str).str.upper().str.strip()
    real = code.str.match(r"\d{5}") & (lines["Quantity"] > 0) & (lines["UnitPrice"] > 0) & lines["CustomerID"].notna()
    lines = lines.assign(item=code, user=lines["CustomerID"].astype(str))
    lines = lines[real & ~lines["InvoiceNo"].astype(str).str.startswith("C")]
    frame = lines[["user", "item"]].assign(order=lines["InvoiceDate"].dt.normalize())
    texts = lines.dropna(subset=["Description"]).groupby("item")["Description"].first().to_dict()
    meta = {"name": "Online Retail II", "protocol": "split_date", "split_date": "2010-10-01"}
    return make_interactions(folder.name, meta, frame.drop_duplicates(), path.name, texts)


def complete_journey(folder: Path, path: Path) -> Interactions:
    """What households bought in the last quarter of the year, from what they bought before."""
    lines = read_table(path)
    frame = pd.DataFrame(
        {
            "user": lines["household_id"],
            "item": lines["product_id"].astype(str),
            "order": pd.to_datetime(lines["transaction_timestamp"]),
        }
    )
    products = find_file(folder, "products")
    texts: dict[str, str] = {}
    if products is not None:
        about = read_table(products)
        words = about.drop(columns="product_id").select_dtypes(include=["object", "string"]).fillna("").astype(str)
        texts = dict(zip(about["product_id"].astype(str), words.agg(" ".join, axis=1), strict=True))
    meta = {"name": "Complete Journey", "protocol": "split_date", "split_date": "2017-10-01"}
    return make_interactions(folder.name, meta, frame, path.name, texts)


_PUBLISHED: dict[str, Callable[[Path, Path], Interactions]] = {
    "transactions_2009-12_2010-12.parquet": online_retail,
    "transactions_sample.parquet": complete_journey,
}
