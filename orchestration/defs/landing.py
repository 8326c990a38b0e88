"""Raw files into raw tables, one asset per declared source table."""

from collections.abc import Iterator

import dagster as dg

from orchestration.defs.project import POOL, TARGET, data_dir, manifest
from orchestration.landing import land

_SOURCES = [
    source
    for source in manifest()["sources"].values()
    if source["source_name"] != "state"
]


@dg.multi_asset(
    name="landing",
    specs=[
        *(
            dg.AssetSpec(
                key=[source["source_name"], source["name"]],
                group_name="raw",
                description=source["description"],
                kinds={"file"},
            )
            for source in _SOURCES
        ),
        *(
            dg.AssetSpec(key=["state", table], group_name="raw", kinds={"table"})
            for table in ("landings", "landing_rejections")
        ),
    ],
    pool=POOL,
)
def raw_tables(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    """Land what lies in the raw folder. A refused file fails the step, after all others."""
    report = land(data_dir() / "raw", target=TARGET)
    counts = report.by_table()
    for key in context.selected_asset_keys:
        read, loaded, quarantined = counts.get(tuple(key.path), (0, 0, 0))
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={"rows_read": read, "rows_loaded": loaded, "rows_quarantined": quarantined},
        )
    report.raise_for_refusals()
