"""How a launch went against its plan: the stored brief's weeks beside the sales that followed."""

from tools.scoring.tool import score_launch

__all__ = ["score_launch"]
