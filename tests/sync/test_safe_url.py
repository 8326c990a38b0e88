"""Which addresses of a person's choice are called, and that the connection keeps to them."""

import csv
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from orchestration.destinations.base import Limits, Stopped, Unanswered
from orchestration.sync.http import BearerToken, HttpClient, Policy
from orchestration.sync.safe_url import UnsafeUrl, UrlGuard
from tests.fakes.webhook import FakeWebhook

PUBLIC = "93.184.215.14"
QUICK = Policy(tries=1, first_wait=0, max_wait=0, exchange_deadline=5)
WIDE = Limits(100, ((1000, 1),))


def resolver(**names: str | list[str]):
    """A name server of our own: dots as double underscores."""
    table = {name.replace("__", "."): found for name, found in names.items()}

    def look_up(host: str, port: int) -> list[str]:
        found = table.get(host)
        if found is None:
            raise OSError("no such name")
        return [found] if isinstance(found, str) else found

    return look_up


def guard(allowed: str, *addresses: str) -> UrlGuard:
    return UrlGuard(allowed, resolver(api__example__com=list(addresses) or [PUBLIC]))


def is_allowed(checker: UrlGuard, url: str, **options: bool) -> bool:
    try:
        checker.check(url, **options)
    except UnsafeUrl:
        return False
    return True


def test_every_hostile_address_comes_out_as_the_file_says(shared_dir: Path) -> None:
    """The hosts are on the allow-list, so that it is not the list alone that refuses them."""
    path = shared_dir / "data" / "adversarial" / "hostile_urls.csv"
    with path.open(encoding="utf-8", newline="") as file:
        cases = {case["case_id"]: case for case in csv.DictReader(file)}
    assert len(cases) == 25
    names = ["api.example.com", "127.0.0.1.nip.example", "localhost"]
    checker = UrlGuard(
        ",".join(names),
        resolver(
            api__example__com=PUBLIC, localhost="127.0.0.1", **{"127.0.0.1.nip.example": "10.0.0.9"}
        ),
    )
    allowed = {case_id for case_id, case in cases.items() if is_allowed(checker, case["url"])}
    # HU17 is an address like HU01; what follows from its redirect is tested below.
    assert allowed == {"HU01", "HU17"}
    secret = {"is_secret": True}
    allowed = {i for i, case in cases.items() if is_allowed(checker, case["url"], **secret)}
    assert allowed == {"HU01", "HU17", "HU21"}
    for case in cases.values():
        assert not is_allowed(UrlGuard(""), case["url"])


def test_a_development_server_is_allowed_by_name_and_only_it() -> None:
    checker = UrlGuard("127.0.0.1,[::1]:8080,localhost")
    assert is_allowed(checker, "http://127.0.0.1:5000/hook")
    assert is_allowed(checker, "https://127.0.0.1/")
    assert is_allowed(checker, "http://[::1]:8080/")
    assert not is_allowed(checker, "http://[::1]:9090/")
    assert not is_allowed(checker, "http://127.0.0.2:5000/")
    assert not is_allowed(checker, "http://localhost:5000/"), "http goes by address alone"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.1.1",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "168.63.129.16",
        "::",
        "::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
    ],
)
def test_a_listed_name_must_not_lead_inside(address: str) -> None:
    assert not is_allowed(guard("api.example.com", address), "https://api.example.com/")
    mixed = guard("api.example.com", PUBLIC, address)
    assert not is_allowed(mixed, "https://api.example.com/"), "one of several is enough"


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_a_listed_name_may_lead_outside(address: str) -> None:
    assert is_allowed(guard("api.example.com", address), "https://api.example.com/hook")


def test_a_network_on_the_list_opens_it_to_listed_names_and_never_metadata() -> None:
    inside = guard("api.example.com,10.1.0.0/16,169.254.0.0/16,fd00::/8", "10.1.2.3")
    assert is_allowed(inside, "https://api.example.com/")
    assert not is_allowed(inside, "https://10.1.2.3/"), "a network names no host"
    for address in ("10.2.0.1", "169.254.169.254", "fd00:ec2::254"):
        closed = guard("api.example.com,10.1.0.0/16,169.254.0.0/16,fd00::/8", address)
        assert not is_allowed(closed, "https://api.example.com/")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com.evil.example/",
        "https://evil.example/api.example.com",
        "https://api.example.com\\@evil.example/",
        "https://api.example.com\t.evil.example/",
        "https://api.example.com/#fragment",
        "https://api.example.com:99999/",
        "https://api.example.com:0x1bb/",
        "https://api%2eexample.com/",
        "https://api。example。com/",
        "https://017700000001/",
        "https://0x7f000001/",
        "https://[::ffff:7f00:1]/",
        "https://[::1%25lo]/",
        "https://-api.example.com/",
        "https://xn--pi-7kc.example.com/",
        "https://user@api.example.com/",
        "https://@api.example.com/",
        "//api.example.com/",
        "https:api.example.com",
        "https://api.example.com/" + "a" * 2000,
    ],
)
def test_tricks_of_spelling_are_refused(url: str) -> None:
    assert not is_allowed(guard("api.example.com"), url)


def test_letters_and_ports() -> None:
    checker = guard("API.example.com,api.example.com:9443")
    assert checker.check("HTTPS://Api.Example.COM/a").origin == "https://api.example.com:443"
    for port, answer in ((443, True), (8443, True), (9443, True), (22, False), (80, False)):
        assert is_allowed(checker, f"https://api.example.com:{port}/") is answer
    only = guard("api.example.com:9443")
    assert not is_allowed(only, "https://api.example.com/")


def test_neither_path_nor_query_is_shown() -> None:
    safe = guard("api.example.com").check("https://api.example.com/SECRET?t=SECRET", is_secret=True)
    assert safe.target == "/SECRET?t=SECRET"
    assert "SECRET" not in repr(safe)
    with pytest.raises(UnsafeUrl) as caught:
        guard("api.example.com").check("https://api.example.com/?t=SECRET")
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("entry", ["0x7f.1", "10.0.0.0/33", "a b", "user@host", "*", "*.example"])
def test_a_list_with_a_mistake_is_refused(entry: str) -> None:
    with pytest.raises(UnsafeUrl):
        UrlGuard(f"api.example.com,{entry}")


# -- connections


def client(checker: UrlGuard, url: str) -> HttpClient:
    return HttpClient(url, BearerToken("t"), WIDE, QUICK, guard=checker)


def test_a_name_that_changes_its_mind_is_not_followed() -> None:
    with FakeWebhook() as hook:
        port = hook.url.rpartition(":")[2]
        checker = UrlGuard(f"localhost:{port}", lambda host, port: [PUBLIC])
        url = checker.check(f"https://localhost:{port}/").origin
        with pytest.raises(Stopped) as caught:
            client(checker, url).post("/", {})
        assert caught.value.code == "UNSAFE_ADDRESS"
        assert hook.connections == 0


def test_a_redirect_ends_it_and_the_second_host_gets_no_byte() -> None:
    with FakeWebhook() as hook, FakeWebhook() as other:
        for status in (301, 302, 303, 307, 308):
            hook.redirects_to = (status, f"{other.url}/latest/meta-data/")
            with pytest.raises(Stopped) as caught:
                client(UrlGuard("127.0.0.1"), hook.url).post("/", {"email": "a@example.com"})
            assert caught.value.code == "REDIRECT_REFUSED"
        assert len(hook.calls) == 5
        assert other.calls == []


def test_a_proxy_of_the_environment_is_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeWebhook() as hook, FakeWebhook() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        client(UrlGuard("127.0.0.1"), hook.url).request("POST", "/", {}, statuses=set())
        assert proxy.calls == []
        assert len(hook.calls) == 1


def test_a_name_that_is_not_there_is_unanswered() -> None:
    with pytest.raises(Unanswered, match="NAME_NOT_RESOLVED"):
        client(UrlGuard("no.name.invalid"), "https://no.name.invalid").post("/", {})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificate and key of hook.localhost."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl to make a certificate with")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=hook.localhost"
    command += f" -addext subjectAltName=DNS:hook.localhost -keyout {path}.key -out {path}.crt"
    subprocess.run(command.split(), check=True, capture_output=True)
    path.write_text(Path(f"{path}.key").read_text() + Path(f"{path}.crt").read_text())
    return path


def test_the_name_is_verified_at_the_address_that_was_looked_at(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", f"{certificate}.crt")
    with FakeWebhook(tls=context) as hook:
        port = int(hook.url.rpartition(":")[2])

        def post(name: str) -> None:
            # libcurl takes names below localhost for this machine, IPv6 first (RFC 6761).
            checker = UrlGuard(f"{name}:{port},127.0.0.1", lambda host, port: ["127.0.0.1"])
            url = checker.check(f"https://{name}:{port}/hook")
            client(checker, url.origin).request("POST", url.target, {}, statuses=set())

        post("hook.localhost")
        assert hook.requests[0].headers["host"] == f"hook.localhost:{port}"
        with pytest.raises(Stopped) as caught:
            post("other.localhost")
        assert caught.value.code == "BAD_CERTIFICATE"
        assert len(hook.calls) == 1
