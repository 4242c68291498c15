"""When to launch what: a calendar of launches by integer programming, and how many launches a week pay."""

from tools.timing.tool import plan_launch_calendar

__all__ = ["plan_launch_calendar"]
