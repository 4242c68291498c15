"""Where products stand in their life: stage probabilities, time to decline, and what to do about it."""

from tools.lifecycle.tool import lifecycle_stage

__all__ = ["lifecycle_stage"]
