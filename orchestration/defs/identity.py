"""The table of people's decisions about who is who, which the models of identity read."""

import dagster as dg

from orchestration.defs.project import manifest

assets = [
    dg.AssetSpec(
        key=[source["source_name"], source["name"]],
        group_name="identity",
        description=source["description"],
        kinds={"table"},
    )
    for source in manifest()["sources"].values()
    if source["source_name"] == "state" and source["name"] == "identity_decisions"
]
