"""Files of changes in a folder of an SFTP server. A file is written under another name and then
renamed, so a reader never meets half of one."""

import logging
import os
import posixpath
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from orchestration.destinations._file_drop import FileDrop
from orchestration.destinations.base import CallError, Stopped, Unanswered, setting
from orchestration.sync.spec import SyncSpec

if TYPE_CHECKING:
    from paramiko import SFTPClient, SSHClient

# Its thread writes down tracebacks of what is told by a code here.
logging.getLogger("paramiko.transport").setLevel(logging.CRITICAL)

_TRIES = 3
_TIMEOUT = 30.0  # seconds, of each answer


@dataclass(frozen=True)
class Login:
    """Where, who, and what the server must prove itself with."""

    host: str
    port: int
    user: str
    known_hosts: str
    """File of host keys. An unknown or another key ends the run; none is ever added."""
    password: str | None = field(default=None, repr=False)
    key_file: str | None = None
    passphrase: str | None = field(default=None, repr=False)

    @classmethod
    def from_environment(cls) -> Self:
        """Raises ``LookupError`` and ``ValueError``, which name the variable."""
        password = os.environ.get("CDP_SFTP_PASSWORD")
        key_file = os.environ.get("CDP_SFTP_KEY_FILE")
        if not password and not key_file:
            raise LookupError("CDP_SFTP_KEY_FILE is not set (nor CDP_SFTP_PASSWORD)")
        port = setting("CDP_SFTP_PORT", "22")
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError("CDP_SFTP_PORT must be a number from 1 to 65535")
        return cls(
            setting("CDP_SFTP_HOST"),
            int(port),
            setting("CDP_SFTP_USER"),
            setting("CDP_SFTP_KNOWN_HOSTS"),
            password,
            key_file,
            os.environ.get("CDP_SFTP_KEY_PASSPHRASE"),
        )


class Sftp(FileDrop):
    """One account. Environment: ``CDP_SFTP_HOST``, ``_PORT`` (22), ``_USER``, ``_KNOWN_HOSTS``,
    ``_KEY_FILE`` with ``_KEY_PASSPHRASE``, or ``_PASSWORD``."""

    name = "sftp"

    def __init__(
        self, spec: SyncSpec, login: Login, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        super().__init__(spec)
        self._login = login
        self._sleep = sleep
        self._lock = threading.Lock()
        self._client: SSHClient | None = None
        self._sftp: SFTPClient | None = None

    @classmethod
    def from_environment(cls, spec: SyncSpec) -> "Sftp":
        try:
            import paramiko  # noqa: F401
        except ModuleNotFoundError:
            raise LookupError("paramiko is not installed: pip install 'paramiko>=4,<6'") from None
        return cls(spec, Login.from_environment())

    def put(self, name: str, content: bytes) -> None:
        with self._lock:
            failure: CallError | None = None
            for number in range(_TRIES):
                if number:
                    self._sleep(2.0**number)
                failure = self._attempt(name, content)
                if failure is None:
                    return
                self.close()
                if isinstance(failure, Stopped):
                    break
        raise failure

    def close(self) -> None:
        """Let the connection go; the next call makes another."""
        if self._client:
            with suppress(Exception):
                self._client.close()
        self._client = self._sftp = None

    # -- inside

    def _attempt(self, name: str, content: bytes) -> CallError | None:
        """Messages of exceptions name the host and the path; only a code is kept."""
        import paramiko

        self._calls += 1
        try:
            self._store(name, content)
        except paramiko.BadHostKeyException:
            return Stopped("HOST_KEY_CHANGED")
        except (paramiko.AuthenticationException, paramiko.PasswordRequiredException):
            return Stopped("LOGIN_REFUSED", "auth")
        except CallError as error:
            return error
        except PermissionError:
            return Stopped("PERMISSION_DENIED", "auth")
        except (OSError, EOFError, paramiko.SSHException) as error:
            return Unanswered(_code(error))
        return None

    def _store(self, name: str, content: bytes) -> None:
        sftp = self._connection()
        folder, file_name = posixpath.split(name)
        _make_folders(sftp, folder)
        part = posixpath.join(folder, f".{file_name}.part")
        with sftp.open(part, "wb") as file:
            file.set_pipelined(True)
            file.write(content)
        if sftp.stat(part).st_size != len(content):
            raise Unanswered("CUT_SHORT")
        try:
            sftp.posix_rename(part, name)
        except PermissionError:
            raise
        except OSError:
            # A server without that extension renames onto no file that exists. What is there
            # has this name, so it has this content.
            with suppress(FileNotFoundError):
                sftp.remove(name)
            sftp.rename(part, name)

    def _connection(self) -> "SFTPClient":
        if self._sftp is not None:
            return self._sftp
        import paramiko

        class Refuse(paramiko.MissingHostKeyPolicy):
            def missing_host_key(self, client, hostname, key):
                raise Stopped("HOST_KEY_UNKNOWN")

        login = self._login
        self._client = client = paramiko.SSHClient()
        try:
            client.load_host_keys(login.known_hosts)
        except OSError:
            raise Stopped("NO_KNOWN_HOSTS_FILE") from None
        except Exception:  # a line that is no key, bytes that are no text
            raise Stopped("BAD_KNOWN_HOSTS_FILE") from None
        client.set_missing_host_key_policy(Refuse())
        client.connect(
            login.host,
            login.port,
            login.user,
            login.password,
            key_filename=login.key_file,
            passphrase=login.passphrase,
            allow_agent=False,
            look_for_keys=False,
            timeout=_TIMEOUT,
            banner_timeout=_TIMEOUT,
            auth_timeout=_TIMEOUT,
            channel_timeout=_TIMEOUT,
        )
        self._sftp = client.open_sftp()
        self._sftp.get_channel().settimeout(_TIMEOUT)
        return self._sftp


def _code(error: Exception) -> str:
    """The type, but of a server that speaks something else, or is too busy to speak, it says
    nothing. paramiko tells that one only in words."""
    if str(error).startswith(("Error reading SSH protocol banner", "Indecipherable protocol")):
        return "NO_SSH_BANNER"
    return type(error).__name__.upper()


def _make_folders(sftp: "SFTPClient", folder: str) -> None:
    path = ""
    for part in folder.split("/"):
        path = posixpath.join(path, part)
        try:
            sftp.stat(path)
        except FileNotFoundError:
            sftp.mkdir(path)
