"""When somebody needs a product again: times between purchases, each customer's own drawn towards everybody's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.recommend.histories import Array, Histories, Index

_LEAST_GAPS = 5  # of a product, before its own spread is believed
_Z80 = 1.2816
_PRIOR = 2.0  # gaps that a customer's own must outweigh


@dataclass(frozen=True)
class Need:
    """Usual days between purchases of every item that is bought again.

    Attributes:
        middle: Mean of the log gap by item, (items,); nan where it is hardly bought again.
        spread: Its standard deviation, (items,).
        again: Share of buyers who bought it again, (items,).
    """

    middle: Array
    spread: Array
    again: Array


@dataclass(frozen=True)
class Due:
    """What people may need again, likeliest first for each: one entry per row and item, all (k,).

    Attributes:
        row: Who.
        item: What.
        last: Day of the last purchase.
        gap: Middle of the days between purchases, with P10 and P90 in `low` and `high`.
        chance: Of buying it again in the days looked ahead.
    """

    row: Index
    item: Index
    last: Array
    gap: Array
    low: Array
    high: Array
    chance: Array


def gaps(log: Histories) -> tuple[Index, Index, Array, Array]:
    """Purchases by row, item and day, those of one day once: row, item, day, and days since the one before (or nan)."""
    day = np.floor(log.time)
    order = np.lexsort((day, log.item, log.row))
    row, item, day = log.row[order], log.item[order], day[order]
    same = (row[1:] == row[:-1]) & (item[1:] == item[:-1])
    first = np.concatenate([[True], ~(same & (day[1:] == day[:-1]))])[: len(row)]
    row, item, day = row[first], item[first], day[first]
    since = np.full(len(row), np.nan)
    same = (row[1:] == row[:-1]) & (item[1:] == item[:-1])
    since[1:][same] = (day[1:] - day[:-1])[same]
    return row, item, day, since


def learn_need(log: Histories) -> Need:
    """Log-normal gaps by item, drawn towards those of all items by how few there are (empirical Bayes)."""
    row, every, _, since = gaps(log)
    known = np.isfinite(since)
    logs, item = np.log(since[known]), every[known]
    count = np.bincount(item, minlength=log.items).astype(float)
    overall, wide = (float(logs.mean()), max(float(logs.std()), 0.2)) if len(logs) > 1 else (np.nan, 1.0)
    total = np.bincount(item, weights=logs, minlength=log.items)
    square = np.bincount(item, weights=logs**2, minlength=log.items)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / count
        variance = np.maximum(square / count - mean**2, 0.0)
        middle = (total + _LEAST_GAPS * overall) / (count + _LEAST_GAPS)
        spread = np.sqrt((count * np.nan_to_num(variance) + _LEAST_GAPS * wide**2) / (count + _LEAST_GAPS))
    middle[count < _LEAST_GAPS] = np.nan
    buyers = _pairs(row, every, log.items)
    twice = _pairs(row[known], item, log.items)
    again = np.divide(twice, buyers, out=np.zeros(log.items), where=buyers > 0)
    return Need(middle, spread, again)


def due(need: Need, asked: Histories, ahead: float = 28.0) -> Due:
    """What each row bought that it may need again within `ahead` days.

    The customer's own gaps count against the item's as `n` observations against a prior worth two (log-normal). The
    chance is that of buying again in that time, given that the gap has lasted until now: the share who buy again, of
    whom those whose gap ends then.

    Args:
        need: As learned.
        asked: Histories in days.
        ahead: Days looked ahead.
    """
    from scipy.special import ndtr

    row, item, day, since = gaps(asked)
    ends = np.flatnonzero(np.concatenate([(row[1:] != row[:-1]) | (item[1:] != item[:-1]), [True]])[: len(row)])
    group = np.searchsorted(ends, np.arange(len(row)))
    own = np.where(np.isfinite(since), np.log(np.where(np.isfinite(since), since, 1.0)), 0.0)
    total = np.bincount(group, weights=own, minlength=len(ends))
    count = np.bincount(group, weights=np.isfinite(since), minlength=len(ends))
    row, item, last = row[ends], item[ends], day[ends]
    middle, spread = (need.middle[item] * _PRIOR + total) / (_PRIOR + count), need.spread[item]
    waited = np.maximum(asked.now[row] - last, 0.5)
    # Whoever bought twice is known to buy again; for others it is the item's share.
    faithful = np.where(count > 0, np.maximum(need.again[item], 0.8), need.again[item])
    alive = ndtr((middle - np.log(waited)) / spread)
    later = ndtr((middle - np.log(waited + ahead)) / spread)
    chance = faithful * (alive - later) / np.maximum(faithful * alive + 1 - faithful, 1e-12)
    kept = np.flatnonzero(np.isfinite(middle))
    kept = kept[np.lexsort((item[kept], -chance[kept], row[kept]))]
    found = (last, np.exp(middle), np.exp(middle - _Z80 * spread), np.exp(middle + _Z80 * spread), chance)
    return Due(row[kept], item[kept], *(np.asarray(each[kept]) for each in found))


def _pairs(row: Index, item: Index, items: int) -> Index:
    """How many different rows each item stands with, (items,)."""
    return np.bincount(np.unique(row * items + item) % items, minlength=items)
