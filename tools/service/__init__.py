"""Service: a shopper's own orders, and the changes she may ask for; each change waits for her own confirmation."""

from tools.service.desk import hand_over, identify_customer
from tools.service.orders import get_order, get_product, list_orders
from tools.service.requests import (
    cancel_order,
    change_address,
    change_items,
    change_payment,
    exchange_items,
    return_items,
)

__all__ = [
    "cancel_order",
    "change_address",
    "change_items",
    "change_payment",
    "exchange_items",
    "get_order",
    "get_product",
    "hand_over",
    "identify_customer",
    "list_orders",
    "return_items",
]
