"""Demand of products that have sold before: panels of periods, forecasters, their contest and their intervals."""
