"""Flows of sessions: taking a container, renewing what is held, giving it back."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ._flow import Answer, Asking, Call, Fate, Flow, Pause, Tell
from ._hold import Hold
from .errors import (
    ApiError,
    LeaseholdError,
    LeaseLost,
    NoAvailableContainers,
    NotUnderstood,
    SessionEnded,
    SessionNotFound,
    StaleFencingToken,
    problem_of,
)
from .models import Lease, SessionRecord

log = logging.getLogger("leasehold")

#: How long one look at the line waits, in seconds: then the place in it is told anew.
LOOK = 10.0
LOOK_TOLD = 2.0
#: What a network may take beyond the wait that the server was asked for.
MARGIN = 2.0
#: How long something is tried to be given back that nobody waits for.
WITHDRAWAL = 5.0
#: Renewals in one call: a body stays well below what the server takes.
BATCH = 200


@dataclass(frozen=True)
class Wish:
    """What is asked for. None is the server's default."""

    target_type: str
    wait: float = 0.0
    ttl: Optional[int] = None
    priority: Optional[int] = None
    max_duration: Optional[int] = None
    idle: Optional[int] = None
    affinity: Optional[str] = None
    container_id: Optional[str] = None
    metadata: Optional[Mapping[str, Any]] = None

    def body(self) -> Dict[str, Any]:
        """As `POST /sessions` wants it. Waiting is done by looks at the ticket, so that no answer is long in coming."""
        body = {
            "target_type": self.target_type,
            "on_shortage": "queue" if self.wait > 0 else "fail",
            "ttl_seconds": self.ttl,
            "priority": self.priority,
            "max_duration_seconds": self.max_duration,
            "idle_seconds": self.idle,
            "affinity": self.affinity,
            "container_id": self.container_id,
            "metadata": dict(self.metadata) if self.metadata else None,
        }
        return {name: value for name, value in body.items() if value is not None}


class Acquisition:
    """One wish, and what became of it. Whoever gives it up while it is `open` has it withdrawn."""

    def __init__(self, asking: Asking, wish: Wish, told: bool) -> None:
        self._asking = asking
        self._wish = wish
        self._look = LOOK_TOLD if told else LOOK
        self._body = wish.body()
        # One for all tries, on whichever replica: they all mean the same session.
        self._key = str(uuid.uuid4())
        self._fate = Fate()
        self._refused = False
        self._record: Optional[SessionRecord] = None

    @property
    def open(self) -> bool:
        """Whether the server may have a session, or a place in line, by it."""
        return (self._fate.in_flight or self._fate.reached) and not self._refused

    def run(self) -> Flow[Tuple[SessionRecord, float]]:
        """A session that is ready and confirmed, and when that renewal was sent."""
        asking = self._asking
        deadline = asking.clock() + (self._wish.wait or asking.timeout)
        record = yield from self._create(deadline)
        while record.state == "queued":
            if record.ticket is not None:
                yield Tell(record.ticket)
            left = deadline - asking.clock()
            if left <= 0:
                yield from self.withdraw(MARGIN)
                raise self._shortage()
            # A replica that hangs is given up, and another one asked, before the ticket ends.
            look = min(self._look, max(record.ticket.poll_within, 1.0)) if record.ticket else LOOK_TOLD
            record = self._record = yield from self._look_again(record.id, min(left, look), deadline)
        if record.state == "ended":
            self._refused = True
            raise self._shortage(record.end_reason)
        # How long its grant took to arrive is not known, and the first renewal gives a lease its whole TTL.
        answer = yield from asking.patiently(heartbeat(record.id, record.lease, True, asking.timeout))
        return answer.read(SessionRecord.read), answer.sent

    def _create(self, deadline: float) -> Flow[SessionRecord]:
        try:
            answer = yield from self._post(deadline)
        except ApiError as error:
            # What passes by may have been executed all the same.
            self._refused = not error.passing
            raise
        self._record = answer.read(SessionRecord.read)
        return self._record

    def _post(self, deadline: float) -> Flow[Answer]:
        headers = {"Idempotency-Key": self._key}
        call = Call(
            "POST", "/sessions", headers=headers, body=self._body, timeout=self._asking.timeout, fate=self._fate
        )
        return (yield from self._asking.patiently(call, deadline))

    def _look_again(self, session_id: str, look: float, deadline: float) -> Flow[SessionRecord]:
        seconds = int(look)
        if not seconds:
            # The server waits in whole seconds only.
            yield Pause(look)
        call = Call("GET", f"/sessions/{session_id}", {"wait_seconds": seconds}, timeout=seconds + MARGIN, waits=True)
        answer = yield from self._asking.patiently(call, deadline + MARGIN)
        return answer.read(SessionRecord.read)

    def _shortage(self, end_reason: Optional[str] = None) -> NoAvailableContainers:
        why = f"the place in line ended ({end_reason})" if end_reason else f"none within {self._wish.wait:g} s"
        detail = f"No available {self._wish.target_type} containers: {why}"
        return NoAvailableContainers(503, "no_available_containers", detail)

    def withdraw(self, patience: float = WITHDRAWAL) -> Flow[None]:
        """Gives back what nobody waits for any more. Where that fails, the ticket's life or the lease's first span
        ends it.
        """
        deadline = self._asking.clock() + patience
        try:
            if self._record is None:
                # Without an answer there is no id: the same request again says it.
                self._record = (yield from self._post(deadline)).read(SessionRecord.read)
            yield from release(self._asking, self._record.id, self._record.lease, deadline)
            self._refused = True
        except LeaseholdError as error:
            log.info("could not be given back, and ends by itself: %s", error)


def heartbeat(
    session_id: str, lease: Optional[Lease], active: bool, timeout: float, token: Optional[str] = None
) -> Call:
    """One renewal, with the proof of the lease."""
    body: Dict[str, Any] = {}
    if lease is not None:
        body["fencing_token"] = lease.fencing_token
        token = token or lease.lease_token
    if token:
        body["lease_token"] = token
    # Only where it says something: a replica of an older version refuses a field that it does not know.
    if active:
        body["active"] = True
    return Call("POST", f"/sessions/{session_id}/heartbeat", body=body, timeout=timeout)


def release(asking: Asking, session_id: str, lease: Optional[Lease], deadline: Optional[float] = None) -> Flow[None]:
    """Ends a session, or takes its ticket out of the line. Twice is fine, and what is gone already is gone."""
    query = {} if lease is None else {"fencing_token": lease.fencing_token}
    try:
        yield from asking.patiently(Call("DELETE", f"/sessions/{session_id}", query, timeout=asking.timeout), deadline)
    except (SessionNotFound, SessionEnded, StaleFencingToken):
        return


def renew(asking: Asking, holds: Sequence[Hold], timeout: float) -> Flow[None]:
    """Renews all of them, once, and tells each what came of it.

    Many are renewed in one call. Its answers carry no lease tokens, so where a proof is wanted, or the one at hand
    grows old, a renewal of the session's own follows: a token proves a lease only for as long as the lease had when it
    was made.
    """
    if len(holds) <= 1:
        for hold in holds:
            yield from _renew_one(asking, hold, timeout)
        return
    for start in range(0, len(holds), BATCH):
        yield from _renew_many(asking, holds[start : start + BATCH], timeout)
    to_prove = [hold for hold in holds if hold.loss() is None and _wants_proof(hold, asking.clock())]
    # Others become due meanwhile: what is not proven by then begins the next round.
    until = asking.clock() + min(hold.lease.interval for hold in holds) / 2
    for hold in sorted(to_prove, key=lambda hold: (not hold.proof_wanted, hold.proven)):
        yield from _renew_one(asking, hold, timeout)
        if hold.last_error is not None or asking.clock() >= until:
            return


def _wants_proof(hold: Hold, now: float) -> bool:
    return hold.proof_wanted or (hold.lease_token is not None and now - hold.proven >= hold.lease.ttl / 2)


def _renew_one(asking: Asking, hold: Hold, timeout: float) -> Flow[None]:
    active = hold.take_use()
    try:
        answer = yield from asking.one_round(heartbeat(hold.id, hold.lease, active, timeout, hold.lease_token))
        hold.renewed(answer.read(SessionRecord.read), answer.sent)
    except LeaseholdError as error:
        _not_renewed(asking, hold, active, error)


def _renew_many(asking: Asking, holds: Sequence[Hold], timeout: float) -> Flow[None]:
    active = {hold.id: hold.take_use() for hold in holds}
    beats: List[Dict[str, Any]] = []
    for hold in holds:
        beat: Dict[str, Any] = {"session_id": hold.id, "fencing_token": hold.lease.fencing_token}
        if active[hold.id]:
            beat["active"] = True
        beats.append(beat)
    try:
        call = Call("POST", "/sessions/heartbeats", body={"heartbeats": beats}, timeout=timeout)
        answer = yield from asking.one_round(call)
        results = answer.read(lambda data: {one["session_id"]: one for one in data["results"]})
    except LeaseholdError as error:
        for hold in holds:
            _not_renewed(asking, hold, active[hold.id], error)
        return
    for hold in holds:
        result = results.get(hold.id) or {}
        try:
            if result.get("session"):
                hold.renewed(SessionRecord.read(result["session"]), answer.sent)
            elif result.get("problem"):
                problem = result["problem"]
                raise problem_of(int(problem.get("status", 0)), problem)
            else:
                raise KeyError("an outcome")
        except LeaseholdError as error:
            _not_renewed(asking, hold, active[hold.id], error)
        except (KeyError, TypeError, ValueError) as error:
            _not_renewed(asking, hold, active[hold.id], NotUnderstood(answer.base, f"a renewal lacks {error}"))


def _not_renewed(asking: Asking, hold: Hold, active: bool, error: LeaseholdError) -> None:
    # By the API's own words: a 404 of something between is none.
    if isinstance(error, SessionEnded):
        hold.lose(LeaseLost(hold.id, error.end_reason or "ended", error.detail))
    elif isinstance(error, (SessionNotFound, StaleFencingToken)):
        hold.lose(LeaseLost(hold.id, error.code, error.detail))
    else:
        if active:
            hold.use()
        if isinstance(error, ApiError) and error.code == "lease_token_required":
            hold.proof_wanted = True
        hold.failed(error, asking.clock())
