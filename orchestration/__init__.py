"""Python of the customer data platform: it lands, fits, publishes, syncs and orchestrates.

What is decided is decided in SQL (``models/``).
"""
