"""What the assistant can do: one module or folder per decision area. `ALL` lists every tool."""

from tools.anomalies import find_anomalies
from tools.catalogue import draft_product, search_products
from tools.demand.tool import forecast_demand
from tools.inventory import plan_inventory
from tools.launch import forecast_launch
from tools.lifecycle import lifecycle_stage
from tools.market import market_trend
from tools.policies import search_policies
from tools.pricing import recommend_price
from tools.registry import ToolFunction
from tools.reviews import review_insights
from tools.timing import plan_launch_calendar

ALL: tuple[ToolFunction, ...] = (
    draft_product,
    search_products,
    review_insights,
    search_policies,
    forecast_launch,
    recommend_price,
    plan_inventory,
    forecast_demand,
    lifecycle_stage,
    find_anomalies,
    market_trend,
    plan_launch_calendar,
)
