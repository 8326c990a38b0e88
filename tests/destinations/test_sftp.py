"""The SFTP file drop against a server of another maker, in this process."""

import asyncio
import logging
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestration.destinations.base import CallError, Stopped, Unanswered
from orchestration.destinations.sftp import Login, Sftp
from tests.destinations.file_rows import gone, row, spec

asyncssh = pytest.importorskip("asyncssh")
pytest.importorskip("paramiko")


class Server:
    """One account, ``cdp`` with a password and a key, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.root.mkdir()
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.user_key = asyncssh.generate_private_key("ssh-ed25519")
        self.key_file = folder / "id"
        self.user_key.write_private_key(str(self.key_file))
        self.authorized = folder / "authorized_keys"
        self.authorized.write_bytes(self.user_key.export_public_key())
        self.renames_atomically = True
        self.drops_after_writing = 0
        self.forbids = False
        self.opened: list[str] = []
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.acceptor = self._run(self._listen())
        self.port = self.acceptor.get_port()
        self.known_hosts = folder / "known_hosts"
        key = self.host_key.export_public_key().decode().strip()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {key}\n")

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    async def _listen(self) -> Any:
        server = self

        class Accounts(asyncssh.SSHServer):
            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                return (username, password) == ("cdp", "s3cret")

        class Files(asyncssh.SFTPServer):
            def __init__(self, channel: Any) -> None:
                super().__init__(channel, chroot=str(server.root).encode())

            def open(self, path: bytes, pflags: int, attrs: Any) -> Any:
                server.opened.append(path.decode())
                if server.forbids:
                    raise asyncssh.SFTPPermissionDenied("no")
                return super().open(path, pflags, attrs)

            def posix_rename(self, oldpath: bytes, newpath: bytes) -> Any:
                if server.drops_after_writing:
                    server.drops_after_writing -= 1
                    self.channel.get_connection().abort()
                    raise asyncssh.SFTPConnectionLost("gone")
                if not server.renames_atomically:
                    raise asyncssh.SFTPOpUnsupported("no such extension")
                return super().posix_rename(oldpath, newpath)

        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[self.host_key],
            server_factory=Accounts,
            authorized_client_keys=str(self.authorized),
            sftp_factory=Files,
        )

    def close(self) -> None:
        async def end() -> None:
            self.acceptor.close()
            await self.acceptor.wait_closed()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self._run(end())
        self.loop.call_soon_threadsafe(self.loop.stop)

    def files(self) -> dict[str, bytes]:
        found = (path for path in self.root.rglob("*") if path.is_file())
        return {str(path.relative_to(self.root)): path.read_bytes() for path in found}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path)
    yield running
    running.close()


def sftp(server: Server, **changes: Any) -> Sftp:
    login = {
        "host": "127.0.0.1",
        "port": server.port,
        "user": "cdp",
        "known_hosts": str(server.known_hosts),
        "password": "s3cret",
    }
    options = changes.pop("options", {"prefix": "in"})
    return Sftp(spec(options), Login(**(login | changes)), sleep=lambda seconds: None)


def test_files_arrive_under_their_names_and_nothing_is_left_beside_them(server: Server) -> None:
    destination = sftp(server)
    destination.upsert([row("a"), row("b")])
    destination.remove([gone("a")])
    destination.upsert([row("a"), row("b")])
    files = server.files()
    assert len(files) == 2
    assert all(name.startswith("in/sync_files__customers/") for name in files)
    assert not [name for name in files if name.endswith(".part")]
    assert all(path.endswith(".part") for path in server.opened), "never the name itself"
    assert destination.calls == 3


def test_a_key_opens_the_account_too(server: Server) -> None:
    sftp(server, password=None, key_file=str(server.key_file)).upsert([row("a")])
    assert len(server.files()) == 1


@pytest.mark.parametrize("drops", [1, 2])
def test_a_connection_lost_before_the_renaming_is_made_again(server: Server, drops: int) -> None:
    server.drops_after_writing = drops
    sftp(server).upsert([row("a")])
    assert [name.endswith(".csv") for name in server.files()] == [True]


def test_a_server_that_keeps_hanging_up_leaves_rows_unanswered(server: Server) -> None:
    server.drops_after_writing = 9
    destination = sftp(server)
    with pytest.raises(Unanswered):
        destination.upsert([row("a")])
    assert destination.calls == 3
    assert not [name for name in server.files() if name.endswith(".csv")]
    server.drops_after_writing = 0
    destination.upsert([row("a")])
    assert [name.endswith(".csv") for name in server.files()] == [True]


def test_a_server_without_atomic_renaming_gets_one_file_too(server: Server) -> None:
    server.renames_atomically = False
    destination = sftp(server)
    destination.upsert([row("a")])
    destination.upsert([row("a")])
    assert [name.endswith(".csv") for name in server.files()] == [True]


def test_a_host_key_that_is_unknown_or_another_ends_it(server: Server, tmp_path: Path) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    empty, wrong = tmp_path / "empty", tmp_path / "wrong"
    empty.write_text("")
    wrong.write_text(f"[127.0.0.1]:{server.port} {other}\n")
    cases = {
        empty: "HOST_KEY_UNKNOWN",
        wrong: "HOST_KEY_CHANGED",
        tmp_path / "no": "NO_KNOWN_HOSTS_FILE",
    }
    for path, code in cases.items():
        with pytest.raises(Stopped) as caught:
            sftp(server, known_hosts=str(path)).upsert([row("a")])
        assert caught.value.code == code
    assert empty.read_text() == "", "no key is ever added"
    assert server.files() == {}


def test_a_refused_login_and_a_forbidden_folder_end_it(server: Server) -> None:
    with pytest.raises(Stopped) as caught:
        sftp(server, password="wrong").upsert([row("a")])
    assert (caught.value.code, caught.value.error_class) == ("LOGIN_REFUSED", "auth")
    server.forbids = True
    with pytest.raises(Stopped) as caught:
        sftp(server).upsert([row("a")])
    assert caught.value.code == "PERMISSION_DENIED"


def test_no_server_there_is_unanswered_and_names_nobody(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(CallError) as caught:
        sftp(server, port=9).upsert([row("canary", email="canary@example.com")])
    assert isinstance(caught.value, Unanswered)
    assert caught.value.__context__ is None
    assert "127.0.0.1" not in str(caught.value)
    sftp(server).upsert([row("canary", email="canary@example.com")])
    assert "canary" not in caplog.text
    assert "s3cret" not in caplog.text + repr(sftp(server)._login)
    assert caplog.records


@pytest.mark.parametrize(
    "content", [b"127.0.0.1 ssh-ed25519 AAA!\n", b"\xff\xfe\x00h\n", b"h ssh-rsa notbase64=x\n"]
)
def test_a_file_of_host_keys_that_holds_something_else_is_told(
    server: Server, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "malformed"
    path.write_bytes(content)
    destination = sftp(server, known_hosts=str(path))
    with pytest.raises(Stopped) as caught:
        destination.upsert([row("a")])
    assert (caught.value.code, destination.calls) == ("BAD_KNOWN_HOSTS_FILE", 1)


@pytest.mark.parametrize(
    "greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"220 ftp\r\n" * 200]
)
def test_a_server_that_speaks_something_else_is_a_code_and_no_traceback(
    server: Server, capfd: pytest.CaptureFixture[str], monkeypatch, greeting: bytes
) -> None:
    class Greets(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(greeting)

    # As where nobody has set logging up: what is left goes to stderr.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Greets) as other:
        threading.Thread(target=other.serve_forever, args=(0.05,), daemon=True).start()
        with pytest.raises(Unanswered) as caught:
            sftp(server, port=other.server_address[1]).upsert([row("a")])
        other.shutdown()
    assert caught.value.code == "NO_SSH_BANNER"
    assert capfd.readouterr().err == ""


def test_settings_come_from_the_environment(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "CDP_SFTP_HOST": "127.0.0.1",
        "CDP_SFTP_PORT": str(server.port),
        "CDP_SFTP_USER": "cdp",
        "CDP_SFTP_PASSWORD": "s3cret",
        "CDP_SFTP_KNOWN_HOSTS": str(server.known_hosts),
    }
    for name in settings:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(LookupError, match="CDP_SFTP_KEY_FILE"):
        Sftp.from_environment(spec({}))
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    Sftp.from_environment(spec({})).upsert([row("a")])
    assert len(server.files()) == 1
    for port in ("abc", "0", "65536", "-1", "²"):
        monkeypatch.setenv("CDP_SFTP_PORT", port)
        with pytest.raises(ValueError, match="CDP_SFTP_PORT must be a number"):
            Sftp.from_environment(spec({}))
