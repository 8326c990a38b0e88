"""The copy that BI tools read."""

import dagster as dg

from orchestration.defs.project import POOL, TARGET, data_dir, manifest, translator
from orchestration.publication import publish, published_models


@dg.asset(
    key=["published", "marts"],
    deps=[translator.get_asset_key(node) for node in published_models(manifest())],
    group_name="published",
    kinds={"duckdb", "parquet"},
    pool=POOL,
)
def published_marts(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Public marts as a DuckDB file and Parquet, swapped in at once. Direct personal data
    stays behind."""
    publication = publish(data_dir() / "published", manifest(), target=TARGET)
    return dg.MaterializeResult(
        metadata={"tables": len(publication.tables), "rows": sum(publication.tables.values())}
    )
