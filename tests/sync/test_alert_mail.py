"""Alerts by e-mail: TLS, logins, and what a server says."""

import shutil
import subprocess
from pathlib import Path

import pytest

from orchestration.alerts import channels
from orchestration.alerts.channels import (
    DeliveryFailed,
    Email,
)
from orchestration.alerts.states import Change
from tests.fakes.alerts import FakeMail

NEWS = [Change("sync_crm__people", "failing", "ok", "HTTP_401 rows_unsent=3")]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a mail server on this machine, with its key."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("certificate")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    files = ["-keyout", f"{folder}/key", "-out", f"{folder}/crt"]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    both = folder / "mail.pem"
    both.write_text((folder / "key").read_text() + (folder / "crt").read_text())
    return both


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_name("crt")))
    return certificate


def mail(server: FakeMail, login: tuple[str, str] | None = None) -> Email:
    to = ["data@example.com", "crm@example.com"]
    return Email("127.0.0.1", server.port, "cdp@example.com", to, login)


def test_mail_goes_over_tls_with_a_login(trusted: Path) -> None:
    login = ("cdp", "secret")
    with FakeMail(trusted, login=login) as server:
        mail(server, login).send(NEWS)
    [message] = server.messages
    assert server.recipients == ["data@example.com", "crm@example.com"]
    assert message["Subject"] == "cdp: sync_crm__people failing"
    assert message.get_content().strip() == (
        "sync_crm__people is failing (was ok): HTTP_401 rows_unsent=3"
    )
    commands = server.commands
    assert commands.index("STARTTLS") < commands.index("AUTH") < commands.index("DATA")


def test_mail_goes_over_tls_from_the_first_byte(trusted: Path, monkeypatch) -> None:
    with FakeMail(trusted, tls="implicit", login=("cdp", "secret")) as server:
        monkeypatch.setattr(channels, "_IMPLICIT_TLS", server.port)
        mail(server, ("cdp", "secret")).send(NEWS)
    assert len(server.messages) == 1


def test_a_certificate_that_nobody_vouches_for_gets_no_password(certificate: Path) -> None:
    login = ("cdp", "secret")
    failure = pytest.raises(DeliveryFailed, match="SSLCERTVERIFICATIONERROR")
    with FakeMail(certificate, login=login) as server, failure:
        mail(server, login).send(NEWS)
    assert "AUTH" not in server.commands
    assert server.messages == []


def test_a_server_without_tls_gets_no_password(trusted: Path) -> None:
    login = ("cdp", "secret")
    failure = pytest.raises(DeliveryFailed, match="SMTPNOTSUPPORTEDERROR")
    with FakeMail(trusted, tls="none", login=login) as server, failure:
        mail(server, login).send(NEWS)
    assert "AUTH" not in server.commands


def test_a_relay_on_this_machine_may_do_without_tls(trusted: Path) -> None:
    with FakeMail(trusted, tls="none") as server:
        mail(server).send(NEWS)
    assert len(server.messages) == 1


def test_what_a_mail_server_says_is_a_code(trusted: Path) -> None:
    with (
        FakeMail(trusted, login=("cdp", "secret")) as server,
        pytest.raises(DeliveryFailed) as failure,
    ):
        mail(server, ("cdp", "wrong")).send(NEWS)
    assert str(failure.value) == "SMTP_535"
    assert failure.value.__cause__ is None
    assert failure.value.__suppress_context__


def test_a_mail_server_that_is_not_there_is_a_code(trusted: Path) -> None:
    with FakeMail(trusted) as server:
        port = server.port
    with pytest.raises(DeliveryFailed, match="CONNECTIONREFUSEDERROR"):
        Email("127.0.0.1", port, "cdp@example.com", ["a@example.com"]).send(NEWS)


def test_a_recipient_cannot_smuggle_a_header(trusted: Path) -> None:
    with FakeMail(trusted) as server:
        sender = "cdp@example.com\nBcc: all@example.com"
        with pytest.raises(DeliveryFailed, match="VALUEERROR"):
            Email("127.0.0.1", server.port, sender, ["a@example.com"]).send(NEWS)
    assert server.messages == []
