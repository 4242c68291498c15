"""Customers' orders: what they hold, the rules by which they change, and the rows they are kept in."""
