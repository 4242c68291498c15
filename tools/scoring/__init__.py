"""How a launch went against its plan: the frozen brief's weeks beside the sales that followed, and what to do now."""

from tools.scoring.lessons import learn_lessons
from tools.scoring.overview import LaunchStatus, launch_statuses
from tools.scoring.replan import Replan, replan
from tools.scoring.tool import Scored, score_launch, scored

__all__ = [
    "LaunchStatus",
    "Replan",
    "Scored",
    "launch_statuses",
    "learn_lessons",
    "replan",
    "score_launch",
    "scored",
]
