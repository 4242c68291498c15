"""Copy per channel from product facts: every claim in it is backed, every limit kept."""

from tools.copy.tool import write_copy

__all__ = ["write_copy"]
