"""Customer lifetime value: the statistical fit. Scoring is SQL (`models/marts`)."""

from orchestration.lifetime_value.fitting import fit
from orchestration.lifetime_value.parameters import ParametersRow
from orchestration.lifetime_value.warehouse_fit import FitOutcome, fit_into_warehouse

__all__ = ["FitOutcome", "ParametersRow", "fit", "fit_into_warehouse"]
