"""The records of the API. What this version does not know of one is in its `raw`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Tuple


@dataclass(frozen=True)
class Endpoint:
    """Where a service of a container is reached."""

    #: `host:port` from outside; None when it is not published.
    address: Optional[str]
    #: `ip:port` on the containers' own network.
    internal: Optional[str]


@dataclass(frozen=True)
class Container:
    """One pre-warmed target."""

    id: str
    name: str
    target_type: str
    provider: str
    #: The engine's word, such as `running`.
    state: str
    #: `allocated`, `resetting`, `unhealthy`, `initializing` or `available`.
    pool_state: str
    cordoned: bool
    ip_address: Optional[str]
    #: The container's port, and the port to dial.
    ports: Mapping[str, int]
    #: By name, such as `vnc`.
    endpoints: Mapping[str, Endpoint]
    labels: Mapping[str, str]
    #: The session that has it.
    allocated_to: Optional[str]
    allocated_at: Optional[str]
    fencing_token: Optional[int]
    #: `healthy`, `unhealthy` or `unknown`, and why.
    health: str
    health_reason: Optional[str]
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Container:
        """From an answer."""
        health = data.get("health") or {}
        endpoints = {
            name: Endpoint(one.get("address"), one.get("internal"))
            for name, one in (data.get("endpoints") or {}).items()
        }
        return cls(
            id=data["id"],
            name=data["name"],
            target_type=data["target_type"],
            provider=data["provider"],
            state=data["state"],
            pool_state=data["pool_state"],
            cordoned=bool(data.get("cordoned")),
            ip_address=data.get("ip_address"),
            ports=dict(data.get("ports") or {}),
            endpoints=endpoints,
            labels=dict(data.get("labels") or {}),
            allocated_to=data.get("allocated_to"),
            allocated_at=data.get("allocated_at"),
            fencing_token=data.get("fencing_token"),
            health=str(health.get("status", "unknown")),
            health_reason=health.get("reason"),
            raw=data,
        )


@dataclass(frozen=True)
class Lease:
    """What a ready session holds."""

    fencing_token: int
    #: What a heartbeat renews it for, in seconds.
    ttl: int
    #: What was left when the answer was made, in seconds.
    expires_in: float
    #: How often to renew, in seconds.
    heartbeat_interval: int
    #: Redis may have lost leases: the next heartbeat is to carry the lease token.
    proof_wanted: bool
    #: What the lease is proven by. It is as good as the lease: never shown.
    lease_token: Optional[str] = field(repr=False)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Lease:
        """From an answer."""
        return cls(
            fencing_token=int(data["fencing_token"]),
            ttl=int(data["ttl_seconds"]),
            expires_in=int(data["expires_in_ms"]) / 1000,
            heartbeat_interval=int(data["heartbeat_interval_seconds"]),
            proof_wanted=bool(data.get("proof_wanted")),
            lease_token=data.get("lease_token"),
        )

    @property
    def interval(self) -> float:
        """Seconds between renewals. The server's number is whole, which is the whole of the shortest TTL: a third of
        that is.
        """
        return min(max(self.ttl, 1) / 3, max(self.heartbeat_interval, 1))


@dataclass(frozen=True)
class Ticket:
    """The place that a queued session has in its type's line."""

    #: 1 is the next.
    position: int
    #: Seconds; None where nothing is known yet.
    estimated_wait: Optional[float]
    #: The ticket ends unless it is asked for within so many seconds.
    poll_within: float
    #: The seconds of head start that were asked for.
    priority: int = 0

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Ticket:
        """From an answer."""
        return cls(
            position=data["position"],
            estimated_wait=data.get("estimated_wait_seconds"),
            poll_within=data["poll_within_seconds"],
            priority=data.get("priority", 0),
        )


@dataclass(frozen=True)
class Activity:
    """When a ready session was used, and when its holder was heard of."""

    #: Seconds since it was last reported to be used; None where nothing was.
    last_active_ago: Optional[float]
    #: Seconds since its lease was renewed; None where that is not known.
    last_heard_ago: Optional[float]
    #: Seconds until it ends for want of activity; None where no idle limit holds.
    idle_ends_in: Optional[float]

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Activity:
        """From an answer."""

        def seconds(name: str) -> Optional[float]:
            millis = data.get(name)
            return None if millis is None else millis / 1000

        return cls(seconds("last_active_ms_ago"), seconds("last_heard_ms_ago"), seconds("idle_ends_in_ms"))


@dataclass(frozen=True)
class EndWarning:
    """A session is about to end."""

    #: For what: `idle`, unless activity is reported, or `max_duration`.
    reason: str
    #: Seconds until then.
    ends_in: float

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> EndWarning:
        """From an answer."""
        return cls(data["reason"], data["ends_in_ms"] / 1000)


@dataclass(frozen=True)
class SessionRecord:
    """A session as the API tells of it."""

    id: str
    #: `queued`, `ready` or `ended`.
    state: str
    target_type: str
    owner: str
    container: Optional[Container]
    lease: Optional[Lease]
    ticket: Optional[Ticket]
    warnings: Tuple[EndWarning, ...]
    end_reason: Optional[str]
    metadata: Mapping[str, Any]
    #: None unless ready.
    activity: Optional[Activity] = None

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> SessionRecord:
        """From an answer."""
        container, lease, ticket = data.get("container"), data.get("lease"), data.get("ticket")
        activity = data.get("activity")
        return cls(
            id=data["id"],
            state=data["state"],
            target_type=data["target_type"],
            owner=data["owner"],
            container=Container.read(container) if container else None,
            lease=Lease.read(lease) if lease else None,
            ticket=Ticket.read(ticket) if ticket else None,
            warnings=tuple(EndWarning.read(one) for one in data.get("warnings") or ()),
            end_reason=data.get("end_reason"),
            metadata=dict(data.get("metadata") or {}),
            activity=Activity.read(activity) if activity else None,
        )


@dataclass(frozen=True)
class TypeStatus:
    """Counts of one type."""

    total: int
    available: int
    allocated: int
    resetting: int
    unhealthy: int
    initializing: int
    cordoned: int
    sessions_queued: int
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> TypeStatus:
        """From an answer."""
        names = (
            "total",
            "available",
            "allocated",
            "resetting",
            "unhealthy",
            "initializing",
            "cordoned",
            "sessions_queued",
        )
        counts: Dict[str, int] = {name: int(data.get(name) or 0) for name in names}
        return cls(raw=data, **counts)


@dataclass(frozen=True)
class PoolStatus:
    """How many containers there are."""

    total_containers: int
    available: int
    allocated: int
    by_type: Mapping[str, TypeStatus]
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> PoolStatus:
        """From an answer."""
        by_type = {name: TypeStatus.read(one) for name, one in data["by_type"].items()}
        return cls(data["total_containers"], data["available"], data["allocated"], by_type, data)


@dataclass(frozen=True)
class OutReason:
    """Why containers are not available, and what would help."""

    reason: str
    count: int
    detail: str
    help: str
    #: Names of some of them.
    containers: Tuple[str, ...]

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> OutReason:
        """From an answer."""
        names = tuple(one["name"] for one in data.get("containers") or ())
        return cls(data["reason"], data["count"], data["detail"], data["help"], names)


@dataclass(frozen=True)
class Explanation:
    """Why a type has nothing available."""

    target_type: str
    candidates: int
    available: int
    waiting: int
    summary: str
    reasons: Tuple[OutReason, ...]
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Explanation:
        """From an answer."""
        reasons: List[OutReason] = [OutReason.read(one) for one in data["reasons"]]
        return cls(
            data["target_type"],
            data["candidates"],
            data["available"],
            data["waiting"],
            data["summary"],
            tuple(reasons),
            data,
        )


@dataclass(frozen=True)
class Event:
    """Something that happened."""

    #: Unique; who may get an event twice knows it by this.
    id: str
    target_type: str
    #: Such as `session.ready`; `resync` when events are gone and what is known should be read anew.
    kind: str
    #: By Redis's clock (RFC 3339).
    at: str
    data: Mapping[str, Any]
    #: Where a stream with the same filter goes on after this event: `events(after=…)`.
    cursor: Optional[str] = field(default=None, repr=False, compare=False)

    @classmethod
    def read(cls, data: Mapping[str, Any], cursor: Optional[str]) -> Event:
        """From a line of the stream."""
        return cls(data["id"], data["target_type"], data["kind"], data["at"], data.get("data") or {}, cursor)
