"""Recommendation: what a customer needs next, what goes together, and whom to tell about a launch."""

from tools.recommend.tell import recommend_audience
from tools.recommend.tool import recommend_products

__all__ = ["recommend_audience", "recommend_products"]
