"""From what a shopper says to her own items, variants and ways to pay: an id first, else words that fit only one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from shop.errors import ToolError
from shop.service.types import Account, Method, Order, Variant

_WORD = re.compile(r"[^\W_]+")


def choose_items(order: Order, said: Sequence[str]) -> list[str]:
    """SKUs of the items meant, one for each saying, by SKU or by words of the name."""
    by_sku = {item.sku: f"{item.name} {' '.join(item.options.values())}" for item in order.items}
    return [_one(each, by_sku, f"item of order {order.id}", "get_order lists its items") for each in said]


def choose_variants(types: Sequence[str], said: Sequence[str], variants: Mapping[str, Variant]) -> list[str]:
    """SKUs of the variants meant: by SKU, or by words of the options among the available ones of the item's type."""
    chosen = []
    for place, each in enumerate(said):
        type_id = types[place] if place < len(types) else ""
        texts = {
            sku: " ".join([one.name, *one.options, *one.options.values()])
            for sku, one in variants.items()
            if one.type_id == type_id and one.available
        }
        # A SKU that is no variant of it, or not available, is for the rule to refuse.
        known = each.strip() in variants or not texts
        chosen.append(each.strip() if known else _one(each, texts, "variant", "get_product lists the variants"))
    return chosen


def choose_method(account: Account, said: str) -> str:
    """Id of the own payment method meant, by id or by words such as `PayPal` or `card ending 9212`."""
    texts = {method.id: f"{method.id} {method_name(method)}" for method in account.methods}
    return _one(said, texts, "payment method in your account", f"yours are: {', '.join(texts) or 'none'}")


def method_name(method: Method) -> str:
    """A way to pay in words."""
    kind = {"credit_card": "credit card", "paypal": "PayPal", "gift_card": "gift card"}.get(method.kind, method.kind)
    brand = f"{method.brand} " if method.brand else ""
    return f"{brand}{kind}" + (f" ending {method.last_four}" if method.last_four else "")


def _one(said: str, texts: Mapping[str, str], what: str, hint: str) -> str:
    wanted = said.strip()
    if wanted in texts:
        return wanted
    words = set(_words(wanted))
    fitting = [key for key, text in texts.items() if words and words <= set(_words(text))]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise ToolError(f"“{wanted}” could be more than one {what}: {', '.join(fitting)}; say which by its id.")
    raise ToolError(f"There is no {what} “{wanted}”; {hint}.")


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
