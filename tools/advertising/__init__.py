"""Advertising: what channels bring, how a budget is split over them, and what click and order rates to expect."""

from tools.advertising.tool import plan_advertising

__all__ = ["plan_advertising"]
