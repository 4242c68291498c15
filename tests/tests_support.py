"""Doubles that several tests share."""

from datetime import date

from shop import Shop


class FixedShop(Shop):
    """A shop that needs no database: the tool above reads none."""

    def __init__(self) -> None:
        self._today = date(2026, 11, 1)

    @property
    def cutoff(self) -> date:
        return date(2026, 10, 31)

    @property
    def currency(self) -> str:
        return "USD"
