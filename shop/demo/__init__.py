"""The demo shop: an invented shop whose true demand is known, built from a seed."""

from shop.demo.build import build
from shop.demo.truth import Truth

__all__ = ["Truth", "build"]
