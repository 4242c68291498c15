"""What coupons did: customers who got one against those held out at random, and whom they move most."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import select

from shop import Shop
from shop import schema as t
from shop.learned import Codec
from tools.promotion.contribution import AFTER
from tools.standing import FEATURES, inside, standing

Array = NDArray[np.float64]
HELD = "coupon_holdout"  # attribute of a customer: ids of the coupons held back from them at random
SHARES = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
_LEAST_HELD = 100


@dataclass(frozen=True)
class CouponEvidence:
    """Per customer who got a coupon, from random hold-outs; figures are (estimate, standard error).

    Attributes:
        coupons: Coupons with a hold-out whose four weeks after are over.
        customers: Customers in them, held out ones included.
        held: Held out ones.
        depth: Middle depth of the coupons.
        bought: Change of the chance to buy in the category until four weeks after.
        contribution: Change of contribution in the category over the same time, discounts taken off.
        given: Discount per customer.
        by_share: Change of contribution when the best-ranked share gets it, by share of `SHARES`; cross-fitted.
        learner: The ranking used.
        certain: Standard errors by which it beats chance on customers left out.
    """

    coupons: int
    customers: int
    held: int
    depth: float
    bought: tuple[float, float]
    contribution: tuple[float, float]
    given: float
    by_share: tuple[tuple[float, float], ...]
    learner: str
    certain: float


def coupon_evidence(shop: Shop) -> CouponEvidence | None:
    """What past coupons tell; None where nobody was held out at random. Kept until the data change."""
    return shop.learned("coupons", lambda: _learn(shop), _CODEC)


def _learn(shop: Shop) -> CouponEvidence | None:
    rows = trials(shop)
    if rows.empty or (~rows["treated"]).sum() < _LEAST_HELD or rows["treated"].sum() < _LEAST_HELD:
        return None
    from tools.uplift.learners import LEARNERS, choose, cross_fit, pseudo_outcomes

    treated = rows["treated"].to_numpy(dtype=bool)
    money, bought = rows["contribution"].to_numpy(dtype=float), rows["bought"].to_numpy(dtype=float)
    features = rows[list(FEATURES)].to_numpy(dtype=float)
    scores, moved = cross_fit(features, treated, bought)
    choice = choose(scores, moved, LEARNERS)
    ranking = scores[choice.learner]
    pseudo = pseudo_outcomes(features, treated, money)
    order = np.argsort(-ranking, kind="stable")
    by_share = tuple(_mean(pseudo[order[: round(share * len(order))]]) for share in SHARES)
    return CouponEvidence(
        int(rows["promotion"].nunique()),
        len(rows),
        int((~treated).sum()),
        float(rows["depth"].median()),
        _difference(bought, treated),
        _difference(money, treated),
        float(rows.loc[treated, "given"].mean()),
        by_share,
        choice.learner,
        choice.certainty,
    )


def trials(shop: Shop) -> pd.DataFrame:
    """One row per customer and coupon: `promotion, customer, treated, depth, bought, contribution, given, FEATURES`.

    Features are as of the day before the coupon went out; outcomes run to four weeks after its end.
    """
    p, c, who = t.promotions, t.coupons, t.customers
    with shop.engine.connect() as connection:
        offers = connection.execute(select(p).where(p.c.mechanic == "coupon").order_by(p.c.starts)).mappings().all()
        gotten = connection.execute(select(c.c.promotion_id, c.c.customer_id)).all()
        people = connection.execute(select(who.c.id, who.c.joined_on, who.c.attributes)).all()
    sent = pd.DataFrame(gotten, columns=["promotion", "customer"])
    held = pd.DataFrame(
        [(each, row.id) for row in people for each in _listed(row.attributes)], columns=["promotion", "customer"]
    )
    joined = _days(pd.Series({row.id: row.joined_on for row in people}))
    lines = _lines(shop)
    found, before = [], pd.Series(0, index=joined.index)
    for offer in offers:
        got = sent.loc[sent["promotion"] == offer["id"], "customer"]
        kept = held.loc[held["promotion"] == offer["id"], "customer"]
        done = offer["ends"] + timedelta(weeks=AFTER) <= shop.cutoff
        if done and len(got) and len(kept):
            customers = pd.Index(pd.concat([got, kept]).unique())
            known = np.asarray(joined.reindex(customers), dtype=float)
            frame = standing(lines, customers, _day(offer["starts"]), offer["category"], known)
            frame["sent_before"] = before.reindex(customers).fillna(0).to_numpy()
            outcome = _outcome(lines, customers, offer["starts"], offer["ends"], offer["category"], offer["id"])
            found.append(
                frame.join(outcome).assign(
                    promotion=offer["id"], treated=customers.isin(got), depth=float(offer["depth"])
                )
            )
        before = before.add(got.value_counts(), fill_value=0)
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["treated"])


def _lines(shop: Shop) -> pd.DataFrame:
    lines, o, p = t.order_lines, t.orders, t.products
    query = (
        select(
            o.c.customer_id,
            o.c.placed_at,
            p.c.category,
            lines.c.units,
            lines.c.price_cents,
            lines.c.discount_cents,
            p.c.cost_cents,
            lines.c.promotion_id,
        )
        .join(o, o.c.id == lines.c.order_id)
        .join(p, p.c.sku == lines.c.sku)
        .where(o.c.customer_id.is_not(None), o.c.status != "cancelled")
    )
    columns = ["customer", "at", "category", "units", "price", "discount", "cost", "promotion"]
    with shop.engine.connect() as connection:
        frame = pd.DataFrame(connection.execute(query).all(), columns=columns)
    frame["day"] = _days(frame.pop("at"))
    frame = frame[frame["day"] <= _day(shop.cutoff)]
    money = frame["units"] * (frame["price"] - pd.to_numeric(frame["cost"]).fillna(frame["price"])) / 100
    return frame.assign(contribution=money.astype(float), paid=frame["units"] * frame["price"] / 100)


def _outcome(lines: pd.DataFrame, customers: Any, start: date, end: date, category: str, offer: str) -> pd.DataFrame:
    ahead = lines[(lines["day"] >= _day(start)) & (lines["day"] <= _day(end) + 7 * AFTER)]
    ahead = ahead[inside(ahead["category"], category)]
    groups = ahead.groupby("customer")
    used = ahead[ahead["promotion"] == offer]
    given = (used["units"] * used["discount"] / 100).groupby(used["customer"]).sum()
    return pd.DataFrame(
        {
            "bought": groups.size().reindex(customers).notna().astype(float),
            "contribution": groups["contribution"].sum().reindex(customers).fillna(0.0),
            "given": given.reindex(customers).fillna(0.0),
        },
        index=customers,
    )


def _days(times: pd.Series[Any]) -> pd.Series[Any]:
    """Days since 1970, nan where unknown."""
    return (pd.to_datetime(times) - pd.Timestamp(0)) // pd.Timedelta(days=1)


def _day(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _listed(attributes: Any) -> list[str]:
    held = attributes.get(HELD, []) if isinstance(attributes, dict) else []
    return [str(each) for each in held] if isinstance(held, list) else []


def _difference(outcome: Array, treated: NDArray[np.bool_]) -> tuple[float, float]:
    a, b = outcome[treated], outcome[~treated]
    return float(a.mean() - b.mean()), float(np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)))


def _mean(values: Array) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def _read(stored: Any) -> CouponEvidence | None:
    if stored is None:
        return None
    pairs = {name: tuple(stored[name]) for name in ("bought", "contribution")}
    return CouponEvidence(**{**stored, **pairs, "by_share": tuple(tuple(pair) for pair in stored["by_share"])})


_CODEC: Codec[CouponEvidence | None] = Codec(lambda value: None if value is None else asdict(value), _read)
