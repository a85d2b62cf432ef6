"""Decisions, without I/O and by a clock of the test's own."""

from __future__ import annotations

import json
import pickle
from typing import Any, Callable, Dict, List, Optional, Union

import pytest

from leasehold import ApiError, Busy, LeaseLost, NoAvailableContainers, SessionRecord, Unavailable, Unreachable
from leasehold._events import Lines
from leasehold._flow import Answer, Asking, Call, Flow, Pause, Replicas, T
from leasehold._hold import Hold
from leasehold._sessions import BATCH, Acquisition, Wish, renew
from leasehold.errors import read_problem

ONE, TWO = "http://one:1", "http://two:2"


class World:
    """Answers calls by a function, and lets time pass in pauses only."""

    def __init__(self, answers: Callable[[Call], Union[Answer, Exception]], urls: Optional[List[str]] = None) -> None:
        self.now = 1000.0
        self.calls: List[Call] = []
        self.pauses: List[float] = []
        self._answers = answers
        self.asking = Asking(Replicas(urls or [ONE]), 10.0, lambda: self.now)

    def run(self, flow: Flow[T]) -> T:
        try:
            step = next(flow)
            while True:
                if isinstance(step, Call):
                    self.calls.append(step)
                    outcome = self._answers(step)
                    step = flow.throw(outcome) if isinstance(outcome, Exception) else flow.send(outcome)
                    continue
                if isinstance(step, Pause):
                    self.pauses.append(step.seconds)
                    self.now += step.seconds
                step = flow.send(None)
        except StopIteration as end:
            result: T = end.value
            return result


def answer(status: int, body: Any, **headers: str) -> Answer:
    return Answer(status, headers, json.dumps(body).encode(), ONE)


def session(number: int, ttl: int = 60, left: int = 60, **more: Any) -> Dict[str, Any]:
    lease = {
        "fencing_token": number + 1, "ttl_seconds": ttl, "expires_in_ms": left * 1000, "heartbeat_interval_seconds": 20,
        "lease_token": None, **more,
    }  # fmt: skip
    return {"id": f"id-{number}", "state": "ready", "target_type": "wine", "owner": "tests", "lease": lease}


def hold_of(world: World, number: int, **more: Any) -> Hold:
    record = SessionRecord.read(session(number, **more))
    return Hold(record, world.now, world.asking.clock, always_active=False)


def test_all_addresses_are_asked_before_a_pause() -> None:
    world = World(
        lambda call: Unreachable(call.base, "refused") if len(world.calls) < 4 else answer(200, {}), [ONE, TWO]
    )
    world.run(world.asking.patiently(Call("GET", "/")))
    assert {call.base for call in world.calls[:2]} == {call.base for call in world.calls[2:]} == {ONE, TWO}
    assert len(world.pauses) == 1
    assert 0.05 <= world.pauses[0] <= 0.1


def test_a_busy_process_blames_no_replica() -> None:
    world = World(lambda call: Busy(call.base, "busy", sent=False), [ONE, TWO])
    first = world.asking.replicas.current
    with pytest.raises(Busy):
        world.run(world.asking.patiently(Call("GET", "/"), world.now + 1))
    assert {call.base for call in world.calls} == {first}


def test_pauses_grow_and_never_pass_the_deadline() -> None:
    world = World(lambda call: Unreachable(call.base, "refused"))
    with pytest.raises(Unreachable):
        world.run(world.asking.patiently(Call("GET", "/"), world.now + 7))
    assert world.now < 1007
    assert world.pauses[0] < 0.11
    assert 1 <= max(world.pauses) <= 2


def test_what_the_server_asks_for_is_waited_for_or_given_up_at_once() -> None:
    away = {"code": "redis_unavailable", "detail": "away"}
    world = World(lambda _: answer(503, away, **{"retry-after": "3"}) if len(world.calls) == 1 else answer(200, {}))
    world.run(world.asking.patiently(Call("GET", "/")))
    assert world.pauses == [3.0]
    world = World(lambda _: answer(503, away, **{"retry-after": "30"}))
    with pytest.raises(Unavailable) as told:
        world.run(world.asking.patiently(Call("GET", "/")))
    assert (world.pauses, told.value.retry_after) == ([], 30.0)


def test_a_shortage_is_no_failure_of_a_replica() -> None:
    world = World(lambda _: answer(503, {"code": "no_available_containers", "detail": "none"}), [ONE, TWO])
    acquisition = Acquisition(world.asking, Wish("wine"), told=False)
    with pytest.raises(NoAvailableContainers):
        world.run(acquisition.run())
    assert len(world.calls) == 1
    assert not acquisition.open


def test_what_never_reached_a_server_needs_no_withdrawal() -> None:
    world = World(lambda call: Unreachable(call.base, "refused", sent=False))
    acquisition = Acquisition(world.asking, Wish("wine"), told=False)
    with pytest.raises(Unreachable):
        world.run(acquisition.run())
    assert not acquisition.open
    world = World(lambda call: Unreachable(call.base, "broke", sent=len(world.calls) == 2))
    acquisition = Acquisition(world.asking, Wish("wine"), told=False)
    with pytest.raises(Unreachable):
        world.run(acquisition.run())
    assert acquisition.open, "one of its tries may have been executed"


def test_many_renewals_go_in_bounded_calls_and_each_is_told_its_own_outcome() -> None:
    def answers(call: Call) -> Answer:
        assert call.body is not None
        beats = call.body["heartbeats"]
        assert len(beats) <= BATCH
        ended = {"status": 410, "code": "session_ended", "detail": "ended", "end_reason": "admin"}
        return answer(200, {"results": [
            {"session_id": beat["session_id"], **({"problem": ended} if beat["session_id"] == "id-7" else
             {"session": session(int(beat["session_id"][3:]))})} for beat in beats
        ]})  # fmt: skip

    world = World(answers)
    holds = [hold_of(world, number) for number in range(BATCH * 2 + 1)]
    world.now += 20
    world.run(renew(world.asking, holds, 10.0))
    assert len(world.calls) == 3
    for hold in holds:
        loss = hold.loss()
        assert (loss.reason if loss else None) == ("admin" if hold.id == "id-7" else None)
        assert hold.deadline == (1060 if loss else 1080)


def test_who_is_asked_for_a_proof_gives_it_at_once() -> None:
    def answers(call: Call) -> Answer:
        assert call.body is not None
        if call.path == "/sessions/heartbeats":
            wanted = {"status": 409, "code": "lease_token_required", "detail": "lost"}
            first = {"session_id": "id-0", "session": session(0, proof_wanted=True)}
            second = {"session_id": "id-1", "problem": wanted}
            return answer(200, {"results": [first, second, {"session_id": "id-2", "session": session(2)}]})
        number = int(call.path.split("/")[2][3:])
        assert call.body["lease_token"] == f"old-{number}"
        return answer(200, session(number, lease_token=f"new-{number}"))

    world = World(answers)
    holds = [hold_of(world, number, lease_token=f"old-{number}") for number in range(3)]
    world.now += 20
    world.run(renew(world.asking, holds, 10.0))
    assert [hold.lease_token for hold in holds] == ["new-0", "new-1", "old-2"]
    assert [hold.deadline for hold in holds] == [1080] * 3


def test_a_failed_renewal_keeps_the_lease_until_its_time_and_reports_activity_later() -> None:
    world = World(lambda call: Unreachable(call.base, "refused") if len(world.calls) == 1 else answer(200, session(0)))
    hold = hold_of(world, 0)
    hold.use()
    world.now += 20
    world.run(renew(world.asking, [hold], 10.0))
    assert (hold.deadline, hold.next) == (1060, 1021)
    world.run(renew(world.asking, [hold], 10.0))
    assert [call.body and call.body.get("active") for call in world.calls] == [True, True]
    assert hold.deadline == 1080
    world.now = 1080
    loss = hold.loss()
    assert loss is not None
    assert loss.reason == "silence"
    hold.renewed(SessionRecord.read(session(0)), world.now)
    assert hold.loss() is loss, "lost is lost"


def test_the_code_that_is_told_of_a_loss_may_fail(caplog: pytest.LogCaptureFixture) -> None:
    world = World(lambda _: answer(200, {}))
    hold = hold_of(world, 0)
    told: List[LeaseLost] = []

    def fails(_: LeaseLost) -> None:
        raise ZeroDivisionError

    hold.on_lost(fails)
    hold.on_lost(told.append)
    world.now += 60
    assert hold.loss() is told[0]
    assert "ZeroDivisionError" in caplog.text


def test_errors_can_be_sent_to_another_process() -> None:
    body = b'{"code": "quota_exceeded", "detail": "enough", "quota": "sessions_max"}'
    for error in (
        read_problem(429, {"retry-after": "1"}, body),
        LeaseLost("id", "admin", "ended"),
        Unreachable(ONE, "broke"),
    ):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_an_answer_that_is_no_problem_document_still_says_something() -> None:
    error = read_problem(502, {}, b"<html>Bad Gateway</html>")
    assert (type(error), error.code, error.passing) == (ApiError, "http_502", True)
    assert str(error) == "<html>Bad Gateway</html> (502 http_502)"
    assert read_problem(404, {}, b"").detail == "no explanation was given"


def test_events_are_read_however_they_are_cut() -> None:
    text = (
        b"retry: 700\n: still here\nid: a\n\nevent: session.ready\nid: b\r\n"
        b'data: {"id":"wine:7-1","target_type":"wine",\n'
        b'data: "kind":"session.ready","at":"","data":{}}\n\nid: c\n\ndata: {"id"'
    )
    for size in range(1, len(text)):
        lines = Lines(None)
        events = [event for at in range(0, len(text), size) for event in lines.read(text[at : at + size])]
        assert ([event.id for event in events], [event.cursor for event in events]) == (["wine:7-1"], ["b"])
        assert (lines.retry, lines.last_id) == (0.7, "c")
        lines.cut()
        assert list(lines.read(b"id: d\n\n")) == []
        assert lines.last_id == "d"


def test_a_record_tells_what_is_known_of_its_use_and_its_place() -> None:
    known = {"last_active_ms_ago": 1500, "last_heard_ms_ago": 0, "idle_ends_in_ms": None}
    activity = SessionRecord.read({**session(1), "activity": known}).activity
    assert activity is not None
    assert (activity.last_active_ago, activity.last_heard_ago, activity.idle_ends_in) == (1.5, 0, None)
    # As a server answers that does not tell.
    assert SessionRecord.read(session(1)).activity is None
    place = {"position": 2, "estimated_wait_seconds": None, "poll_within_seconds": 3}
    for told, priority in (({}, 0), ({"priority": 100}, 100)):
        ticket = SessionRecord.read(
            {**session(1), "state": "queued", "lease": None, "ticket": {**place, **told}}
        ).ticket
        assert ticket is not None
        assert ticket.priority == priority
