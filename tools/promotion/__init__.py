"""Promotion: what a price cut, a coupon or a bundle does to the category until four weeks after it."""

from tools.promotion.tool import plan_promotion

__all__ = ["plan_promotion"]
