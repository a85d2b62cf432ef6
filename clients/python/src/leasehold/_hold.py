"""A lease that is held: until when, and why no more."""

from __future__ import annotations

import logging
import os
import threading
from typing import Callable, List, Optional, Tuple, TypeVar

from ._flow import Clock
from .errors import LeaseLost
from .models import EndWarning, Lease, SessionRecord

log = logging.getLogger("leasehold")

#: The longest pause between a renewal that failed and the next try.
RETRY = 1.0

N = TypeVar("N")


class Hold:
    """What is known of one lease. Threads share it: the one that renews, the one that watches the clock, the holder's
    own.

    The container is the holder's until `deadline`, by this process's own monotonic clock: the time at which the last
    successful renewal was *sent*, plus what its answer granted. Lost is lost: nothing revives it.
    """

    def __init__(self, record: SessionRecord, sent: float, clock: Clock, always_active: bool) -> None:
        if record.lease is None:
            raise ValueError(f"session {record.id} has no lease")
        self.id = record.id
        self.lease: Lease = record.lease
        self.lease_token = record.lease.lease_token
        self.warnings: Tuple[EndWarning, ...] = record.warnings
        self.deadline = sent + record.lease.expires_in
        self.next = sent + record.lease.interval
        #: When the lease token that is held was asked for.
        self.proven = sent
        self.proof_wanted = False
        self.last_error: Optional[Exception] = None
        self.always_active = always_active
        #: Nobody has the session any more, and nobody released it. Only a flag, for garbage is collected at any moment,
        #: also when the thread at hand has locks.
        self.dropped = False
        self._used = False
        self._clock = clock
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._loss: Optional[LeaseLost] = None
        self._lost = threading.Event()
        self._on_lost: List[Callable[[LeaseLost], None]] = []
        self._on_warning: List[Callable[[Tuple[EndWarning, ...]], None]] = []

    @property
    def is_foreign(self) -> bool:
        """Whether this is a copy in a process that was forked from the holder's, which is not its holder."""
        return os.getpid() != self._pid

    def loss(self) -> Optional[LeaseLost]:
        """Why it is held no more; None while it is. The clock decides, whether or not the watching thread has run."""
        if self.is_foreign:
            return LeaseLost(self.id, "forked", "the process that this one was forked from holds it")
        if self._loss is None and self._clock() >= self.deadline:
            self.lose_by_silence()
        return self._loss

    def use(self) -> None:
        """The next renewal reports activity."""
        self._used = True

    def take_use(self) -> bool:
        """Whether it was used since the last renewal."""
        used, self._used = self._used, False
        return used or self.always_active

    def renewed(self, record: SessionRecord, sent: float) -> None:
        """A renewal that was sent then succeeded."""
        if record.lease is None:
            return
        with self._lock:
            if self._loss is not None:
                return
            self.lease = record.lease
            if record.lease.lease_token is not None:
                self.lease_token, self.proven = record.lease.lease_token, sent
            self.proof_wanted = record.lease.proof_wanted
            self.deadline = sent + record.lease.expires_in
            self.next = sent + record.lease.interval
            self.last_error = None
            changed, self.warnings = self.warnings != record.warnings, record.warnings
            tell = list(self._on_warning) if changed and record.warnings else []
        for told in tell:
            _tell(told, record.warnings)

    def failed(self, error: Exception, now: float) -> None:
        """A renewal failed, and another one may succeed."""
        self.last_error = error
        self.next = now + min(RETRY, self.lease.interval / 4)

    def lose_by_silence(self) -> None:
        """The deadline came."""
        if self.last_error is None and self.warnings:
            # Renewals went well, and granted less and less.
            end = min(self.warnings, key=lambda warning: warning.ends_in)
            self.lose(LeaseLost(self.id, end.reason, "its limit was reached, as was warned of"))
            return
        last = f": {self.last_error}" if self.last_error else ""
        self.lose(LeaseLost(self.id, "silence", f"it could not be renewed in time{last}"))

    def lose(self, loss: LeaseLost) -> None:
        """It is held no more. The first reason stays."""
        with self._lock:
            if self._loss is not None:
                return
            self._loss = loss
            tell = list(self._on_lost)
        self._lost.set()
        for told in tell:
            _tell(told, loss)

    def wait(self, timeout: Optional[float]) -> bool:
        """Waits for its loss, and says whether that came."""
        self._lost.wait(timeout)
        return self.loss() is not None

    def on_lost(self, told: Callable[[LeaseLost], None]) -> None:
        """Has `told` called, by any thread, when it is lost; at once when it is already."""
        with self._lock:
            if self._loss is None:
                self._on_lost.append(told)
                return
        told(self._loss)

    def on_warning(self, told: Callable[[Tuple[EndWarning, ...]], None]) -> None:
        """Has `told` called, by any thread, when what is warned of changes; at once when there is something already."""
        with self._lock:
            self._on_warning.append(told)
        if self.warnings:
            told(self.warnings)


def _tell(told: Callable[[N], object], news: N) -> None:
    # It is the holder's code, in the thread that keeps every lease.
    try:
        told(news)
    except Exception:
        log.exception("what is told of a lease's loss or end failed")
