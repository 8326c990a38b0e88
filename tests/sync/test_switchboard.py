"""Many calls in one thread: as many as there may be, none of them waiting for another."""

import asyncio
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from queue import SimpleQueue
from typing import Any

import pytest

from orchestration.destinations.base import Limits, Unanswered
from orchestration.sync.http import BearerToken, HttpClient, Policy
from orchestration.sync.switchboard import Switchboard, Talk, Threads, finish, paused
from tests.fakes.row_desk import RowDesk
from tests.fakes.server import Answer, Fault, Request

ROW = {"cdp_customer_id": "a", "email": "a@example.com"}
WIDE = Limits(batch_rows=1, rates=((1000, 1),))
QUICK = Policy(tries=3, first_wait=0, max_wait=0, exchange_deadline=2)


class Crowd(RowDesk):
    """Knows how many requests were there at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.present = self.most = 0
        self.counting = threading.Lock()

    def answer(self, request: Request) -> Answer:
        with self.counting:
            self.present += 1
            self.most = max(self.most, self.present)
        self.lock.release()  # the kit holds it, which would keep the others out
        try:
            time.sleep(0.05)
        finally:
            self.lock.acquire()
            self.present -= 1
        return super().answer(request)


@pytest.fixture
def desk() -> Iterator[Crowd]:
    with Crowd() as endpoint:
        yield endpoint


def client(desk: RowDesk, policy: Policy = QUICK, **options: Any) -> HttpClient:
    return HttpClient(desk.url, BearerToken(desk.token), WIDE, policy, **options)


def put(http: HttpClient, key: str = "a") -> Talk:
    return http.call("PUT", f"/rows/{key}", ROW | {"cdp_customer_id": key})


def ends_of(size: int, *talks: Talk, runner: type = Switchboard) -> list[Any]:
    told: SimpleQueue[Any] = SimpleQueue()
    with runner(size, told.put) as board:
        board.begin(talks)
    return [told.get_nowait() for _ in range(told.qsize())]


@pytest.mark.parametrize("runner", [Switchboard, Threads])
def test_there_are_as_many_under_way_as_may_be(desk: Crowd, runner: type) -> None:
    http = client(desk)
    ends = ends_of(4, *(put(http, f"k{number}") for number in range(30)), runner=runner)
    assert [end.status for end in ends] == [200] * 30
    assert (desk.most, len(desk.records), http.calls) == (4, 30, 30)
    assert desk.connections <= 4


def test_one_thread_has_all_of_them(desk: Crowd) -> None:
    names: set[str] = set()
    http = client(desk)

    async def call(key: str) -> None:
        names.add(threading.current_thread().name)
        await put(http, key)
        names.add(threading.current_thread().name)

    ends_of(8, *(call(f"k{number}") for number in range(16)))
    assert names == {"switchboard"}


def test_work_that_comes_later_is_begun_while_others_wait(desk: Crowd) -> None:
    desk.faults.append(Fault(delay=1.0, path="slow"))
    http, told = client(desk), SimpleQueue()
    with Switchboard(2, told.put) as board:
        board.begin([put(http, "slow")])
        time.sleep(0.1)
        board.begin([put(http, f"k{number}") for number in range(3)])
        first = [told.get(timeout=5) for _ in range(3)]
        assert set(desk.records) == {"k0", "k1", "k2"}
    assert [end.status for end in first] == [200] * 3
    assert "slow" in desk.records


def test_who_pauses_holds_nobody_up(desk: Crowd) -> None:
    desk.faults.append(Fault(429, {"Retry-After": "1"}, path="refused"))
    http, order = client(desk), []

    async def call(key: str) -> None:
        await put(http, key)
        order.append(key)

    ends_of(2, call("refused"), *(call(f"k{number}") for number in range(6)))
    assert order[-1] == "refused"
    assert http.calls == 8


def test_pauses_end_in_their_order() -> None:
    order: list[float] = []

    async def wait(seconds: float) -> None:
        await paused(seconds)
        order.append(seconds)

    started = time.monotonic()
    ends_of(9, *(wait(seconds) for seconds in (0.2, 0.1, 0.1, 0.0, 0.15)))
    assert order == [0.0, 0.1, 0.1, 0.15, 0.2]
    assert time.monotonic() - started < 0.5


def test_an_endpoint_that_says_nothing_ends_at_the_deadline_alone() -> None:
    """A port that takes connections and never answers, beside one that does."""
    with socket.socket() as mute, Crowd() as desk:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        policy = Policy(tries=1, exchange_deadline=0.5)
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        stuck = HttpClient(url, BearerToken("t"), WIDE, policy)
        http = client(desk)
        ends = ends_of(8, put(stuck), *(put(http, f"k{number}") for number in range(5)))
    assert [getattr(end, "status", None) for end in ends] == [200] * 5 + [None]
    assert isinstance(ends[-1], Unanswered)
    assert (ends[-1].code, ends[-1].may_have_acted) == ("EXCHANGE_DEADLINE", True)


@pytest.mark.parametrize("runner", [Switchboard, Threads])
def test_an_exception_is_told_and_others_go_on(desk: Crowd, runner: type) -> None:
    http = client(desk)

    async def fails() -> None:
        await put(http, "b")
        raise KeyError("mine")

    nobody = HttpClient("http://127.0.0.1:9", BearerToken("t"), WIDE, QUICK)
    ends = ends_of(2, fails(), put(nobody), put(http, "c"), runner=runner)
    kinds = {type(end).__name__ for end in ends}
    assert kinds == {"KeyError", "Unanswered", "Reply"}
    assert set(desk.records) == {"b", "c"}


def test_what_is_left_is_done_before_it_closes(desk: Crowd) -> None:
    http = client(desk)
    assert len(ends_of(1, *(put(http, f"k{number}") for number in range(5)))) == 5
    assert ends_of(4) == []


def test_a_client_serves_boards_and_callers_in_turn(desk: Crowd) -> None:
    """Its connections are of a board while that lasts."""
    http = client(desk)
    assert http.request("PUT", "/rows/a", ROW).status == 200
    assert [end.status for end in ends_of(2, put(http, "b"), put(http, "c"))] == [200, 200]
    assert finish(put(http, "d")).status == 200
    assert [end.status for end in ends_of(2, put(http, "e"))] == [200]
    assert sorted(desk.records) == list("abcde")


def test_a_dead_connection_is_not_taken_for_an_answer(desk: Crowd) -> None:
    """The endpoint hangs up on a kept connection: what may be repeated is, once it is counted."""
    http = client(desk)
    desk.faults.extend([Fault(hangs_up=True)] * 2)
    ends = ends_of(2, *(put(http, f"k{number}") for number in range(6)))
    assert [end.status for end in ends] == [200] * 6
    assert http.calls == 8


def test_a_turn_of_the_rate_is_used_when_it_is_taken(desk: Crowd) -> None:
    """Not when the bodies of all others have been made, too."""
    arrived: list[float] = []
    desk.on_applied = lambda call: arrived.append(time.monotonic())
    limits = Limits(1, ((5, 0.5),))
    http = HttpClient(desk.url, BearerToken("fake-token"), limits, QUICK)

    async def call(key: str) -> None:
        time.sleep(0.05)
        await put(http, key)

    ends_of(15, *(call(f"k{number}") for number in range(15)))
    apart = [later - sooner for sooner, later in zip(arrived, arrived[5:], strict=False)]
    assert min(apart) > 0.4


def test_what_waits_for_something_else_ends_and_holds_nobody_up(desk: Crowd) -> None:
    async def foreign() -> None:
        await asyncio.sleep(0)

    ends = ends_of(2, foreign(), put(client(desk)))
    assert {type(end).__name__ for end in ends} == {"TypeError", "Reply"}


def test_a_board_that_breaks_says_so(desk: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: Switchboard) -> bool:
        raise MemoryError

    monkeypatch.setattr(Switchboard, "_answer", breaks)
    [end] = ends_of(2, put(client(desk)))
    assert isinstance(end, MemoryError)


def test_a_process_with_many_files_waits_as_quietly(
    desk: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """select() has no place for a socket with a number beyond 1,023."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    desk.faults.append(Fault(delay=0.5))
    looks, pause = [], Switchboard._pause

    def look(board: Switchboard) -> None:
        looks.append(1)
        pause(board)

    monkeypatch.setattr(Switchboard, "_pause", look)
    with ExitStack() as files:
        for _ in range(1100):
            files.enter_context(open(os.devnull))
        [end] = ends_of(2, put(client(desk)))
    assert end.status == 200
    assert len(looks) < 200
