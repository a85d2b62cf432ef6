"""What a held session tells, without I/O."""

from __future__ import annotations

import os
import weakref
from typing import Any, Mapping, Optional, Tuple

from ._hold import Hold
from .errors import LeaseLost
from .models import Container, Endpoint, EndWarning, SessionRecord


class Held:
    """A session that holds a container, renewed in the background until it is released.

    The container is its holder's only until the lease is lost: `check()` raises then. That is decided by this process's
    own monotonic clock: the time at which the last successful renewal was *sent*, plus what its answer granted.
    """

    def __init__(self, record: SessionRecord, container: Container, hold: Hold) -> None:
        self._record = record
        self._container = container
        self._hold = hold
        self._pid = os.getpid()
        self._released = False
        weakref.finalize(self, setattr, hold, "dropped", True).atexit = False

    @property
    def id(self) -> str:
        """The session's id."""
        return self._record.id

    @property
    def target_type(self) -> str:
        """Which kind of container."""
        return self._record.target_type

    @property
    def container(self) -> Container:
        """The container, as it was when it was given."""
        return self._container

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """Where its services are reached, by name, such as `vnc`."""
        return self._container.endpoints

    @property
    def metadata(self) -> Mapping[str, Any]:
        """As it was given."""
        return self._record.metadata

    @property
    def fencing_token(self) -> int:
        """Grows with every lease of the container: what is written elsewhere in this session's name can carry it."""
        return self._hold.lease.fencing_token

    @property
    def lease_token(self) -> Optional[str]:
        """What proves the lease when Redis has lost it; sent with renewals by itself. It is a secret."""
        return self._hold.lease_token

    @property
    def ttl(self) -> int:
        """What a renewal is for, in seconds."""
        return self._hold.lease.ttl

    @property
    def held_for(self) -> float:
        """For how many seconds the container is surely this session's, should no further renewal succeed; 0 when it
        is lost.
        """
        return 0.0 if self._released or self._hold.loss() else max(0.0, self._hold.deadline - self._hold._clock())

    @property
    def warnings(self) -> Tuple[EndWarning, ...]:
        """Of the ends that come near, such as `max_duration`: what the last renewal told."""
        return self._hold.warnings

    def active(self) -> None:
        """The session is used: its idle limit counts from the next renewal. Needed only with `active=False`."""
        self._hold.use()

    def check(self) -> None:
        """Raises `LeaseLost` when the container is not this session's any more. Costs no request."""
        if self._released:
            raise LeaseLost(self.id, "released", "it was given back")
        loss = self._hold.loss()
        if loss is not None:
            raise loss.again()

    def __repr__(self) -> str:
        state = "released" if self._released else "lost" if self._hold.loss() else "held"
        name = self._container.name
        return f"<{type(self).__name__} {self.id} {state} container={name!r} fencing_token={self.fencing_token}>"
