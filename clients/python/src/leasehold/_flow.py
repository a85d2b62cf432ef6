"""What is asked and in which order, without doing it.

A *flow* is a generator that yields steps (send this, pause, tell of the place in line) and is sent each one's outcome.
All decisions are in flows; `_wire` has the two small loops that carry their steps out, with and without `await`.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Generator, List, Mapping, Optional, Sequence, Tuple, TypeVar, Union
from urllib.parse import urlsplit

from .errors import Busy, LeaseholdError, NotUnderstood, Unreachable, read_problem
from .models import Ticket

T = TypeVar("T")
Clock = Callable[[], float]

#: Pauses between rounds double from the first to the longest, each shortened by chance by up to half.
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
#: No request is given less time than this: it could never succeed.
LEAST_TIMEOUT = 0.25


@dataclass
class Fate:
    """Whether the server may have executed a request, by any of its tries."""

    in_flight: bool = False
    reached: bool = False


@dataclass(frozen=True)
class Call:
    """A request: to be sent to `base`, and to be given up after `timeout` seconds."""

    method: str
    path: str
    query: Mapping[str, Union[str, int]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Optional[Mapping[str, Any]] = None
    timeout: float = 10.0
    #: The server may be long in answering, for it waits for something.
    waits: bool = False
    base: str = ""
    fate: Fate = field(default_factory=Fate)


@dataclass(frozen=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    base: str
    #: When its request was sent, by the clock of the flow.
    sent: float = 0.0

    def json(self) -> Any:
        """Its body."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise NotUnderstood(self.base, str(error)) from None

    def read(self, reader: Callable[[Mapping[str, Any]], T]) -> T:
        """Its body as a record."""
        try:
            return reader(self.json())
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise NotUnderstood(self.base, f"{type(error).__name__}: {error}") from None


@dataclass(frozen=True)
class Pause:
    """Nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Tell:
    """The caller is told of its place in line."""

    ticket: Ticket


Step = Union[Call, Pause, Tell]
Flow = Generator[Step, Optional[Answer], T]


class Replicas:
    """The addresses that lead to the pool, and which of them answered last. All threads of a pool share it."""

    def __init__(self, urls: Union[str, Sequence[str]]) -> None:
        self.urls: List[str] = [_checked(url) for url in ([urls] if isinstance(urls, str) else urls)]
        if not self.urls:
            raise ValueError("url = []: at least one address is needed, such as http://127.0.0.1:8088")
        # Many clients with one list are not all to begin with its first.
        self._at = random.randrange(len(self.urls))

    def __len__(self) -> int:
        return len(self.urls)

    @property
    def current(self) -> str:
        """Where to send the next request."""
        return self.urls[self._at % len(self.urls)]

    def failed(self, url: str) -> None:
        """Leads on to the next one, unless another thread did already."""
        if self.current == url:
            self._at = (self._at + 1) % len(self.urls)

    @property
    def are_local(self) -> bool:
        """Whether all of them are on this machine, where no proxy is wanted."""
        return all(urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1") for url in self.urls)


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"url = {url!r}: it must begin with http:// or https:// and a host, such as http://127.0.0.1:8088"
        )
    if parts.username or parts.password:
        raise ValueError(f"the url of {parts.hostname} has a user or a password; give the key as api_key")
    return url.rstrip("/")


class Asking:
    """How the API is asked: where, for how long, and how often again."""

    def __init__(self, replicas: Replicas, timeout: float, clock: Clock = time.monotonic) -> None:
        self.replicas = replicas
        #: For an answer that does not wait for a container, and for all tries of one call.
        self.timeout = timeout
        self.clock = clock

    def patiently(self, call: Call, deadline: Optional[float] = None) -> Flow[Answer]:
        """Sends what is safe to repeat until it is answered, round after round of all addresses, and never past the
        deadline.

        A server that asks for a longer pause than is left is not waited for.
        """
        until = self.clock() + self.timeout if deadline is None else deadline
        rounds = 0
        while True:
            try:
                return (yield from self.one_round(call, until))
            except LeaseholdError as error:
                if not error.passing:
                    raise
                backoff = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(rounds, 10)) * random.uniform(0.5, 1)
                pause = max(backoff, error.retry_after or 0.0)
                if self.clock() + pause >= until:
                    raise
            rounds += 1
            yield Pause(pause)

    def one_round(self, call: Call, until: Optional[float] = None) -> Flow[Answer]:
        """Sends to one address after the other until one serves. `until` bounds each answer's time."""
        for left in reversed(range(len(self.replicas))):
            timeout = call.timeout if until is None else min(call.timeout, max(until - self.clock(), LEAST_TIMEOUT))
            base = self.replicas.current
            try:
                return (yield from self._once(replace(call, base=base, timeout=timeout)))
            except LeaseholdError as error:
                if error.passing and not isinstance(error, Busy):
                    self.replicas.failed(base)
                if not error.passing or not left or (until is not None and self.clock() >= until):
                    raise
        raise Unreachable(self.replicas.current, "no address")  # pragma: no cover

    def _once(self, call: Call) -> Flow[Answer]:
        sent = self.clock()
        call.fate.in_flight = True
        try:
            answer = yield call
        except Unreachable as error:
            call.fate.in_flight = False
            call.fate.reached |= error.sent
            raise
        call.fate.in_flight, call.fate.reached = False, True
        if answer is None:  # pragma: no cover
            raise TypeError("a call was not answered")
        if not 200 <= answer.status < 300:
            raise read_problem(answer.status, answer.headers, answer.body)
        return replace(answer, sent=sent)

    def read(self, path: str, reader: Callable[[Mapping[str, Any]], T], **query: Optional[Union[str, int]]) -> Flow[T]:
        """`GET path`, as a record."""
        given = {name: value for name, value in query.items() if value is not None}
        answer = yield from self.patiently(Call("GET", path, given, timeout=self.timeout))
        return answer.read(reader)

    def pages(
        self, path: str, reader: Callable[[Mapping[str, Any]], Tuple[List[T], Optional[str]]], **query: Optional[str]
    ) -> Flow[List[T]]:
        """All pages of `GET path`; the reader gives a page's items and the cursor of the next."""
        found: List[T] = []
        cursor: Optional[str] = None
        while True:
            items, cursor = yield from self.read(path, reader, cursor=cursor, **query)
            found += items
            if cursor is None:
                return found
