"""A pool for asyncio."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from types import TracebackType
from typing import Any, AsyncIterator, Awaitable, Callable, Generator, List, Mapping, Optional, Tuple, Type

import httpx

from ._base import DEFAULT_TIMEOUT, PoolBase, Urls, hold_of, wish_of
from ._events import Following
from ._flow import Call, Flow, T
from ._held import Held
from ._hold import Hold
from ._sessions import Acquisition, Wish, release
from ._wire import AsyncWire, Progress, unreachable
from .errors import LeaseholdError, LeaseLost
from .models import Container, EndWarning, Event, Explanation, PoolStatus, SessionRecord

log = logging.getLogger("leasehold")

OnWarning = Callable[[Tuple[EndWarning, ...]], None]


class Lost:
    """The loss of a lease: `await session.lost` returns it when it comes."""

    def __init__(self, hold: Hold) -> None:
        self._hold = hold
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        hold.on_lost(lambda _: call_soon(self._loop, self._event.set))

    def is_set(self) -> bool:
        """Whether it has come."""
        return self._hold.loss() is not None

    async def wait(self) -> LeaseLost:
        """Waits for it."""
        while True:
            loss = self._hold.loss()
            if loss is not None:
                return loss
            await self._event.wait()

    def __await__(self) -> Generator[Any, None, LeaseLost]:
        return self.wait().__await__()


def call_soon(loop: asyncio.AbstractEventLoop, call: Callable[[], Any]) -> None:
    """Has another thread's loop call this, unless it is closed."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call)


class Session(Held):
    """A held container, in asyncio. See `Held` for what it tells."""

    def __init__(self, pool: Pool, record: SessionRecord, container: Container, hold: Hold) -> None:
        super().__init__(record, container, hold)
        self._pool = pool
        self.lost = Lost(hold)

    async def release(self) -> None:
        """Gives the container back; twice is fine. A failure is raised, and the lease then ends at its TTL."""
        if self._released or self._hold.is_foreign:
            return
        self._released = True
        self._pool._keeper.remove(self._hold)
        asking, lease = self._pool._asking, self._hold.lease
        try:
            await self._pool._wire.run(release(asking, self.id, lease))
        except asyncio.CancelledError:
            # Cancelled while giving back: it is done all the same.
            self._pool._keeper.later(release(asking, self.id, lease))
            raise


class Taking:
    """`async with pool.session(…) as s`: takes on the way in, gives back on the way out, whatever happens between."""

    def __init__(self, take: Callable[[], Awaitable[Session]], cancel_on_loss: bool) -> None:
        self._take = take
        self._cancel_on_loss = cancel_on_loss
        self._session: Optional[Session] = None
        self._task: Optional[asyncio.Task[Any]] = None
        self._cancelled = False
        self._cancelling = 0

    async def __aenter__(self) -> Session:
        session = self._session = await self._take()
        if self._cancel_on_loss:
            self._task = asyncio.current_task()
            self._cancelling = _cancelling(self._task)
            loop = asyncio.get_running_loop()
            session._hold.on_lost(lambda _: call_soon(loop, self._cancel))
        return session

    def _cancel(self) -> None:
        if self._task is not None:
            self._cancelled = True
            self._task.cancel()

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        session, task, self._task = self._session, self._task, None
        if session is None:
            return
        loss = None if session._released or session._hold.is_foreign else session._hold.loss()
        others_too = self._cancelled and await self._uncancel(task, kind)
        try:
            await session.release()
        except LeaseholdError as failure:
            log.warning("session %s could not be released, and ends at its TTL: %s", session.id, failure)
        await session._pool._rest()
        if others_too and kind is None:
            raise asyncio.CancelledError
        # Work that ended well may have been done in somebody else's container.
        by_us = self._cancelled and not others_too and kind is not None and issubclass(kind, asyncio.CancelledError)
        if loss is not None and (kind is None or by_us):
            raise loss.again() from error

    async def _uncancel(self, task: Optional[asyncio.Task[Any]], kind: Optional[Type[BaseException]]) -> bool:
        """Takes back the cancellation that the loss made, and says whether somebody else wants one as well."""
        if kind is None:
            # It was asked for, and has not come yet.
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
        uncancel = getattr(task, "uncancel", None)
        return bool(uncancel and uncancel() > self._cancelling)


def _cancelling(task: Optional[asyncio.Task[Any]]) -> int:
    """How many want the task to be cancelled; Python counts them from 3.11 on."""
    cancelling = getattr(task, "cancelling", None)
    return int(cancelling()) if cancelling else 0


class Pool(PoolBase):
    """A pool of containers behind one address, or behind several replicas of it, for asyncio.

    `url` is an address or a list of them (the environment's `LEASEHOLD_URL`, else this machine's port 8088), `api_key`
    the key (`LEASEHOLD_API_KEY`). `timeout` bounds an answer, and all tries of a call, in seconds. `ca_file` has the
    authorities that sign the server's certificate, where they are not the machine's. Connects to nothing yet; threads
    may share it.
    """

    def __init__(
        self,
        url: Urls = None,
        *,
        api_key: Optional[str] = None,
        timeout: float = DEFAULT_TIMEOUT,
        ca_file: Optional[str] = None,
    ) -> None:
        super().__init__(url, api_key, timeout, ca_file)

    def _begin(self) -> None:
        super()._begin()
        self._wire = AsyncWire(self._settings)

    async def __aenter__(self) -> Pool:
        self._open()
        self._entered = True
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Gives back what is still held, and closes the connections."""
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        for hold in await loop.run_in_executor(None, self._keeper.close):
            hold.lose(LeaseLost(hold.id, "released", "its pool was closed"))
            try:
                await self._wire.run(release(self._asking, hold.id, hold.lease))
            except LeaseholdError as failure:
                log.warning("session %s could not be released, and ends at its TTL: %s", hold.id, failure)
        await self._wire.close()

    def session(
        self,
        target_type: str,
        *,
        wait: float = 0.0,
        ttl: Optional[int] = None,
        priority: Optional[int] = None,
        max_duration: Optional[int] = None,
        idle: Optional[int] = None,
        affinity: Optional[str] = None,
        container_id: Optional[str] = None,
        metadata: Optional[Mapping[str, Any]] = None,
        active: bool = True,
        on_progress: Optional[Progress] = None,
        on_warning: Optional[OnWarning] = None,
        cancel_on_loss: bool = False,
    ) -> Taking:
        """A container for the body of an `async with`.

        `wait` is how long to stand in line, `ttl` how long the lease lasts without a renewal, `max_duration` and `idle`
        when it ends in spite of them; all in seconds. `affinity` prefers the container that the owner's last session
        with the same word had. With `active=False` renewals report activity only after `session.active()`.
        `on_progress(position, estimate)` is told the place in line, `on_warning(warnings)` what will end the session.
        With `cancel_on_loss` the body is cancelled when the lease is lost, and `LeaseLost` raised in its place;
        without, the loss is raised by `check()` and at the end.
        """
        wish = wish_of(
            target_type, wait, metadata, ttl=ttl, priority=priority, max_duration=max_duration, idle=idle,
            affinity=affinity, container_id=container_id,
        )  # fmt: skip
        return Taking(lambda: self._take(wish, active, on_progress, on_warning), cancel_on_loss)

    async def acquire(
        self,
        target_type: str,
        *,
        wait: float = 0.0,
        ttl: Optional[int] = None,
        priority: Optional[int] = None,
        max_duration: Optional[int] = None,
        idle: Optional[int] = None,
        affinity: Optional[str] = None,
        container_id: Optional[str] = None,
        metadata: Optional[Mapping[str, Any]] = None,
        active: bool = True,
        on_progress: Optional[Progress] = None,
        on_warning: Optional[OnWarning] = None,
    ) -> Session:
        """The same without a body: whoever calls it releases the session."""
        wish = wish_of(
            target_type, wait, metadata, ttl=ttl, priority=priority, max_duration=max_duration, idle=idle,
            affinity=affinity, container_id=container_id,
        )  # fmt: skip
        return await self._take(wish, active, on_progress, on_warning)

    async def _take(
        self, wish: Wish, active: bool, on_progress: Optional[Progress], on_warning: Optional[OnWarning]
    ) -> Session:
        self._open()
        acquisition = Acquisition(self._asking, wish, on_progress is not None)
        try:
            confirmed = await self._wire.run(acquisition.run(), on_progress)
            hold = hold_of(self._asking, confirmed, active)
            container = confirmed[0].container
            if container is None:
                raise hold.loss() or LeaseLost(hold.id, "ended", "it was granted without a container")
            self._keeper.add(hold)
        except BaseException:
            if acquisition.open:
                self._keeper.later(acquisition.withdraw())
            raise
        if on_warning is not None:
            loop = asyncio.get_running_loop()
            hold.on_warning(lambda warnings: call_soon(loop, lambda: on_warning(warnings)))
        return Session(self, confirmed[0], container, hold)

    async def _rest(self) -> None:
        """Nobody closes a pool that was made for one session: it keeps no connections beyond it."""
        if not self._entered and self._keeper.is_idle:
            await self._wire.rest()

    async def _ask(self, flow: Flow[T]) -> T:
        self._open()
        return await self._wire.run(flow)

    async def status(self) -> PoolStatus:
        """How many containers there are, by type and state."""
        return await self._ask(self._read_status())

    async def containers(self, target_type: Optional[str] = None, *, available_only: bool = False) -> List[Container]:
        """All containers, or those of a type, or those that would be given out now."""
        return await self._ask(self._read_containers(target_type, available_only))

    async def container(self, container_id: str) -> Container:
        """One container."""
        return await self._ask(self._read_container(container_id))

    async def session_record(self, session_id: str) -> SessionRecord:
        """A session, as the API tells of it; anybody's with an admin's key."""
        return await self._ask(self._read_session(session_id))

    async def explain(self, target_type: str) -> Explanation:
        """Why a type has nothing available, and what would help."""
        return await self._ask(self._read_explanation(target_type))

    async def refresh(self) -> bool:
        """Has every provider looked at now; whether that was done in time."""
        call = Call("POST", "/containers/refresh", timeout=self._asking.timeout)
        return bool((await self._ask(self._asking.patiently(call))).json()["refreshed"])

    async def events(
        self,
        *,
        target_type: Optional[str] = None,
        kind: Optional[str] = None,
        session: Optional[str] = None,
        container: Optional[str] = None,
        from_start: bool = False,
        follow: bool = True,
        after: Optional[str] = None,
    ) -> AsyncIterator[Event]:
        """What happens, from now on, or from all that is kept; `kind` is how kinds begin, such as `session.`.

        A connection that breaks is made again, on any replica, and goes on where it was. `after` is the `cursor` of an
        event: what comes after it. Without `follow` it ends after what is kept.
        """
        self._open()
        following = Following(self._asking.replicas, target_type, kind, session, container, from_start, follow, after)
        while True:
            call = following.connect()
            try:
                with self._wire.using():
                    async with self._wire.client(call).stream(**self._settings.request(call)) as response:
                        if not following.accepted(response.status_code):
                            following.refused(response.status_code, response.headers, await response.aread())
                        async for chunk in response.aiter_bytes():
                            for event in following.read(chunk):
                                yield event
                if not follow:
                    return
            except httpx.RequestError as error:
                following.broke(unreachable(call.base, error))
            await asyncio.sleep(following.pause())
