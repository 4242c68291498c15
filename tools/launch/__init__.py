"""Launches: the forecast of a product without history, from the shop's earlier launches."""

from tools.launch.forecast import LaunchForecast, launch_forecast, launch_units
from tools.launch.tool import forecast_launch, has_history

__all__ = ["LaunchForecast", "forecast_launch", "has_history", "launch_forecast", "launch_units"]
