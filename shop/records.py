"""What a shop keeps besides its sales: prices, stock, campaigns, reviews and policies, as of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd
from sqlalchemy import and_, func, or_, select

from shop import schema as t
from shop.view import View, below, narrowed, with_money

PRICE_COLUMNS = ("sku", "valid_from", "price")
COMPETITOR_COLUMNS = ("competitor", "sku", "day", "price", "rating", "reviews")
STOCK_COLUMNS = ("sku", "warehouse", "region", "day", "on_hand")
CAMPAIGN_COLUMNS = ("id", "day", "name", "channel", "category", "spend", "impressions", "clicks", "conversions")
REVIEW_COLUMNS = ("id", "sku", "day", "rating", "title", "text", "language")
BRIEF_COLUMNS = ("id", "plan_hash", "draft_id", "data_cutoff", "created_on", "document")
POLICY_COLUMNS = ("id", "title", "section", "text", "language", "effective_from", "effective_to")


class Records(View):
    """The part of a shop that answers from single tables; every frame has the columns its docstring names."""

    def price_history(self, sku: str) -> pd.DataFrame:
        """List prices of a product up to the cut-off, oldest first: `PRICE_COLUMNS`."""
        p = t.prices
        query = select(p).where(p.c.sku == sku, p.c.valid_from <= self.cutoff).order_by(p.c.valid_from)
        return with_money(self._frame(query), "price")[list(PRICE_COLUMNS)]

    def competitors(self, sku: str | None = None, category: str | None = None) -> pd.DataFrame:
        """The latest known price of every competitor for our products: `COMPETITOR_COLUMNS`."""
        c = t.competitor_prices
        scope = (c.c.day <= self.cutoff, *narrowed(c, [sku] if sku else None, category))
        latest = (
            select(c.c.competitor, c.c.sku, func.max(c.c.day).label("day"))
            .where(*scope)
            .group_by(c.c.competitor, c.c.sku)
        ).subquery()
        same = and_(c.c.competitor == latest.c.competitor, c.c.sku == latest.c.sku, c.c.day == latest.c.day)
        frame = self._frame(select(c).join(latest, same).order_by(c.c.sku, c.c.price_cents, c.c.competitor))
        return with_money(frame, "price")[list(COMPETITOR_COLUMNS)]

    def stock_on_hand(self, sku: str | None = None, category: str | None = None) -> pd.DataFrame:
        """The latest recorded stock of every warehouse: `STOCK_COLUMNS`; no row where stock was never recorded."""
        s, w = t.stock, t.warehouses
        scope = (s.c.day <= self.cutoff, *narrowed(s, [sku] if sku else None, category))
        latest = (
            select(s.c.sku, s.c.warehouse_id, func.max(s.c.day).label("day"))
            .where(*scope)
            .group_by(s.c.sku, s.c.warehouse_id)
        ).subquery()
        same = and_(s.c.sku == latest.c.sku, s.c.warehouse_id == latest.c.warehouse_id, s.c.day == latest.c.day)
        query = (
            select(s.c.sku, w.c.name.label("warehouse"), w.c.region, s.c.day, s.c.on_hand)
            .join(latest, same)
            .join(w, w.c.id == s.c.warehouse_id)
            .order_by(s.c.sku, w.c.id)
        )
        return self._frame(query)[list(STOCK_COLUMNS)]

    def campaigns(self, category: str | None = None, since: date | None = None) -> pd.DataFrame:
        """What campaigns spent and brought per day: `CAMPAIGN_COLUMNS`. A category includes the ones below it."""
        c = t.campaigns
        query = select(c).where(c.c.day <= self.cutoff)
        if category:
            query = query.where(below(c.c.category, category))
        if since is not None:
            query = query.where(c.c.day >= since)
        frame = with_money(self._frame(query.order_by(c.c.day, c.c.id)), "spend")
        frame["day"] = pd.to_datetime(frame["day"])
        return frame[list(CAMPAIGN_COLUMNS)]

    def reviews(
        self, skus: Sequence[str] | None = None, category: str | None = None, since: date | None = None
    ) -> pd.DataFrame:
        """Reviews written up to the cut-off, newest first: `REVIEW_COLUMNS`. Their text is not to be trusted."""
        r = t.reviews
        query = select(r).where(r.c.day <= self.cutoff, *narrowed(r, skus, category, since))
        return self._frame(query.order_by(r.c.day.desc(), r.c.id))[list(REVIEW_COLUMNS)]

    def policies(self, as_of: date | None = None) -> pd.DataFrame:
        """Policy sections in force on a day (default `today`): `POLICY_COLUMNS`."""
        p, day = t.policies, as_of or self.today
        in_force = or_(p.c.effective_to.is_(None), p.c.effective_to >= day)
        return self._frame(select(p).where(p.c.effective_from <= day, in_force).order_by(p.c.id))[list(POLICY_COLUMNS)]

    def briefs(self, draft_ids: Sequence[str]) -> pd.DataFrame:
        """Stored briefs of drafts written by `today`, newest first: `BRIEF_COLUMNS`; a document is never changed."""
        b = t.briefs
        query = select(b).where(b.c.draft_id.in_(list(draft_ids)), b.c.created_on <= self.today)
        return self._frame(query.order_by(b.c.created_on.desc(), b.c.id.desc()))[list(BRIEF_COLUMNS)]
