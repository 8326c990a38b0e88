"""Coroutines that wait for HTTP, and what runs them.

Where a row is a request there are a lot of them, and with a thread for each of eight connections
one takes 0.13 ms on two cores: 0.03 ms of work, and all the rest to hand Python's lock from one
core to the other. libcurl has many exchanges under way in one thread (ADR 9).

A coroutine waits for nothing but what this module gives: ``performed`` and ``paused``. ``finish``
runs one in the caller's thread, ``Switchboard`` many at the same time in a thread of its own.
"""

import heapq
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from queue import SimpleQueue
from threading import Thread
from types import coroutine
from typing import Any, Self

import pycurl

# Seconds after which a board that waits for answers looks for new work, too.
_GLANCE = 0.05
# Seconds that it rests where libcurl has no socket to wait for.
_NO_SOCKET = 0.005
# Seconds in which new work is begun before what was begun is sent.
_MOMENT = 0.002

Talk = Coroutine[Any, Any, Any]
Tell = Callable[[Any], None]


@dataclass(frozen=True)
class _Transfer:
    """An exchange that is to be performed; the answer is libcurl's error number, 0 for none."""

    curl: pycurl.Curl

    def now(self) -> int:
        try:
            self.curl.perform()
        except pycurl.error as error:
            return error.args[0]
        return 0


@dataclass(frozen=True)
class _Pause:
    """Seconds to let go by."""

    seconds: float

    def now(self) -> None:
        time.sleep(self.seconds)


@coroutine
def performed(curl: pycurl.Curl) -> Generator[_Transfer, int, int]:
    """Perform an exchange as its options say. libcurl's error number, 0 for none."""
    return (yield _Transfer(curl))


@coroutine
def paused(seconds: float) -> Generator[_Pause, None, None]:
    """Let time go by."""
    yield _Pause(seconds)


def finish(talk: Talk) -> Any:
    """Run one coroutine to its end, here and now."""
    answer = None
    while True:
        try:
            wish = talk.send(answer)
        except StopIteration as end:
            return end.value
        answer = wish.now()


class Threads:
    """A thread for each of up to ``size`` coroutines. ``tell`` gets what each returns, or the
    exception it ended with; on leaving, all have ended. So does the ``Switchboard``."""

    def __init__(self, size: int, tell: Tell) -> None:
        self._tell = tell
        self._pool = ThreadPoolExecutor(size, "courier")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def begin(self, talks: Iterable[Talk]) -> None:
        """With each as soon as there is room."""
        for talk in talks:
            self._pool.submit(self._finish, talk)

    def _finish(self, talk: Talk) -> None:
        try:
            end = finish(talk)
        except BaseException as error:
            end = error
        self._tell(end)


@dataclass(order=True)
class _Sleeper:
    """A coroutine until its pause ends; those that end together in the order they began."""

    due: float
    number: int
    talk: Talk = field(compare=False)


class Switchboard:
    """One thread for up to ``size`` coroutines at the same time."""

    def __init__(self, size: int, tell: Tell) -> None:
        self._size = size
        self._tell = tell
        # None: there will be no more.
        self._queue: SimpleQueue[list[Talk] | None] = SimpleQueue()
        self._is_open = True
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, size)
        self._waiting: deque[Talk] = deque()
        self._talking: dict[pycurl.Curl, Talk] = {}
        self._sleeping: list[_Sleeper] = []
        self._numbers = count()
        self._thread = Thread(target=self._run, name="switchboard", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.put(None)
        self._thread.join()
        self._multi.close()

    def begin(self, talks: Iterable[Talk]) -> None:
        """With each as soon as there is room."""
        self._queue.put(list(talks))

    # -- in the thread

    def _run(self) -> None:
        try:
            self._serve()
        except BaseException as error:  # who waits for an end has to hear of one
            self._tell(error)

    def _serve(self) -> None:
        while self._is_open or self._waiting or self._underway:
            self._take()
            happened = (self._begin(), self._answer(), self._wake())
            if not any(happened) and self._underway:
                self._pause()

    @property
    def _underway(self) -> int:
        return len(self._talking) + len(self._sleeping)

    def _begin(self) -> bool:
        """Whether something is begun. For a moment only, as nothing is sent meanwhile: of thirty
        large bodies that are made one after the other, the first would have had its turn of the
        rate long before it goes."""
        until = time.monotonic() + _MOMENT
        has_begun = False
        while self._waiting and self._underway < self._size and time.monotonic() < until:
            self._go_on(self._waiting.popleft(), None)
            has_begun = True
        return has_begun

    def _take(self) -> None:
        """New work; with nothing else to do, wait for it."""
        while self._is_open:
            is_idle = not self._waiting and not self._underway
            if self._queue.empty() and not is_idle:
                return
            fresh = self._queue.get()
            if fresh is None:
                self._is_open = False
            else:
                self._waiting += fresh

    def _answer(self) -> bool:
        """Whether an exchange has ended."""
        if not self._talking:
            return False
        self._multi.perform()
        _, done, failed = self._multi.info_read()
        for curl, number in [(curl, 0) for curl in done] + [end[:2] for end in failed]:
            self._multi.remove_handle(curl)
            self._go_on(self._talking.pop(curl), number)
        return bool(done or failed)

    def _wake(self) -> bool:
        """Whether a pause has ended."""
        now = time.monotonic()
        due = []
        while self._sleeping and self._sleeping[0].due <= now:
            due.append(heapq.heappop(self._sleeping))
        for sleeper in due:
            self._go_on(sleeper.talk, None)
        return bool(due)

    def _pause(self) -> None:
        seconds = _GLANCE
        if self._sleeping:
            seconds = max(0.0, min(seconds, self._sleeping[0].due - time.monotonic()))
        if not self._talking:
            time.sleep(seconds)
            return
        begun = time.monotonic()
        is_quiet = self._multi.select(seconds) <= 0
        # It returns at once where it has no socket, or only such with numbers beyond 1,023.
        short = min(seconds, _NO_SOCKET)
        if is_quiet and time.monotonic() - begun < short:
            time.sleep(short)

    def _go_on(self, talk: Talk, answer: int | None) -> None:
        """Until it waits again, or to its end."""
        try:
            self._grant(talk, talk.send(answer))
        except StopIteration as end:
            self._tell(end.value)
        except BaseException as error:
            talk.close()
            self._tell(error)

    def _grant(self, talk: Talk, wish: object) -> None:
        if isinstance(wish, _Transfer):
            self._multi.add_handle(wish.curl)
            self._talking[wish.curl] = talk
        elif isinstance(wish, _Pause):
            due = time.monotonic() + wish.seconds
            heapq.heappush(self._sleeping, _Sleeper(due, next(self._numbers), talk))
        else:
            raise TypeError("a coroutine here waits for calls and pauses, and for nothing else")
