"""Where the stock should lie: requirements of each warehouse from its regions' share of demand (DRP)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shop import Product, Shop, Table
from tools.figures import Sheet, evidence
from tools.inventory.demand import WeeklyDemand
from tools.inventory.drp import distribute
from tools.inventory.plan import Needs, Plan
from tools.market.regions import region_revenue

Array = NDArray[np.float64]
_WEEKS = 26  # of orders that tell where demand is


def warehouse_table(
    shop: Shop, sheet: Sheet, item: Product, demand: WeeklyDemand, needs: Needs, plan: Plan
) -> Table | None:
    """What each warehouse holds and needs over the cover; None with fewer than two that have been counted."""
    counted = shop.stock_on_hand(sku=item.sku)
    if len(counted) < 2:
        return None
    shares = demand_shares(counted["region"], region_revenue(shop, item.category, _WEEKS))
    weekly = np.median(demand.draws, axis=0)[: needs.cover]
    on_hand = counted["on_hand"].to_numpy(dtype=float)
    lead = np.full(len(counted), needs.lead)
    safety = np.maximum(plan.safety, 0.0) * shares
    made = distribute(np.outer(shares, weekly), on_hand, np.zeros((len(counted), needs.cover)), safety, lead)
    rows, cells = evidence(shop, "stock", {"sku": (item.sku,)}), []
    for number, row in enumerate(counted.to_dict("records")):
        stem = f"buy.warehouse_{number + 1}"
        cells.append(
            (
                sheet.add(f"{stem}_name", "Warehouse", str(row["warehouse"]), "text", "from the stock records"),
                sheet.add(f"{stem}_on_hand", "On hand", on_hand[number], "units", "latest stock count", rows=rows),
                sheet.add(
                    f"{stem}_share",
                    "Share of demand",
                    shares[number],
                    "share",
                    "revenue of the category from its region in the last half year; regions without a warehouse evenly",
                ),
                sheet.add(
                    f"{stem}_need",
                    "Net requirement over the cover",
                    made.receipts[number].sum(),
                    "units",
                    "P50 demand of its share and safety stock, less what is on hand, from the lead time on (DRP)",
                ),
            )
        )
    return Table(
        title="Need by warehouse", columns=("Warehouse", "On hand", "Share of demand", "Need"), rows=tuple(cells)
    )


def demand_shares(regions: pd.Series[str], revenue: pd.DataFrame) -> Array:
    """Share of demand of each warehouse (W,), summing to one.

    Args:
        regions: Of the warehouses.
        revenue: `region, now`. A region with several warehouses is shared evenly by them, one with none by all.
    """
    by_region = revenue.groupby("region")["now"].sum()
    own = regions.map(by_region).fillna(0.0).to_numpy(dtype=float) / regions.map(regions.value_counts()).to_numpy()
    rest = float(by_region.sum() - own.sum())
    total = own + rest / len(regions)
    return np.asarray(total / total.sum() if total.sum() > 0 else np.full(len(regions), 1 / len(regions)))
