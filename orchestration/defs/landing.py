"""Raw files into raw tables, one asset per declared source table."""

from collections import Counter
from collections.abc import Iterator

import dagster as dg

from orchestration.defs.project import POOL, TARGET, data_dir, manifest
from orchestration.landing import land

_COUNTS = ("rows_read", "rows_loaded", "rows_quarantined", "rows_deduplicated")
_SOURCES = [s for s in manifest()["sources"].values() if s["source_name"] != "state"]


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
    """Land what is new in the raw folder. A refused file fails the step, after all others."""
    report = land(data_dir() / "raw", target=TARGET)
    counts: dict[tuple[str, ...], Counter] = {}
    for file in report.files:
        table = counts.setdefault((file.source_name, file.table_name), Counter())
        table.update({count: getattr(file, count) for count in _COUNTS})
    for key in sorted(context.selected_asset_keys):
        read = counts.get(tuple(key.path), Counter())
        yield dg.MaterializeResult(
            asset_key=key, metadata={count: read[count] for count in _COUNTS}
        )
    report.raise_for_refusals()
