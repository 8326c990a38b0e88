"""One `drt run`, told as JSON. Runs in the environment of drt, and imports nothing of ours.

    python benchmarks/activation_drt.py FOLDER [HUBSPOT_URL]

``FOLDER`` holds a drt project and the home folder it is run with. drt's address of HubSpot is
a constant, which is pointed at ours; nothing else of it is touched.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path


def main(folder: Path, hubspot_url: str | None) -> None:
    """Run every sync of the project and write ``told.json``."""
    os.environ.update(HOME=str(folder), DO_NOT_TRACK="1")
    os.chdir(folder)
    import drt.destinations.hubspot
    import drt.engine.sync
    from drt.cli.main import app

    if hubspot_url:
        drt.destinations.hubspot._HUBSPOT_API = f"{hubspot_url}/crm/v3/objects"
    told = {}
    inner = drt.engine.sync.run_sync

    def run_sync(*arguments, **options):
        started = time.time(), time.process_time()
        try:
            result = inner(*arguments, **options)
        finally:
            ended = time.time(), time.process_time()
            told["started_at"] = started[0]
            told["seconds"] = ended[0] - started[0]
            told["cpu_seconds"] = ended[1] - started[1]
        told.update(delivered=result.success, rejected=result.failed)
        return result

    drt.engine.sync.run_sync = run_sync
    try:
        app(["run", "--output", "json"])
    finally:
        told["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        Path("told.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
