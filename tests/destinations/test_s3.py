"""The S3 file drop against moto's server over real HTTP."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from orchestration.destinations.base import CallError, Refused, Stopped, Unanswered
from orchestration.destinations.s3 import S3
from tests.destinations.file_rows import gone, row, spec
from tests.fakes.lossy_proxy import LossyProxy
from tests.fakes.server import Fault

boto3 = pytest.importorskip("boto3")
moto_server = pytest.importorskip("moto.server")
OPTIONS = {"bucket": "cdp-drop", "prefix": "in"}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = moto_server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("CDP_S3_ENDPOINT_URL", moto)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    made = boto3.resource("s3", endpoint_url=moto, region_name="us-east-1").Bucket("cdp-drop")
    made.create()
    yield made
    made.objects.all().delete()
    made.delete()


def s3(**options: str) -> S3:
    declared = spec(OPTIONS | options)
    S3.check(declared)
    return S3.from_environment(declared)


def names(bucket: Any) -> list[str]:
    return [item.key for item in bucket.objects.all()]


def test_objects_arrive_and_a_repeated_call_adds_none(bucket: Any) -> None:
    destination = s3(encryption="AES256")
    destination.upsert([row("a"), row("b")])
    destination.upsert([row("a"), row("b")])
    destination.remove([gone("a")])
    found = names(bucket)
    assert len(found) == 2
    assert all(name.startswith("in/sync_files__customers/") for name in found)
    content = bucket.Object(next(n for n in found if "upsert" in n)).get()
    assert content["ContentType"].startswith("text/csv")
    assert content["ServerSideEncryption"] == "AES256"
    assert content["Body"].read().count(b"\r\n") == 3
    assert destination.calls == 3


def test_a_lost_answer_is_asked_for_again_and_makes_one_object(
    bucket: Any, moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LossyProxy(moto) as proxy:
        monkeypatch.setenv("CDP_S3_ENDPOINT_URL", proxy.url)
        for fault in (Fault(applies=True, hangs_up=True), Fault(503), Fault(500, applies=True)):
            proxy.faults.append(fault)
            destination = s3()
            destination.upsert([row("a")])
            assert len(names(bucket)) == 1
            assert destination.calls == 2
        assert len(proxy.calls) == 6


def test_each_attempt_of_a_broken_connection_is_a_call(
    bucket: Any, moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LossyProxy(moto) as proxy:
        monkeypatch.setenv("CDP_S3_ENDPOINT_URL", proxy.url)
        proxy.faults.extend([Fault(hangs_up=True)] * 10)
        destination = s3()
        for _ in range(2):
            with pytest.raises(Unanswered):
                destination.upsert([row("a")])
        assert destination.calls == 10
        destination.upsert([row("a")])
        assert destination.calls == 11


def test_another_owner_a_missing_bucket_and_a_plain_address_end_it(
    bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Stopped) as caught:
        s3(bucket="cdp-nowhere").upsert([row("a")])
    assert caught.value.code == "NOSUCHBUCKET"
    monkeypatch.setenv("CDP_S3_ENDPOINT_URL", "http://store.example.com")
    with pytest.raises(ValueError, match="https"):
        s3()


@pytest.mark.parametrize(
    ("status", "code", "kind", "told"),
    [
        (403, "AccessDenied", Stopped, "ACCESSDENIED"),
        (403, "SignatureDoesNotMatch", Stopped, "SIGNATUREDOESNOTMATCH"),
        (400, "ExpiredToken", Stopped, "EXPIREDTOKEN"),
        (400, "EntityTooLarge", Refused, "ENTITYTOOLARGE"),
        (503, "SlowDown", Unanswered, "SLOWDOWN"),
        (409, "OperationAborted", Unanswered, "OPERATIONABORTED"),
        (400, "canary@example.com", Stopped, "HTTP_400"),
    ],
)
def test_errors_by_what_they_mean(
    bucket: Any,
    moto: str,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    code: str,
    kind: type[CallError],
    told: str,
) -> None:
    body = f"<Error><Code>{code}</Code><Message>canary@example.com</Message></Error>"
    with LossyProxy(moto) as proxy:
        monkeypatch.setenv("CDP_S3_ENDPOINT_URL", proxy.url)
        proxy.faults.extend([Fault(status, body=body.encode())] * 5)
        with pytest.raises(CallError) as caught:
            s3().upsert([row("a")])
    assert (type(caught.value), caught.value.code) == (kind, told)
    assert caught.value.__context__ is None
    assert names(bucket) == []


def test_no_login_and_no_server(
    bucket: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("CDP_S3_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(Unanswered) as caught:
        s3().upsert([row("a", email="canary@example.com")])
    assert caught.value.code == "ENDPOINTCONNECTIONERROR"
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    destination = s3()
    with pytest.raises(Stopped) as caught:
        destination.upsert([row("a")])
    assert (caught.value.code, caught.value.error_class) == ("NO_CREDENTIALS", "auth")
    assert destination.calls == 0
    assert "canary" not in caplog.text
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize("bucket_name", ["", "A", "a/b", "-a"])
def test_a_bucket_is_named_properly(bucket_name: str) -> None:
    with pytest.raises(ValueError, match="bucket"):
        S3.check(spec({"bucket": bucket_name}))
