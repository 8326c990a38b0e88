"""Customer lifetime value: the statistical fit. Scoring is SQL (`models/marts`)."""

from orchestration.lifetime_value.fitting import fit
from orchestration.lifetime_value.parameters import ParametersRow

__all__ = ["ParametersRow", "fit"]
