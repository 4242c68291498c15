"""The elasticities of a shop, fitted once per state of its data."""

from __future__ import annotations

import numpy as np
import pandas as pd

from shop import Shop
from shop.learned import Codec
from tools.elasticity.cross import cross_price
from tools.elasticity.estimate import Elasticities, Elasticity, as_plain, from_plain, tier_of
from tools.elasticity.fit import fit_elasticities
from tools.elasticity.observations import Observations
from tools.elasticity.offers import weekly_offers
from tools.elasticity.orthogonal import second_opinion
from tools.elasticity.substitutes import nearest

_TIERED = 9  # products that a category needs to be parted into price tiers
CODEC: Codec[Elasticities | None] = Codec(
    write=lambda found: None if found is None else as_plain(found),
    read=lambda plain: None if plain is None else from_plain(plain),
)


def estimate_elasticity(
    shop: Shop, category: str, price: float | None = None, sku: str | None = None
) -> Elasticity | None:
    """The elasticity of a category, of its price tier, or of a product; None where no price ever moved."""
    found = shop_elasticities(shop)
    return None if found is None else found.of(category, price, sku)


def shop_elasticities(shop: Shop) -> Elasticities | None:
    """All elasticities of the shop, learned when first asked for; None where its prices never moved."""
    return shop.learned("elasticities", lambda: _learn(shop), CODEC)


def _learn(shop: Shop) -> Elasticities | None:
    frame = weekly_offers(shop)
    if frame["sku"].nunique() < 3:
        return None
    data, skus, cuts = observations(frame)
    try:
        fitted = fit_elasticities(data)
    except ValueError:  # nothing sold, or no price ever moved
        return None
    return Elasticities(
        groups=fitted.groups,
        products=dict(zip(skus, fitted.products, strict=True)),
        cuts=cuts,
        controls={name: effect[0] for name, effect in fitted.controls.items()},
        second=second_opinion(data, fitted),
        cross=cross_price(data, fitted, nearest(shop, skus)),
    )


def observations(frame: pd.DataFrame) -> tuple[Observations, list[str], dict[str, tuple[float, float]]]:
    """Rows of `weekly_offers` as numbered arrays, the SKUs in that numbering, and the price cuts of categories."""
    frame = frame.sort_values(["sku", "week"], kind="stable")
    product, skus = pd.factorize(frame["sku"])
    usual = frame.groupby("sku", sort=False)["price"].median()
    category = frame.groupby("sku", sort=False)["category"].first()
    cuts = _cuts(usual, category)
    chains = [_chain(category[sku], float(usual[sku]), cuts) for sku in skus]
    tops = pd.factorize(frame["category"].str.split(" > ").str[0])[0]
    names = ("promotion", "after_promotion", "rivals")
    controls = frame[list(names)].to_numpy(dtype=float)
    moving = controls.std(axis=0) > 1e-9
    return (
        Observations(
            product=product.astype(np.int64),
            series=product.astype(np.int64),
            period=frame["week"].to_numpy(dtype=np.int64),
            market=tops.astype(np.int64),
            units=frame["units"].to_numpy(dtype=float),
            price=frame["price"].to_numpy(dtype=float),
            controls=controls[:, moving],
            names=tuple(name for name, moves in zip(names, moving, strict=True) if moves),
            chains=chains,
            exposure=frame["exposure"].to_numpy(dtype=float),
        ),
        list(skus),
        cuts,
    )


def _cuts(usual: pd.Series[float], category: pd.Series[str]) -> dict[str, tuple[float, float]]:
    found = {}
    for name, prices in usual.groupby(category.reindex(usual.index)):
        if name and len(prices) >= _TIERED:
            low, high = np.quantile(prices, [1 / 3, 2 / 3])
            found[str(name)] = (float(low), float(high))
    return found


def _chain(category: str, price: float, cuts: dict[str, tuple[float, float]]) -> tuple[str, ...]:
    path = category.split(" > ") if category else []
    names = ["", *(" > ".join(path[:depth]) for depth in range(1, len(path) + 1))]
    if category in cuts:
        names.append(f"{category} | {tier_of(price, cuts[category])}")
    return tuple(names)
