"""What is kept of people who were erased: `cdp erase` and the hook before a build write it."""

import dagster as dg

from orchestration.defs.project import manifest

assets = [
    dg.AssetSpec(
        key=[source["source_name"], source["name"]],
        group_name="erasure",
        description=source["description"],
        kinds={"table"},
    )
    for source in manifest()["sources"].values()
    if source["source_name"] == "state" and source["name"].startswith("eras")
]
