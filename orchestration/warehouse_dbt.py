"""dbt's internals, kept to this file: configuration, adapter, runner, manifest."""

import json
import os
import re
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from orchestration.warehouse_errors import UnknownRelation, Unreachable, WarehouseError
from orchestration.warehouse_sql import Relation

ROOT = Path(__file__).resolve().parents[1]
_LITERAL = re.compile(r"'([^']*)'")
WRITING_SECONDS = 5.0
"""A manifest that is no JSON for so long is not being written any more."""


@dataclass(frozen=True)
class DbtOutcome:
    """What a dbt command came to."""

    success: bool
    statuses: Mapping[str, str] = field(default_factory=dict)
    """Status by unique id: success, pass, fail, error, warn, skipped."""
    result: Any = None
    """dbt's own result object, for who needs more."""
    exception: BaseException | None = None


def dbt(
    args: Sequence[str],
    target: str | None = None,
    project_dir: Path = ROOT,
    quiet: bool = True,
    manifest: Any = None,
) -> DbtOutcome:
    """Run a dbt command in this process (only the first pays the 4 s of dbt's import),
    without telemetry, and release DuckDB's file afterwards. ``args`` begins with the
    command: ``["build", "--select", "staging"]``. ``manifest``: the result of ``parse``, with
    which nothing is parsed again."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    from dbt.cli.main import dbtRunner

    root = str(Path(project_dir).resolve())
    command = ["--quiet"] if quiet else []
    command += [*args, "--project-dir", root, "--profiles-dir", root]
    if target:
        command += ["--target", target]
    before = Path.cwd()
    try:
        os.chdir(root)  # relative paths of the profile count from the project
        done = dbtRunner(manifest).invoke(command)
    finally:
        os.chdir(before)
        release_duckdb()
    results = getattr(done.result, "results", None) or []
    statuses = {r.node.unique_id: str(r.status) for r in results if getattr(r, "node", None)}
    return DbtOutcome(done.success, statuses, done.result, done.exception)


def load_adapter(target: str | None, project_dir: Path) -> tuple[Any, Any]:
    """dbt's configuration and an adapter of our own: dbt's registry of adapters is emptied
    by each of its commands, ours must outlive one that runs meanwhile. Raises ``Unreachable``
    where the project or its profile is not as dbt wants it."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    from dbt.adapters.factory import get_adapter_class_by_name
    from dbt.config.runtime import RuntimeConfig
    from dbt.flags import set_from_args
    from dbt.mp_context import get_mp_context
    from dbt_common.context import set_invocation_context
    from dbt_common.exceptions import DbtBaseException

    root = Path(project_dir).resolve()
    args = Namespace(
        project_dir=str(root),
        profiles_dir=str(root),
        target=target,
        profile=None,
        vars={},
        threads=None,
        target_path=os.environ.get("DBT_TARGET_PATH"),
        which="run",
        send_anonymous_usage_stats=False,
    )
    set_invocation_context(os.environ)
    set_from_args(args, None)
    failure = None
    try:
        config = RuntimeConfig.from_args(args)
    except DbtBaseException as error:
        failure = Unreachable(f"dbt's configuration: {_told(error)}")
    if failure:
        raise failure
    if config.credentials.type == "duckdb":
        _make_absolute(config.credentials, root)
    return config, get_adapter_class_by_name(config.credentials.type)(config, get_mp_context())


def _told(error: Exception) -> str:
    """dbt's words in one line. What the environment holds is masked, as it may be a secret."""
    lines = [line.strip() for line in str(error).splitlines()]
    words = " ".join(line for line in lines if not line.endswith(" Error"))
    held = {value for name, value in os.environ.items() if name != "CDP_TARGET"}
    return _LITERAL.sub(lambda found: "?" if found[1] in held else found[0], words)


def release_duckdb() -> None:
    """Close what dbt-duckdb keeps open after its last connection, with its file lock."""
    with suppress(ImportError):
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        environment = DuckDBConnectionManager._ENV
        if environment is not None and getattr(environment, "handle_count", 1) <= 0:
            environment.close()
            DuckDBConnectionManager._ENV = None


def manifest_path(project_dir: Path = ROOT) -> Path:
    """Where dbt writes the manifest of a project: in ``DBT_TARGET_PATH``, else ``target``."""
    return Path(project_dir) / (os.environ.get("DBT_TARGET_PATH") or "target") / "manifest.json"


def read_manifest(path: Path) -> dict[str, Any] | None:
    """What is in a ``manifest.json``, which the caller must not change; None when there is none, or
    it stays broken. dbt writes it in place, so beside a run it may be half a file for a moment."""
    deadline = time.monotonic() + WRITING_SECONDS
    while path.exists():
        try:
            return _manifest_in(path, _stamp(path))
        except ValueError:
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
    return None


def _stamp(path: Path) -> tuple[int, int]:
    written = path.stat()
    return written.st_mtime_ns, written.st_size


@lru_cache(maxsize=4)
def _manifest_in(path: Path, stamp: tuple[int, int]) -> dict[str, Any]:
    """Five megabytes, of which each part of a command asks anew."""
    return json.loads(path.read_text(encoding="utf-8"))


class Manifest:
    """Where the project's models, seeds and sources are, by name."""

    def __init__(self, config: Any) -> None:
        self._config = config
        self._relations: dict[str, Relation] = {}
        self._path = Path(config.project_target_path) / "manifest.json"

    def relation(self, name: str) -> Relation:
        """Of a model or seed (``customers``) or a source (``crm.contacts``). The manifest is
        made when absent, broken, of another engine, or older than what is asked for."""
        if not self._relations:
            self._read()
        if name not in self._relations:
            self._parse()
            self._read()
        if name not in self._relations:
            raise UnknownRelation(f"no model, seed or source is called {name}")
        return self._relations[name]

    def _parse(self) -> None:
        outcome = dbt(["parse"], self._config.target_name, Path(self._config.project_root))
        if not outcome.success:
            raise WarehouseError("dbt cannot parse the project; `dbt parse` says why")

    def _read(self) -> None:
        if self._path.exists():
            credentials = self._config.credentials
            self._relations = _relations_in(
                self._path, _stamp(self._path), credentials.type, credentials.database
            )


@lru_cache(maxsize=8)
def _relations_in(
    path: Path, stamp: tuple[int, int], engine: str, database: str
) -> dict[str, Relation]:
    """By name, none where the manifest is broken or of another engine. Of a manifest that was
    written at one time it is asked at each opening, and reading it takes 0.2 s."""
    manifest = read_manifest(path)
    if not manifest or manifest["metadata"]["adapter_type"] != engine:
        return {}
    return {
        name: Relation(node["schema"], node.get("identifier") or node["alias"], database)
        for name, node in _named_nodes(manifest)
    }


def _named_nodes(manifest: dict) -> Iterator[tuple[str, dict]]:
    for node in manifest["sources"].values():
        yield f"{node['source_name']}.{node['name']}", node
    for node in manifest["nodes"].values():
        if node["resource_type"] in {"model", "seed", "snapshot"}:
            yield node["name"], node


def _make_absolute(credentials: Any, root: Path) -> None:
    """Paths of a profile count from the project, wherever Python was started."""
    if not credentials.path.startswith((":memory:", "md:")):
        credentials.path = str(root / credentials.path)
