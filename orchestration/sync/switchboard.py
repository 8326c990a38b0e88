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
from queue import Empty, SimpleQueue
from threading import Thread
from types import coroutine
from typing import Any, Self

import pycurl

# Longest time in seconds for which a board that waits for answers does not look for new work.
_GLANCE = 0.05
# ... and for which nothing is looked for while libcurl has no socket to wait for.
_NO_SOCKET = 0.005

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
        while self._is_open or self._waiting or self._underway:
            self._take()
            while self._waiting and self._underway < self._size:
                self._go_on(self._waiting.popleft(), None)
            if not self._answer() and not self._wake() and self._underway:
                self._pause()

    @property
    def _underway(self) -> int:
        return len(self._talking) + len(self._sleeping)

    def _take(self) -> None:
        """New work; with nothing else to do, wait for it."""
        while self._is_open:
            is_idle = not self._waiting and not self._underway
            try:
                fresh = self._queue.get(block=is_idle)
            except Empty:
                return
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
        # libcurl waits for nothing while it has no socket, as when a name is resolved.
        if not self._talking:
            time.sleep(seconds)
        elif self._multi.select(seconds) < 0:
            time.sleep(min(seconds, _NO_SOCKET))

    def _go_on(self, talk: Talk, answer: int | None) -> None:
        """Until it waits again, or to its end."""
        try:
            wish = talk.send(answer)
        except StopIteration as end:
            self._tell(end.value)
        except BaseException as error:
            self._tell(error)
        else:
            if isinstance(wish, _Transfer):
                self._talking[wish.curl] = talk
                self._multi.add_handle(wish.curl)
            else:
                due = time.monotonic() + wish.seconds
                heapq.heappush(self._sleeping, _Sleeper(due, next(self._numbers), talk))
