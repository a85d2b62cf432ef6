"""Keeps leases: renews them in threads of its own, so that a blocked event loop costs none."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Callable, Dict, List, Optional

from ._flow import LEAST_TIMEOUT, Asking, Flow
from ._hold import Hold
from ._sessions import release, renew
from ._wire import Settings, Wire
from .errors import LeaseholdError, PoolClosed

log = logging.getLogger("leasehold")

#: What becomes due within this part of its interval is renewed along, so that renewals come together.
ALONG = 0.1
#: How long threads stay when nothing is held, in seconds.
LINGER = 5.0
#: How many things may be given back in the background at a time.
WITHDRAWERS = 4


class Keeper:
    """All leases that one pool holds in this process.

    One thread renews, in one call for as many as are due. Another one only looks at the clock: what a hanging server
    keeps the first from renewing is told as lost in time. Both are daemons: they end with the process, and its leases
    at their TTL.
    """

    def __init__(self, settings: Settings, asking: Asking) -> None:
        self._settings = settings
        self._asking = asking
        self._changed = threading.Condition()
        self._holds: Dict[str, Hold] = {}
        self._threads: Dict[str, threading.Thread] = {}
        self._closed = False
        self._withdrawers: Optional[ThreadPoolExecutor] = None

    def add(self, hold: Hold) -> None:
        """Renews it from now on."""
        with self._changed:
            if self._closed:
                raise PoolClosed("the pool was closed")
            self._holds[hold.id] = hold
            for name, work in (("renews", self._renew), ("watches", self._watch)):
                if name not in self._threads:
                    thread = threading.Thread(
                        target=self._work, args=(name, work), name=f"leasehold-{name}", daemon=True
                    )
                    self._threads[name] = thread
                    thread.start()
            self._changed.notify_all()

    def remove(self, hold: Hold) -> None:
        """Renews it no more."""
        with self._changed:
            if self._holds.get(hold.id) is hold:
                del self._holds[hold.id]
                self._changed.notify_all()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is held."""
        return not self._holds

    def get(self, session_id: str) -> Optional[Hold]:
        """What it keeps by this id."""
        return self._holds.get(session_id)

    def later(self, flow: Flow[None]) -> None:
        """Carries a flow out in the background, whatever becomes of who asked for it: also when the event loop ends. A
        process that ends waits for it; one that is already ending leaves it to the TTL.
        """
        try:
            with self._changed:
                if self._withdrawers is None:
                    self._withdrawers = ThreadPoolExecutor(WITHDRAWERS, "leasehold-withdraws")
                self._withdrawers.submit(self._carry_out, flow)
        except RuntimeError as error:
            log.info("could not be given back, and ends by itself: %s", error)

    def _carry_out(self, flow: Flow[None]) -> None:
        with closing(Wire(self._settings)) as wire:
            try:
                wire.run(flow)
            except LeaseholdError as error:
                log.info("could not be given back, and ends by itself: %s", error)

    def close(self) -> List[Hold]:
        """Ends the threads, after what they do in the background. What was still held is given back by whoever
        closes.
        """
        with self._changed:
            self._closed = True
            left, self._holds = list(self._holds.values()), {}
            withdrawers, self._withdrawers = self._withdrawers, None
            self._changed.notify_all()
        if withdrawers is not None:
            withdrawers.shutdown(wait=True)
        return left

    def _work(self, name: str, work: Callable[[], None]) -> None:
        """What a thread does while there is something to keep, and a little longer: the next session may come at
        once.
        """
        while True:
            work()
            with self._changed:
                if not self._holds and not self._closed:
                    self._changed.wait(LINGER)
                if not self._holds:
                    del self._threads[name]
                    return

    def _due(self) -> List[Hold]:
        """Waits for what is to be renewed now; nothing when nothing is held."""
        with self._changed:
            while self._holds:
                now = self._asking.clock()
                live = [hold for hold in self._holds.values() if hold.loss() is None]
                if any(hold.next <= now for hold in live):
                    return [hold for hold in live if hold.next <= now + ALONG * hold.lease.interval]
                self._changed.wait(min((hold.next - now for hold in live), default=None))
        return []

    def _renew(self) -> None:
        with closing(Wire(self._settings)) as wire:
            while True:
                due = self._due()
                if not due:
                    return
                try:
                    self._release(wire, [hold for hold in due if hold.dropped])
                    wire.run(renew(self._asking, [hold for hold in due if not hold.dropped], self._timeout()))
                except Exception as error:
                    log.exception("renewals failed; they are tried again")
                    now = self._asking.clock()
                    for hold in due:
                        hold.failed(error, now)
                with self._changed:
                    # Deadlines have changed: the other thread is to look again.
                    self._changed.notify_all()

    def _release(self, wire: Wire, dropped: List[Hold]) -> None:
        """What was taken by `acquire` and forgotten would else be renewed for as long as the process lives."""
        for hold in dropped:
            self.remove(hold)
            if hold.is_foreign:
                continue
            log.warning("session %s was dropped without being released; it is given back", hold.id)
            try:
                wire.run(release(self._asking, hold.id, hold.lease, self._asking.clock() + self._timeout()))
            except LeaseholdError as error:
                log.info("could not be given back, and ends by itself: %s", error)

    def _timeout(self) -> float:
        """A hanging replica is to leave time enough to ask another one, for every lease that waits behind it."""
        with self._changed:
            shortest = min((hold.lease.interval for hold in self._holds.values()), default=self._asking.timeout)
        return max(min(self._asking.timeout, shortest), LEAST_TIMEOUT)

    def _watch(self) -> None:
        with self._changed:
            while self._holds:
                now = self._asking.clock()
                lost = [hold for hold in self._holds.values() if hold.loss() is not None]
                for hold in lost:
                    del self._holds[hold.id]
                nearest = min((hold.deadline - now for hold in self._holds.values()), default=0.0)
                if self._holds:
                    self._changed.wait(max(nearest, 0.001))
