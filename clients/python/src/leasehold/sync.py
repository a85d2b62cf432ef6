"""A pool for programs without asyncio."""

from __future__ import annotations

import logging
import time
from types import TracebackType
from typing import Any, Callable, Iterator, List, Mapping, Optional, Type

import httpx

from ._base import DEFAULT_TIMEOUT, PoolBase, Urls, hold_of, wish_of
from ._events import Following
from ._flow import Call, Flow, T
from ._held import Held
from ._hold import Hold
from ._sessions import Acquisition, Wish, release
from ._wire import Progress, Wire, unreachable
from .errors import LeaseholdError, LeaseLost
from .models import Container, Event, Explanation, PoolStatus, SessionRecord
from .pool import OnWarning

log = logging.getLogger("leasehold")


class SyncLost:
    """The loss of a lease."""

    def __init__(self, hold: Hold) -> None:
        self._hold = hold

    def is_set(self) -> bool:
        """Whether it has come."""
        return self._hold.loss() is not None

    def wait(self, timeout: Optional[float] = None) -> Optional[LeaseLost]:
        """Waits for it, at most so many seconds; None when it did not come."""
        self._hold.wait(timeout)
        return self._hold.loss()


class SyncSession(Held):
    """A held container. See `Held` for what it tells; threads may share it."""

    def __init__(self, pool: SyncPool, record: SessionRecord, container: Container, hold: Hold) -> None:
        super().__init__(record, container, hold)
        self._pool = pool
        self.lost = SyncLost(hold)

    def release(self) -> None:
        """Gives the container back; twice is fine. A failure is raised, and the lease then ends at its TTL."""
        if self._released or self._hold.is_foreign:
            return
        self._released = True
        self._pool._keeper.remove(self._hold)
        asking, lease = self._pool._asking, self._hold.lease
        try:
            self._pool._wire.run(release(asking, self.id, lease))
        except (KeyboardInterrupt, SystemExit):
            # Interrupted while giving back: it is done all the same.
            self._pool._keeper.later(release(asking, self.id, lease))
            raise


class SyncTaking:
    """`with pool.session(…) as s`: takes on the way in, gives back on the way out, whatever happens between."""

    def __init__(self, take: Callable[[], SyncSession]) -> None:
        self._take = take
        self._session: Optional[SyncSession] = None

    def __enter__(self) -> SyncSession:
        session = self._session = self._take()
        return session

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        session = self._session
        if session is None:
            return
        loss = None if session._released or session._hold.is_foreign else session._hold.loss()
        try:
            session.release()
        except LeaseholdError as failure:
            log.warning("session %s could not be released, and ends at its TTL: %s", session.id, failure)
        session._pool._rest()
        # Work that ended well may have been done in somebody else's container.
        if loss is not None and kind is None:
            raise loss.again()


class SyncPool(PoolBase):
    """A pool of containers behind one address, or behind several replicas of it. Threads may share it.

    `url` is an address or a list of them (the environment's `LEASEHOLD_URL`, else this machine's port 8088), `api_key`
    the key (`LEASEHOLD_API_KEY`). `timeout` bounds an answer, and all tries of a call, in seconds. `ca_file` has the
    authorities that sign the server's certificate, where they are not the machine's. Connects to nothing yet.
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
        self._wire = Wire(self._settings)

    def __enter__(self) -> SyncPool:
        self._open()
        self._entered = True
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives back what is still held, and closes the connections."""
        if self._closed:
            return
        self._closed = True
        for hold in self._keeper.close():
            hold.lose(LeaseLost(hold.id, "released", "its pool was closed"))
            try:
                self._wire.run(release(self._asking, hold.id, hold.lease))
            except LeaseholdError as failure:
                log.warning("session %s could not be released, and ends at its TTL: %s", hold.id, failure)
        self._wire.close()

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
    ) -> SyncTaking:
        """A container for the body of an `with`.

        `wait` is how long to stand in line, `ttl` how long the lease lasts without a renewal, `max_duration` and `idle`
        when it ends in spite of them; all in seconds. `affinity` prefers the container that the owner's last session
        with the same word had. With `active=False` renewals report activity only after `session.active()`.
        `on_progress(position, estimate)` is told the place in line, `on_warning(warnings)` what will end the session,
        by the thread that renews. When the lease is lost, `LeaseLost` is raised by `check()`, and at the end of the
        body.
        """
        wish = wish_of(
            target_type, wait, metadata, ttl=ttl, priority=priority, max_duration=max_duration, idle=idle,
            affinity=affinity, container_id=container_id,
        )  # fmt: skip
        return SyncTaking(lambda: self._take(wish, active, on_progress, on_warning))

    def acquire(
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
    ) -> SyncSession:
        """The same without a body: whoever calls it releases the session."""
        wish = wish_of(
            target_type, wait, metadata, ttl=ttl, priority=priority, max_duration=max_duration, idle=idle,
            affinity=affinity, container_id=container_id,
        )  # fmt: skip
        return self._take(wish, active, on_progress, on_warning)

    def _take(
        self, wish: Wish, active: bool, on_progress: Optional[Progress], on_warning: Optional[OnWarning]
    ) -> SyncSession:
        self._open()
        acquisition = Acquisition(self._asking, wish, on_progress is not None)
        try:
            confirmed = self._wire.run(acquisition.run(), on_progress)
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
            hold.on_warning(on_warning)
        return SyncSession(self, confirmed[0], container, hold)

    def _rest(self) -> None:
        """Nobody closes a pool that was made for one session: it keeps no connections beyond it."""
        if not self._entered and self._keeper.is_idle:
            self._wire.rest()

    def _ask(self, flow: Flow[T]) -> T:
        self._open()
        return self._wire.run(flow)

    def status(self) -> PoolStatus:
        """How many containers there are, by type and state."""
        return self._ask(self._read_status())

    def containers(self, target_type: Optional[str] = None, *, available_only: bool = False) -> List[Container]:
        """All containers, or those of a type, or those that would be given out now."""
        return self._ask(self._read_containers(target_type, available_only))

    def container(self, container_id: str) -> Container:
        """One container."""
        return self._ask(self._read_container(container_id))

    def session_record(self, session_id: str) -> SessionRecord:
        """A session, as the API tells of it; anybody's with an admin's key."""
        return self._ask(self._read_session(session_id))

    def explain(self, target_type: str) -> Explanation:
        """Why a type has nothing available, and what would help."""
        return self._ask(self._read_explanation(target_type))

    def refresh(self) -> bool:
        """Has every provider looked at now; whether that was done in time."""
        call = Call("POST", "/containers/refresh", timeout=self._asking.timeout)
        return bool((self._ask(self._asking.patiently(call))).json()["refreshed"])

    def events(
        self,
        *,
        target_type: Optional[str] = None,
        kind: Optional[str] = None,
        session: Optional[str] = None,
        container: Optional[str] = None,
        from_start: bool = False,
        follow: bool = True,
        after: Optional[str] = None,
    ) -> Iterator[Event]:
        """What happens, from now on, or from all that is kept; `kind` is how kinds begin, such as `session.`.

        A connection that breaks is made again, on any replica, and goes on where it was. `after` is the `cursor` of an
        event: what comes after it. Without `follow` it ends after what is kept.
        """
        self._open()
        following = Following(self._asking.replicas, target_type, kind, session, container, from_start, follow, after)
        while True:
            call = following.connect()
            try:
                with self._wire.using(), self._wire.client(call).stream(**self._settings.request(call)) as response:
                    if not following.accepted(response.status_code):
                        following.refused(response.status_code, response.headers, response.read())
                    for chunk in response.iter_bytes():
                        yield from following.read(chunk)
                if not follow:
                    return
            except httpx.RequestError as error:
                following.broke(unreachable(call.base, error))
            time.sleep(following.pause())
