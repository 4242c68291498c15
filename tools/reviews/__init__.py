"""What buyers write: themes as n of N with quotes and counter-quotes."""

from tools.reviews.insights import review_insights

__all__ = ["review_insights"]
