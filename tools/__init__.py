"""What the assistant can do: one module or folder per decision area. `ALL` lists every tool."""

from tools.advertising import plan_advertising
from tools.anomalies import find_anomalies
from tools.catalogue import draft_product, search_products
from tools.copy import write_copy
from tools.customers import customer_profile, predict_churn, segment_customers
from tools.demand.tool import forecast_demand
from tools.inventory import plan_inventory
from tools.launch import forecast_launch
from tools.lifecycle import lifecycle_stage
from tools.market import market_trend
from tools.policies import search_policies
from tools.pricing import recommend_price, simulate_price
from tools.promotion import plan_promotion
from tools.proposals import propose_change
from tools.recommend import recommend_audience, recommend_products
from tools.registry import ToolFunction
from tools.reviews import review_insights
from tools.scoring import score_launch
from tools.service import (
    cancel_order,
    change_address,
    change_items,
    change_payment,
    exchange_items,
    get_order,
    get_product,
    hand_over,
    identify_customer,
    list_orders,
    return_items,
)
from tools.timing import plan_launch_calendar

ALL: tuple[ToolFunction, ...] = (
    draft_product,
    search_products,
    review_insights,
    search_policies,
    forecast_launch,
    recommend_price,
    simulate_price,
    plan_inventory,
    forecast_demand,
    lifecycle_stage,
    find_anomalies,
    market_trend,
    plan_launch_calendar,
    plan_promotion,
    plan_advertising,
    write_copy,
    score_launch,
    recommend_audience,
    recommend_products,
    segment_customers,
    customer_profile,
    predict_churn,
    propose_change,
    identify_customer,
    list_orders,
    get_order,
    get_product,
    cancel_order,
    change_address,
    change_items,
    change_payment,
    return_items,
    exchange_items,
    hand_over,
)
