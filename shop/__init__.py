"""What the business knows: types, tables, store, importers, demo shop, errors."""

from shop import brief_log as brief_log  # registers its table: `Shop.open` creates those it knows of
from shop import brief_steps as brief_steps
from shop import lessons as lessons
from shop import threads as threads
from shop import tickets as tickets
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
