"""What the business knows: types, tables, store, importers, demo shop, errors."""

from shop.errors import BadInput, ToolError
from shop.store import Shop
from shop.types import Actor, Chart, Draft, Figure, Passage, PendingAction, Product, Rows, Table, ToolResult

__all__ = [
    "Actor",
    "BadInput",
    "Chart",
    "Draft",
    "Figure",
    "Passage",
    "PendingAction",
    "Product",
    "Rows",
    "Shop",
    "Table",
    "ToolError",
    "ToolResult",
]
