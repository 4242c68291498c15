"""The way from the first look to the purchase, as an absorbing Markov chain: where visits drop off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import select

from shop import Shop
from shop import schema as t

Array = NDArray[np.float64]
STEPS = ("search", "view", "cart")
PURCHASE, LEFT = "purchase", "left"
_WEEKS = 8
_AFTER = timedelta(minutes=60)  # an order so soon after the last event of a visit belongs to it


@dataclass(frozen=True)
class Chain:
    """Visits as a chain whose ends are the purchase and leaving.

    Attributes:
        steps: Steps that were seen, k of them.
        moves: Chance of the next step, the purchase, or leaving, (k, k + 2).
        buys: Chance that a visit that stands at a step ends in a purchase, (k,).
        passes: Times that a visit passes a step on average, (k,).
        starts: Share of visits that begin at each step, (k,).
        visits: Visits behind it.
        bought: Those that ended in a purchase.
    """

    steps: tuple[str, ...]
    moves: Array
    buys: Array
    passes: Array
    starts: Array
    visits: int
    bought: int

    @property
    def drops(self) -> Array:
        """Chance to leave from each step at once, (k,)."""
        return self.moves[:, -1]


def absorbing_chain(visits: Sequence[tuple[Sequence[str], bool]]) -> Chain:
    """Maximum likelihood chain of visits: steps in order, and whether a purchase followed.

    With Q the moves between steps and R those to the ends, the fundamental matrix N = (I - Q)^-1 gives the passes, and
    N R the chance of each end (Kemeny and Snell, 1960).

    Raises:
        ValueError: There is no visit with a step.
    """
    real = [(list(steps), bought) for steps, bought in visits if steps]
    if not real:
        raise ValueError("there is no visit with a step")
    seen = {step for steps, _ in real for step in steps}
    names = (*(step for step in STEPS if step in seen), *sorted(seen - set(STEPS)))
    place = {name: i for i, name in enumerate(names)}
    k = len(names)
    counts, starts = np.zeros((k, k + 2)), np.zeros(k)
    for steps, bought in real:
        starts[place[steps[0]]] += 1
        for one, other in pairwise(steps):
            counts[place[one], place[other]] += 1
        counts[place[steps[-1]], k if bought else k + 1] += 1
    moves = counts / counts.sum(axis=1, keepdims=True)
    fundamental = np.linalg.inv(np.eye(k) - moves[:, :k])
    share = starts / starts.sum()
    return Chain(
        names, moves, (fundamental @ moves[:, k:])[:, 0], share @ fundamental, share, len(real), sum(b for _, b in real)
    )


def read_visits(shop: Shop) -> list[tuple[list[str], bool]]:
    """Visits of known customers over eight weeks: the steps, and whether an order came within the hour.

    Guests are left out: whether they bought is not known. Several looks in a row count as one step.
    """
    e, o = t.events, t.orders
    end = datetime.combine(shop.cutoff + timedelta(days=1), time())
    since = end - timedelta(weeks=_WEEKS)
    events = (
        select(e.c.session, e.c.customer_id, e.c.at, e.c.kind)
        .where(e.c.customer_id.is_not(None), e.c.session != "", e.c.at >= since, e.c.at < end)
        .order_by(e.c.session, e.c.at, e.c.id)
    )
    orders = select(o.c.customer_id, o.c.placed_at).where(
        o.c.customer_id.is_not(None), o.c.status != "cancelled", o.c.placed_at >= since, o.c.placed_at < end
    )
    with shop.engine.connect() as connection:
        seen = pd.DataFrame(connection.execute(events).all(), columns=["session", "customer", "at", "kind"])
        bought = pd.DataFrame(connection.execute(orders).all(), columns=["customer", "at"])
    if seen.empty:
        return []
    last = seen.groupby("session").agg(customer=("customer", "first"), at=("at", "max")).reset_index()
    last["at"], bought["placed"] = pd.to_datetime(last["at"]), pd.to_datetime(bought.pop("at"))
    joined = pd.merge_asof(
        last.sort_values("at"),
        bought.sort_values("placed"),
        left_on="at",
        right_on="placed",
        by="customer",
        direction="forward",
        tolerance=pd.Timedelta(_AFTER),
    )
    ended = set(joined.loc[joined["placed"].notna(), "session"])
    fresh = seen[(seen["kind"] != seen["kind"].shift()) | (seen["session"] != seen["session"].shift())]
    return [(steps, session in ended) for session, steps in fresh.groupby("session")["kind"].agg(list).items()]
