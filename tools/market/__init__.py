"""How a category does: size, growth, season, concentration, regions, and what outside of the shop moves it."""

from tools.market.tool import market_trend

__all__ = ["market_trend"]
