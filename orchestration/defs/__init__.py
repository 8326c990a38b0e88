"""Dagster definitions, one module per stage. They are thin: the work is done elsewhere."""
