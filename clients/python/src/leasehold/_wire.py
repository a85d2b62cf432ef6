"""The two loops that carry out a flow's steps: by threads, and by asyncio. All I/O of the package is here."""

from __future__ import annotations

import asyncio
import inspect
import ssl
import threading
import time
import weakref
from contextlib import contextmanager
from typing import Any, Awaitable, Callable, Dict, Iterator, Optional

import httpx

from ._flow import Answer, Call, Flow, Pause, Replicas, Step, T, Tell
from .errors import Busy, Unreachable

#: For a connection, in seconds; less where another replica can be asked instead.
CONNECT_TIMEOUT = 5.0
CONNECT_TIMEOUT_OF_MANY = 2.0

#: For requests that are answered at once. What httpx does for each one grows with the square of its connections.
CONNECTIONS = 10

Progress = Callable[[int, Optional[float]], Any]


class Settings:
    """How connections are made. Holds the key, and never shows it."""

    def __init__(self, replicas: Replicas, api_key: Optional[str], ca_file: Optional[str], agent: str) -> None:
        self.replicas = replicas
        self._agent = agent
        self._key = api_key
        if api_key is not None and not (api_key.isascii() and api_key.isprintable()):
            raise ValueError("the API key has characters that a key never has (a line break?)")
        # Made once: it takes longer than a request.
        self._tls = ssl.create_default_context(cafile=ca_file) if ca_file else httpx.create_ssl_context()

    def __repr__(self) -> str:
        return f"Settings({self.replicas.urls})"

    def arguments(self, waits: bool) -> Dict[str, Any]:
        """Those of an httpx client, for requests that wait or for others.

        It follows no redirects, which would take the key elsewhere.
        """
        headers = {"User-Agent": self._agent, "Accept": "application/json"}
        if self._key is not None:
            # httpx shows all headers but this one.
            headers["Authorization"] = f"Bearer {self._key}"
        return {
            "headers": headers,
            "verify": self._tls,
            "trust_env": not self.replicas.are_local,
            # As many as there are waiters: one that waits for a connection would be told as a dead server.
            "limits": httpx.Limits(
                max_connections=None if waits else CONNECTIONS,
                max_keepalive_connections=CONNECTIONS,
                keepalive_expiry=30,
            ),
        }

    def request(self, call: Call) -> Dict[str, Any]:
        """The arguments of an httpx request."""
        connect = CONNECT_TIMEOUT if len(self.replicas) == 1 else CONNECT_TIMEOUT_OF_MANY
        return {
            "method": call.method,
            "url": call.base + call.path,
            "params": dict(call.query),
            "headers": dict(call.headers),
            "json": call.body,
            "timeout": httpx.Timeout(call.timeout, connect=min(connect, call.timeout)),
        }


def unreachable(base: str, error: Exception) -> Unreachable:
    """What a failure of httpx means."""
    if isinstance(error, httpx.PoolTimeout):
        return Busy(base, "no connection became free in time", sent=False)
    sent = not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol))
    if isinstance(error, httpx.TimeoutException):
        return Unreachable(base, "no answer in time", sent)
    return Unreachable(base, str(error) or type(error).__name__, sent)


def _answer(base: str, response: httpx.Response) -> Answer:
    return Answer(response.status_code, response.headers, response.content, base)


class Usage:
    """Counts what is being asked, so that connections are not closed under it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy = 0

    @contextmanager
    def using(self) -> Iterator[None]:
        """While something is asked."""
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1


class Wire(Usage):
    """Carries flows out in the calling thread. Threads may share one."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self._clients: Dict[bool, httpx.Client] = {}

    def client(self, call: Call) -> httpx.Client:
        """That for this call; made when it is needed."""
        with self._lock:
            client = self._clients.get(call.waits)
            if client is None:
                client = self._clients[call.waits] = httpx.Client(**self.settings.arguments(call.waits))
            return client

    def run(self, flow: Flow[T], on_progress: Optional[Progress] = None) -> T:
        """Its result."""
        outcome: Optional[Answer] = None
        try:
            step = next(flow)
            while True:
                if isinstance(step, Call):
                    try:
                        with self.using():
                            outcome = self._send(step)
                    except Unreachable as error:
                        step = flow.throw(error)
                        continue
                else:
                    outcome = None
                    self._do(step, on_progress)
                step = flow.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            flow.close()

    def _send(self, call: Call) -> Answer:
        try:
            return _answer(call.base, self.client(call).request(**self.settings.request(call)))
        except httpx.RequestError as error:
            raise unreachable(call.base, error) from error

    @staticmethod
    def _do(step: Step, on_progress: Optional[Progress]) -> None:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
        elif isinstance(step, Tell) and on_progress:
            on_progress(step.ticket.position, step.ticket.estimated_wait)

    def close(self) -> None:
        """Closes its connections; what is asked later makes others."""
        self._close(even_if_used=True)

    def rest(self) -> None:
        """Closes them, unless something is being asked."""
        self._close(even_if_used=False)

    def _close(self, even_if_used: bool) -> None:
        with self._lock:
            if self._busy and not even_if_used:
                return
            clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()


class AsyncWire(Usage):
    """Carries flows out in asyncio. Connections belong to an event loop: each one that uses it gets its own."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self._clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Dict[bool, httpx.AsyncClient]] = (
            weakref.WeakKeyDictionary()
        )

    def client(self, call: Call) -> httpx.AsyncClient:
        """That of the running loop for this call."""
        clients = self._clients.setdefault(asyncio.get_running_loop(), {})
        client = clients.get(call.waits)
        if client is None:
            client = clients[call.waits] = httpx.AsyncClient(**self.settings.arguments(call.waits))
        return client

    async def run(self, flow: Flow[T], on_progress: Optional[Progress] = None) -> T:
        """Its result."""
        outcome: Optional[Answer] = None
        try:
            step = next(flow)
            while True:
                if isinstance(step, Call):
                    try:
                        with self.using():
                            outcome = await self._send(step)
                    except Unreachable as error:
                        step = flow.throw(error)
                        continue
                else:
                    outcome = None
                    await self._do(step, on_progress)
                step = flow.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            flow.close()

    async def _send(self, call: Call) -> Answer:
        try:
            return _answer(call.base, await self.client(call).request(**self.settings.request(call)))
        except httpx.RequestError as error:
            raise unreachable(call.base, error) from error

    @staticmethod
    async def _do(step: Step, on_progress: Optional[Progress]) -> None:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
        elif isinstance(step, Tell) and on_progress:
            told = on_progress(step.ticket.position, step.ticket.estimated_wait)
            if inspect.isawaitable(told):
                await _awaited(told)

    async def close(self) -> None:
        """Closes the running loop's connections."""
        clients = self._clients.pop(asyncio.get_running_loop(), {})
        for client in clients.values():
            await client.aclose()

    async def rest(self) -> None:
        """Closes them, unless something is being asked."""
        if not self._busy:
            await self.close()


async def _awaited(told: Awaitable[Any]) -> None:
    await told
