"""What the assistant can do: one module or folder per decision area. `ALL` lists every tool."""

from tools.catalogue import draft_product, search_products
from tools.inventory import plan_inventory
from tools.launch import forecast_launch
from tools.pricing import recommend_price
from tools.registry import ToolFunction

ALL: tuple[ToolFunction, ...] = (
    draft_product,
    search_products,
    forecast_launch,
    recommend_price,
    plan_inventory,
)
