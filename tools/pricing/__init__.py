"""Prices: cost stack, ladder of comparable products, elasticity, and the price that follows."""

from tools.pricing.simulate import simulate_price
from tools.pricing.tool import recommend_price

__all__ = ["recommend_price", "simulate_price"]
