"""What the tests of file drops share: a declaration and rows."""

from typing import Any

from orchestration.destinations.base import Row
from orchestration.sync.spec import SyncSpec

COLUMNS = ["customer_id", "email", "name"]


def spec(options: dict[str, str], mode: str = "mirror", **changes: Any) -> SyncSpec:
    settings = {
        "sync_name": "sync_files__customers",
        "destination": "files",
        "object": "events" if mode == "append" else "records",
        "mode": mode,
        "key": "customer_id",
        "purpose": "marketing",
        "channel": "email",
        "identity_tier": "exact",
        "columns": COLUMNS,
        "options": options,
    }
    return SyncSpec(**(settings | changes))


def row(key: str, version: int = 0, **values: str | None) -> Row:
    mapped = {"customer_id": key, "email": f"{key}@example.com", "name": "Ana"}
    return Row(key, "upsert", "new", mapped | values, row_hash="h", version=version)


def gone(key: str, reason: str = "left") -> Row:
    return Row(key, "remove", reason, version=3)
