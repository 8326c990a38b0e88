"""Fixtures of these tests."""

import pytest

from tests.fakes.webhook import FakeWebhook


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch):
    with FakeWebhook({"Authorization": "Bearer s3cret"}) as fake:
        monkeypatch.setenv("CDP_HTTP_URL", fake.url)
        monkeypatch.setenv("CDP_HTTP_TOKEN", "s3cret")
        monkeypatch.setenv("CDP_WEBHOOK_ALLOWED_HOSTS", "127.0.0.1")
        yield fake
        assert fake.contract_violations == []
