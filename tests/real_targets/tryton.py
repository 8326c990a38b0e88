"""Tryton, a CRM and ERP of others (GPL-3, only run here), on SQLite and a loopback port.

It is installed once, into an environment of its own below ``CDP_CACHE_DIR``."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

PACKAGES = ["trytond>=8.2,<8.3", "trytond_party>=8.2,<8.3"]
CACHE = Path(os.environ.get("CDP_CACHE_DIR", Path.home() / ".cache" / "cdp"))


@dataclass(frozen=True)
class Tryton:
    """A server with one database. ``call`` is how a test looks into it by itself."""

    url: str
    password: str

    def call(self, method: str, *arguments: Any) -> Any:
        reply = requests.post(
            f"{self.url}/crm/rpc/",
            json={"id": 1, "method": f"model.party.party.{method}", "params": [*arguments, {}]},
            auth=("admin", self.password),
            timeout=30,
        ).json()
        assert "error" not in reply, reply
        return reply["result"]

    def parties(self, code: str = "%") -> list[dict[str, Any]]:
        """Parties we know by their code, in its order."""
        where, order = [["code", "like", code]], [["code", "ASC"]]
        fields = ["id", "code", "name", "email"]
        found = self.call("search_read", where, 0, None, order, fields)
        return [{name: party[name] for name in ("id", "code", "name", "email")} for party in found]


def _installed() -> Path:
    """Folder of Tryton's programs."""
    folder = CACHE / "tryton-8.2"
    stamp = folder / ".installed"
    if not stamp.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        command = [str(folder / "bin" / "pip"), "install", "--quiet", *PACKAGES]
        subprocess.run(command, check=True, timeout=600)
        stamp.touch()
    return folder / "bin"


@contextmanager
def running(folder: Path) -> Iterator[Tryton]:
    """A server with an empty database (made in 10 to 30 seconds), stopped afterwards."""
    programs = _installed()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = folder / "db"
    data.mkdir()
    (data / "crm.sqlite").touch()
    config = folder / "trytond.conf"
    config.write_text(
        f"[database]\nuri = sqlite://\npath = {data}\n[web]\nlisten = 127.0.0.1:{port}\n"
    )
    password = folder / "password"
    password.write_text("correct-horse-7")
    base = ["-c", str(config), "-d", "crm"]
    command = [str(programs / "trytond-admin"), *base, "--email", "admin@example.com"]
    subprocess.run(
        [*command, "-u", "party", "--activate-dependencies"],
        check=True,
        timeout=300,
        env=os.environ | {"TRYTONPASSFILE": str(password)},
    )
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([str(programs / "trytond"), *base], stdout=log, stderr=log)
        try:
            _wait_for(port)
            yield Tryton(f"http://127.0.0.1:{port}", password.read_text())
        finally:
            server.terminate()
            server.wait(20)


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("Tryton does not come up")
