"""The benchmark of activation, our side alone and on few rows, so that it goes on working."""

import math
import os
from pathlib import Path

import pytest

from benchmarks.activation import Bench, drt_python
from benchmarks.activation_server import Endpoint
from orchestration.destinations.base import Limits
from orchestration.sync.http import BearerToken, HttpClient, Policy


def test_every_row_arrives_once_though_requests_fail(tmp_path: Path) -> None:
    bench = Bench(tmp_path, None, lambda text: None)
    bench.compare("lists", 300, 50, failing=0.3)
    bench.compare("single", 300, 1)
    lists, single = bench.results
    assert (lists.arrived, single.arrived) == (300, 300)
    assert (single.calls, lists.calls > 300 / 50) == (300, True)
    for result in bench.results:
        assert result.side == "ours"
        assert min(result.seconds, result.cpu_seconds, result.peak_mb, result.start_up) > 0


@pytest.mark.skipif(os.environ.get("CDP_FAULTS") != "full", reason="minutes; see make faults")
def test_hubspot_sees_batches_no_repetition_and_what_was_refused_later(tmp_path: Path) -> None:
    told = {
        question: ours for question, ours, drt in Bench(tmp_path, None, lambda text: None).hubspot()
    }
    halvings = 2 * math.ceil(math.log2(100))
    there, _, calls = told["a row is refused: rows there"].partition(" after ")
    assert there == "999"
    assert int(calls.split()[0]) <= 10 + halvings + 2
    assert told["calls, first run"] == "10"
    assert told["calls, nothing changed"] == "0"
    assert told["900 of 1,000 leave"] == "blocked, 0 calls"
    assert told["members there afterwards"] == "100 after a confirmed run of 9 calls"
    assert told["its e-mail in logs or state"] == "no"
    assert told["taken now: delivered by the next run"] == "yes, 1 calls"


def test_the_endpoint_counts_what_it_took_and_what_it_refused() -> None:
    quick = Policy(tries=20, first_wait=0, max_wait=0)
    with Endpoint() as endpoint:
        endpoint.reset(failing=0.5)
        client = HttpClient(endpoint.url, BearerToken("t"), Limits(100, ((1000, 1),)), quick)
        client.post("/rows", [{"id": "a"}, {"id": "b"}])
        client.post("/rows", {"id": "a"})
        arrived = endpoint.arrived()
    assert (arrived.rows, arrived.keys) == (3, 2)
    assert arrived.calls - arrived.failed == 2
    assert arrived.calls == client.calls


def test_a_given_environment_of_drt_is_taken(tmp_path: Path) -> None:
    assert drt_python(tmp_path / "python") == tmp_path / "python"
