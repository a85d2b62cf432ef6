"""The interface of legacy-use's container pool, on Leasehold: that one's memory is replaced by one import.

    from leasehold.legacy_use import container_pool     # was: from server.utils.container_pool import container_pool

Allocations are in Redis: all processes of a backend see the same, and they outlive a restart of it. While the process
that allocated a container, or that asked for it since, lives, the lease is renewed; after its end it lasts for the
server's `limits.guide_ttl` (an hour), unless another process asks for it.
"""

from __future__ import annotations

import logging
import os
import time
from datetime import datetime
from enum import Enum
from typing import Any, Dict, List, Optional
from urllib.parse import quote

from ._base import DEFAULT_TIMEOUT, Urls
from ._flow import Call, Flow
from ._hold import Hold
from ._sessions import heartbeat
from .errors import (
    ApiError,
    ContainerNotFound,
    LeaseholdError,
    LeaseLost,
    NoAvailableContainers,
    SessionNotFound,
    UnknownTargetType,
)
from .models import Container, SessionRecord
from .pool import Pool

log = logging.getLogger("leasehold.legacy_use")

#: What was refreshed so many seconds ago is new enough, unless it is forced.
REFRESHED_FOR = 5.0


class ContainerState(str, Enum):
    """States a container can be in within the pool."""

    AVAILABLE = "available"
    ALLOCATED = "allocated"
    INITIALIZING = "initializing"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class ContainerInfo:
    """A container, with the names that legacy-use has for what is known of it."""

    def __init__(self, container: Container, allocated_to: Optional[str]) -> None:
        self.id = container.id
        self.name = container.name
        self.labels: Dict[str, str] = dict(container.labels)
        self.state = container.state
        self.status = container.state
        self.created: Optional[str] = container.raw.get("created_at")
        self.ip_address = container.ip_address
        self.ip = container.ip_address
        #: The container's port, and the port to dial.
        self.ports: Dict[str, str] = {port: str(dialled) for port, dialled in container.ports.items()}
        self.target_type = container.target_type
        self.is_scalable = True
        self.is_healthy = container.health == "healthy"
        #: The session's id as this process knows it, else Leasehold's.
        self.allocated_to = allocated_to or container.allocated_to
        self.allocated_at = _time_of(container.allocated_at)
        self.pool_state = _state_of(container.pool_state)
        #: The record of Leasehold, which says more.
        self.container = container

    def to_dict(self) -> Dict[str, Any]:
        """As the API of legacy-use answers it."""
        return {
            "id": self.id,
            "name": self.name,
            "target_type": self.target_type,
            "state": self.state,
            "pool_state": self.pool_state.value,
            "ip_address": self.ip_address,
            "ports": self.ports,
            "allocated_to": self.allocated_to,
            "allocated_at": self.allocated_at.isoformat() if self.allocated_at else None,
            "is_scalable": self.is_scalable,
        }

    def __repr__(self) -> str:
        return f"ContainerInfo({self.name!r}, {self.pool_state.value}, allocated_to={self.allocated_to!r})"


def _time_of(text: Optional[str]) -> Optional[datetime]:
    # Python 3.10 does not know the Z.
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def _state_of(pool_state: str) -> ContainerState:
    if pool_state == "resetting":
        # It is being made clean, and comes back: there is no word for it there.
        return ContainerState.INITIALIZING
    try:
        return ContainerState(pool_state)
    except ValueError:
        return ContainerState.UNKNOWN


class ContainerPool:
    """legacy-use's pool of containers, kept by Leasehold.

    Without arguments it is at `LEASEHOLD_URL`, with the key of `LEASEHOLD_API_KEY`, or `LEGACY_USE_API_KEY`. Where
    legacy-use answers None or False for what there is not, so does this; that Leasehold cannot be asked is a
    `LeaseholdError`.
    """

    def __init__(
        self,
        url: Urls = None,
        *,
        api_key: Optional[str] = None,
        timeout: float = DEFAULT_TIMEOUT,
        ca_file: Optional[str] = None,
    ) -> None:
        key = api_key or os.environ.get("LEASEHOLD_API_KEY") or os.environ.get("LEGACY_USE_API_KEY")
        self._pool = Pool(url, api_key=key, timeout=timeout, ca_file=ca_file)
        # Routes of legacy-use read it.
        self._containers: Dict[str, ContainerInfo] = {}
        #: Session ids of legacy-use, by those of Leasehold: what is renewed by this process.
        self._kept: Dict[str, str] = {}
        self._refreshed = float("-inf")

    async def initialize(self) -> None:
        """Looks at what there is. Not needed."""
        await self.refresh(force=True)

    async def cleanup(self) -> None:
        """Closes the connections, and renews no more. Allocations stay: another process may go on with them."""
        self._pool._keeper.close()
        self._kept.clear()
        await self._pool.aclose()

    async def allocate_container(self, session_id: str, target_type: str) -> Optional[ContainerInfo]:
        """A container for the session, the same one again for the same id; None when none is available."""
        path = f"/containers/{quote(target_type, safe='')}/allocate"
        call = Call("POST", path, {"session_id": str(session_id)}, timeout=self._pool._asking.timeout)
        try:
            answer = await self._pool._ask(self._pool._asking.patiently(call))
        except (NoAvailableContainers, UnknownTargetType) as error:
            log.info("no container for session %s: %s", session_id, error.detail)
            return None
        return await self._keep(str(session_id), answer.read(lambda data: Container.read(data["container"])))

    async def release_container(self, session_id: str) -> bool:
        """Gives the session's container back. False when it never had one; twice is fine, as a retry must be."""
        asking = self._pool._asking
        self._forget(str(session_id))
        call = Call("POST", f"/containers/{quote(str(session_id), safe='')}/release", timeout=asking.timeout)
        try:
            await self._pool._ask(asking.patiently(call))
        except SessionNotFound:
            return False
        return True

    async def get_container_for_session(self, session_id: str) -> Optional[ContainerInfo]:
        """The session's container; None when it has none."""
        try:
            container = await self._pool._ask(self._read_of_session(str(session_id)))
        except SessionNotFound:
            return None
        return await self._keep(str(session_id), container)

    async def get_available_containers(self, target_type: Optional[str] = None) -> List[ContainerInfo]:
        """All that would be given out now."""
        try:
            return [self._info(one) for one in await self._pool.containers(target_type, available_only=True)]
        except UnknownTargetType:
            return []

    async def get_pool_status(self) -> Dict[str, Any]:
        """Counts, in all and by type."""
        status = await self._pool.status()
        types = status.by_type
        return {
            "total_containers": status.total_containers,
            "available": status.available,
            "allocated": status.allocated,
            "initializing": sum(one.initializing + one.resetting for one in types.values()),
            "unhealthy": sum(one.unhealthy for one in types.values()),
            "by_type": {
                name: {"total": one.total, "available": one.available, "allocated": one.allocated}
                for name, one in types.items()
            },
        }

    async def refresh(self, force: bool = False) -> None:
        """Has the containers looked at anew, unless that was done just now. A failure is logged, as it is there."""
        if not force and time.monotonic() - self._refreshed < REFRESHED_FOR:
            return
        try:
            await self._pool.refresh()
            self._containers = {one.id: self._info(one) for one in await self._pool.containers()}
            self._refreshed = time.monotonic()
        except LeaseholdError as error:
            log.error("the containers could not be looked at: %s", error)

    async def check_container_health(self, container: ContainerInfo) -> bool:
        """Whether a container is healthy."""
        try:
            return (await self._pool.container(container.id)).health == "healthy"
        except ContainerNotFound:
            return False

    def _read_of_session(self, session_id: str) -> Flow[Container]:
        return self._pool._asking.read(f"/containers/session/{quote(session_id, safe='')}", Container.read)

    def _info(self, container: Container) -> ContainerInfo:
        return ContainerInfo(container, self._kept.get(container.allocated_to or ""))

    async def _keep(self, session_id: str, container: Container) -> ContainerInfo:
        """Renews the lease from now on, for the in-memory pool knew no end of it."""
        lease_id = container.allocated_to
        if lease_id is not None:
            if self._pool._keeper.get(lease_id) is None:
                await self._begin_to_keep(lease_id)
            self._kept[lease_id] = session_id
        return self._info(container)

    async def _begin_to_keep(self, lease_id: str) -> None:
        asking = self._pool._asking
        try:
            answer = await self._pool._ask(asking.patiently(heartbeat(lease_id, None, True, asking.timeout)))
        except ApiError as error:
            # It was given, and is read again before it is used long: then it is tried again.
            log.warning("session %s is not renewed: %s", lease_id, error)
            return
        hold = Hold(answer.read(SessionRecord.read), answer.sent, asking.clock, always_active=True)
        hold.on_lost(self._lost)
        self._pool._keeper.add(hold)

    def _lost(self, loss: LeaseLost) -> None:
        log.warning("session %s: %s", self._kept.pop(loss.session_id, "?"), loss)

    def _forget(self, session_id: str) -> None:
        for lease_id in [one for one, kept in list(self._kept.items()) if kept == session_id]:
            self._kept.pop(lease_id, None)
            hold = self._pool._keeper.get(lease_id)
            if hold is not None:
                self._pool._keeper.remove(hold)


#: That of the process, as in legacy-use. It connects to nothing before it is used.
container_pool = ContainerPool()
