"""The statistical fit between the order statistics and the scores."""

import dagster as dg

from orchestration.defs.project import POOL, TARGET, model_key
from orchestration.lifetime_value import fit_into_warehouse


@dg.asset(
    key=["state", "clv_parameters"],
    deps=[model_key("clv_histogram"), model_key("clv_spend_histogram")],
    group_name="marts",
    kinds={"python", "scipy"},
    pool=POOL,
)
def clv_parameters(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Parameters of the purchase and spend models, by maximum likelihood."""
    outcome = fit_into_warehouse(target=TARGET)
    return dg.MaterializeResult(metadata=outcome.metadata())
