"""Leases pre-warmed containers to sessions: the client of Leasehold.

    async with Pool("http://127.0.0.1:8088").session("wine", wait=30) as s:
        drive(s.endpoints["vnc"].address)

`Pool` is for asyncio, `SyncPool` for programs without it; `leasehold.legacy_use` replaces legacy-use's in-memory pool.
"""

from ._held import Held
from ._version import VERSION as __version__
from .errors import (
    ApiError,
    Busy,
    ContainerNotFound,
    ContainerUnavailable,
    Forbidden,
    InvalidRequest,
    LeaseholdError,
    LeaseLost,
    LeaseTokenRequired,
    LineFull,
    NoAvailableContainers,
    NotAuthenticated,
    NotUnderstood,
    PoolClosed,
    QuotaExceeded,
    RateLimited,
    Recovering,
    SessionEnded,
    SessionNotFound,
    Shortage,
    StaleFencingToken,
    Unavailable,
    UnknownTargetType,
    Unreachable,
)
from .models import (
    Container,
    Endpoint,
    EndWarning,
    Event,
    Explanation,
    OutReason,
    PoolStatus,
    SessionRecord,
    TypeStatus,
)
from .pool import Lost, Pool, Session
from .sync import SyncLost, SyncPool, SyncSession

__all__ = [
    "ApiError",
    "Busy",
    "Container",
    "ContainerNotFound",
    "ContainerUnavailable",
    "EndWarning",
    "Endpoint",
    "Event",
    "Explanation",
    "Forbidden",
    "Held",
    "InvalidRequest",
    "LeaseLost",
    "LeaseTokenRequired",
    "LeaseholdError",
    "LineFull",
    "Lost",
    "NoAvailableContainers",
    "NotAuthenticated",
    "NotUnderstood",
    "OutReason",
    "Pool",
    "PoolClosed",
    "PoolStatus",
    "QuotaExceeded",
    "RateLimited",
    "Recovering",
    "Session",
    "SessionEnded",
    "SessionNotFound",
    "SessionRecord",
    "Shortage",
    "StaleFencingToken",
    "SyncLost",
    "SyncPool",
    "SyncSession",
    "TypeStatus",
    "Unavailable",
    "UnknownTargetType",
    "Unreachable",
    "__version__",
]
