"""Tables of the schema ``state`` that no asset makes, or the graph would be a circle: people, dbt
and the syncs write them, and the next build reads them."""

import dagster as dg

from orchestration.defs.project import manifest

GROUPS = {
    "identity_decisions": "identity",
    "test_verdicts": "activation",
    "sync_": "destinations",
    "eras": "rights",
    "access_": "rights",
}
"""Group by the beginning of the name."""

assets = [
    dg.AssetSpec(
        key=[source["source_name"], source["name"]],
        group_name=group,
        description=source["description"],
        kinds={"table"},
    )
    for source in manifest()["sources"].values()
    for beginning, group in GROUPS.items()
    if source["source_name"] == "state" and source["name"].startswith(beginning)
]
