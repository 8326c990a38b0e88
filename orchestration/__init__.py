"""Dagster code location and Python edges of the customer data platform."""
