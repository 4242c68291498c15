"""Who buys: segments and habits, what customers will spend, and who is about to be lost."""

from tools.customers.person import customer_profile
from tools.customers.risk import predict_churn
from tools.customers.segments import segment_customers

__all__ = ["customer_profile", "predict_churn", "segment_customers"]
