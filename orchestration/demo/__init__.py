"""A generator of a retailer with known truth: raw tables of every declared source, any size."""

from orchestration.demo.generator import Summary, generate

__all__ = ["Summary", "generate"]
