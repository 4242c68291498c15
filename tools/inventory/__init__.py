"""Stock: what to buy first, when to buy again, and what each mistake costs."""

from tools.inventory.tool import plan_inventory

__all__ = ["plan_inventory"]
