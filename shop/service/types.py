"""An account and an order as the rules of service see them. Money is integer cents; nothing here touches a database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

MethodKind = Literal["credit_card", "paypal", "gift_card"]
RequestKind = Literal["cancel", "return", "exchange"]


@dataclass(frozen=True)
class Address:
    """Where something is sent; only street, city and postcode are never empty."""

    address1: str
    address2: str = ""
    city: str = ""
    state: str = ""
    country: str = ""
    zip: str = ""

    def one_line(self) -> str:
        """The address as a person writes it."""
        town = f"{self.state} {self.zip}".strip()
        return ", ".join(part for part in (self.address1, self.address2, self.city, town, self.country) if part)


@dataclass(frozen=True)
class Method:
    """A way to pay of one customer; only a gift card has a balance."""

    id: str
    kind: MethodKind
    brand: str = ""
    last_four: str = ""
    balance_cents: int | None = None


@dataclass(frozen=True)
class Variant:
    """One version of a product type, which is what a customer orders."""

    sku: str
    name: str
    type_id: str
    type_name: str
    price_cents: int | None
    available: bool
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Item:
    """One unit of an order; `line` is the stored line that it belongs to, which may hold more units of the same."""

    line: int
    sku: str
    name: str
    price_cents: int
    type_id: str = ""
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Payment:
    """Money taken for an order, or given back."""

    kind: Literal["payment", "refund"]
    cents: int
    method_id: str


@dataclass(frozen=True)
class Request:
    """What was asked for an order, once: it was cancelled, or is to come back."""

    kind: RequestKind
    reason: str = ""
    items: tuple[str, ...] = ()
    new_items: tuple[str, ...] = ()
    method_id: str = ""
    difference_cents: int | None = None


@dataclass(frozen=True)
class Order:
    """An order of one customer; `payments` in the order they were made."""

    id: str
    customer_id: str
    status: str
    items: tuple[Item, ...]
    payments: tuple[Payment, ...] = ()
    address: Address | None = None
    request: Request | None = None

    @property
    def total_cents(self) -> int:
        """What the items cost."""
        return sum(item.price_cents for item in self.items)

    @property
    def paid_cents(self) -> int:
        """What was paid and not given back."""
        return sum(p.cents if p.kind == "payment" else -p.cents for p in self.payments)

    def paid_by(self, method_id: str) -> int:
        """What one method paid and did not get back; below zero where another method's money went to it."""
        return sum((p.cents if p.kind == "payment" else -p.cents) for p in self.payments if p.method_id == method_id)


@dataclass(frozen=True)
class Account:
    """A customer: who it is, where parcels go, and how she pays."""

    id: str
    name: str
    address: Address | None = None
    methods: tuple[Method, ...] = ()

    def method(self, method_id: str) -> Method | None:
        """The method with this id, or None."""
        return next((method for method in self.methods if method.id == method_id), None)
