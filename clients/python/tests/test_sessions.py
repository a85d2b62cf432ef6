"""Taking a container, holding it, and giving it back, in asyncio."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from typing import List, Optional, Tuple

import pytest
from conftest import KEY, Farm, Proxy, eventually

from leasehold import LeaseLost, NoAvailableContainers, Pool, Recovering, Session, SyncPool, Unreachable
from leasehold._flow import Call

SHORT = 5  # the shortest lease that a server gives, in seconds


def pool_of(farm: Farm) -> Pool:
    return Pool(farm.urls, api_key=KEY)


@pytest.mark.smoke
def test_a_container_is_held_for_the_body_and_given_back(farm: Farm) -> None:
    async def main() -> None:
        async with pool_of(farm) as pool, pool.session("wine", wait=30, metadata={"job": 1}) as s:
            assert s.endpoints["vnc"].address == f"127.0.0.1:{next(iter(s.container.ports))}"
            assert s.container.target_type == s.target_type == "wine"
            record = await pool.session_record(s.id)
            assert (record.state, record.metadata) == ("ready", {"job": 1})
            assert record.lease is not None
            assert record.lease.fencing_token == s.fencing_token == s.container.fencing_token
            assert 50 < s.held_for <= 60
            s.check()
            assert not s.lost.is_set()
        assert farm.available("wine") == 4

    asyncio.run(main())


def test_a_pool_without_a_block_of_its_own_is_as_good(farm: Farm) -> None:
    async def main() -> None:
        async with Pool(farm.urls, api_key=KEY).session("wine") as s:
            s.check()

    asyncio.run(main())
    farm.clean()


def test_it_is_given_back_when_the_body_fails(farm: Farm) -> None:
    async def main() -> None:
        async with pool_of(farm) as pool:
            with pytest.raises(ZeroDivisionError):
                async with pool.session("linux"):
                    1 / 0  # noqa: B018
            assert farm.available("linux") == 1

    asyncio.run(main())


@pytest.mark.smoke
def test_it_is_given_back_when_the_body_is_cancelled(farm: Farm) -> None:
    async def main() -> None:
        held = asyncio.Event()

        async def body(pool: Pool) -> None:
            async with pool.session("linux"):
                held.set()
                await asyncio.sleep(60)

        async with pool_of(farm) as pool:
            task = asyncio.create_task(body(pool))
            await held.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert farm.available("linux") == 1

    asyncio.run(main())


def test_it_is_given_back_when_giving_back_is_cancelled(farm: Farm, proxy: Proxy) -> None:
    async def main() -> None:
        held = asyncio.Event()

        async def body(pool: Pool) -> None:
            async with pool.session("linux"):
                held.set()
                await asyncio.sleep(60)

        async with Pool(proxy.url, api_key=KEY) as pool:
            task = asyncio.create_task(body(pool))
            await held.wait()
            task.cancel()
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    eventually("it is given back", lambda: farm.available("linux") == 1)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_program_gives_it_back(farm: Farm) -> None:
    async def main() -> None:
        async with pool_of(farm) as pool, pool.session("linux"):
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(60)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert farm.available("linux") == 1


def test_a_shortage_is_told_by_its_type_and_with_reasons(farm: Farm) -> None:
    async def main() -> None:
        async with pool_of(farm) as pool, pool.session("linux"):
            with pytest.raises(NoAvailableContainers) as told:
                async with pool.session("linux"):
                    pass
            assert (told.value.status, told.value.code) == (503, "no_available_containers")
            assert told.value.reasons == {"leased": 1}
            began = time.monotonic()
            with pytest.raises(NoAvailableContainers):
                async with pool.session("linux", wait=1.5):
                    pass
            assert 1.5 <= time.monotonic() - began < 4
            assert farm.sessions("queued") == []

    asyncio.run(main())


@pytest.mark.smoke
def test_a_wait_tells_its_progress_and_is_served(farm: Farm) -> None:
    async def main() -> None:
        told: List[Tuple[int, Optional[float]]] = []
        queued = asyncio.Event()

        async def on_progress(position: int, estimate: Optional[float]) -> None:
            told.append((position, estimate))
            queued.set()

        async with pool_of(farm) as pool:
            first = await pool.acquire("linux")

            async def second() -> str:
                async with pool.session("linux", wait=30, on_progress=on_progress) as s:
                    return s.container.name

            waiting = asyncio.create_task(second())
            await asyncio.wait_for(queued.wait(), 10)
            await first.release()
            assert await asyncio.wait_for(waiting, 10) == "linux-1"
            assert told[0][0] == 1

    asyncio.run(main())


def test_a_wait_that_is_cancelled_leaves_the_line(farm: Farm) -> None:
    async def main() -> None:
        async with pool_of(farm) as pool, pool.session("linux"):
            queued = asyncio.Event()
            waiting = asyncio.create_task(pool.acquire("linux", wait=60, on_progress=lambda *_: queued.set()))
            await queued.wait()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await asyncio.to_thread(eventually, "it left", lambda: not farm.sessions("queued"))

    asyncio.run(main())


def test_a_blocked_event_loop_keeps_the_lease(farm: Farm) -> None:
    async def main() -> None:
        async with pool_of(farm) as pool, pool.session("wine", ttl=SHORT) as s:
            time.sleep(SHORT * 1.6)  # noqa: ASYNC251 - that is what is tested
            s.check()
            assert (await pool.session_record(s.id)).state == "ready"

    asyncio.run(main())


def test_a_lease_that_an_operator_ends_is_told_within_a_heartbeat(farm: Farm) -> None:
    async def main() -> None:
        async with pool_of(farm) as pool:
            s = await pool.acquire("wine", ttl=SHORT)
            farm.end_session(s.id)
            loss = await asyncio.wait_for(s.lost.wait(), SHORT / 3 + 1)
            assert (loss.reason, loss.session_id) == ("admin", s.id)
            with pytest.raises(LeaseLost, match="admin"):
                s.check()
            assert s.held_for == 0
            await s.release()

    asyncio.run(main())


def test_a_body_that_ends_well_without_the_lease_is_told_so(farm: Farm) -> None:
    async def main() -> None:
        async with pool_of(farm) as pool:
            with pytest.raises(LeaseLost):
                async with pool.session("wine", ttl=SHORT) as s:
                    farm.end_session(s.id)
                    await s.lost

    asyncio.run(main())


@pytest.mark.smoke
def test_a_loss_cancels_the_body_where_that_is_wanted(farm: Farm) -> None:
    async def main() -> None:
        async with pool_of(farm) as pool:
            cancelled = False
            with pytest.raises(LeaseLost):
                async with pool.session("wine", ttl=SHORT, cancel_on_loss=True) as s:
                    farm.end_session(s.id)
                    try:
                        await asyncio.sleep(60)
                    except asyncio.CancelledError:
                        cancelled = True
                        raise
            assert cancelled
            # The task itself goes on, and can be cancelled again.
            await asyncio.sleep(0)
            task = asyncio.current_task()
            assert task is not None
            assert not hasattr(task, "cancelling") or task.cancelling() == 0

    asyncio.run(main())


def test_a_cancellation_by_somebody_else_stays_one(farm: Farm) -> None:
    async def main() -> None:
        async def body(pool: Pool) -> None:
            async with pool.session("wine", cancel_on_loss=True):
                held.set()
                await asyncio.sleep(60)

        async with pool_of(farm) as pool:
            held = asyncio.Event()
            task = asyncio.create_task(body(pool))
            await held.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())


def test_many_sessions_are_renewed_together_and_keep_a_proof(farm: Farm, proxy: Proxy) -> None:
    async def main() -> None:
        async with Pool(proxy.url, api_key=KEY) as pool:
            held = [await pool.acquire("wine", ttl=SHORT) for _ in range(4)]
            tokens = [s.lease_token for s in held]
            assert all(tokens)
            # A token proves nothing once the lease that it tells of is over: each gets another one in time.
            deadline = time.monotonic() + SHORT
            while any(s.lease_token == token for s, token in zip(held, tokens)):
                assert time.monotonic() < deadline, "a proof grew old"
                await asyncio.sleep(0.05)
            assert proxy.of("POST /sessions/heartbeats")
            for s in held:
                s.check()
            for s in held:
                await s.release()

    asyncio.run(main())


@pytest.mark.smoke
def test_a_create_whose_answer_is_lost_gives_one_session(farm: Farm, proxy: Proxy) -> None:
    async def main() -> None:
        proxy.lose = lambda request: (
            request.startswith(b"POST /sessions HTTP") and len(proxy.of("POST /sessions HTTP")) <= 2
        )
        async with Pool(proxy.url, api_key=KEY) as pool, pool.session("wine") as s:
            made = proxy.of("POST /sessions HTTP")
            keys = {line for request in made for line in request.split(b"\r\n") if b"dempotency-" in line}
            assert (len(made), len(keys)) == (3, 1)
            assert [one["id"] for one in farm.sessions("ready")] == [s.id]

    asyncio.run(main())


def test_what_was_asked_for_and_never_answered_is_given_back(farm: Farm, proxy: Proxy) -> None:
    async def main() -> None:
        proxy.lose = lambda request: request.startswith(b"POST /sessions HTTP") and len(proxy.requests) <= 2
        async with Pool(proxy.url, api_key=KEY) as pool:
            asking = asyncio.create_task(pool.acquire("linux"))
            await asyncio.to_thread(eventually, "it is made", lambda: farm.available("linux") == 0)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        eventually("it is given back", lambda: farm.available("linux") == 1, patience=8)

    asyncio.run(main())


def test_a_replica_that_is_killed_costs_no_lease(own_farm: Farm) -> None:
    async def main() -> None:
        async with pool_of(own_farm) as pool:
            held = [await pool.acquire("wine", ttl=SHORT) for _ in range(3)]
            victim = pool._asking.replicas.current
            next(one for one in own_farm.replicas if one.url == victim).kill()
            until = time.monotonic() + SHORT * 1.5
            while time.monotonic() < until:
                for s in held:
                    s.check()
                await asyncio.sleep(0.05)
            assert {one["id"] for one in own_farm.sessions("ready")} == {s.id for s in held}
            async with pool.session("linux") as another:
                another.check()
            for s in held:
                await s.release()

    asyncio.run(main())


def test_a_replica_that_hangs_costs_no_lease(own_farm: Farm) -> None:
    async def main() -> None:
        async with pool_of(own_farm) as pool:
            s = await pool.acquire("wine", ttl=SHORT)
            victim = next(one for one in own_farm.replicas if one.url == pool._asking.replicas.current)
            victim.signal(signal.SIGSTOP)
            until = time.monotonic() + SHORT * 1.5
            while time.monotonic() < until:
                s.check()
                await asyncio.sleep(0.05)
            victim.signal(signal.SIGCONT)
            await s.release()

    asyncio.run(main())


def test_a_waiter_whose_replica_hangs_keeps_its_place(own_farm: Farm) -> None:
    async def main() -> None:
        async with pool_of(own_farm) as waiting, Pool(own_farm.urls[0], api_key=KEY) as holding:
            queued = asyncio.Event()
            # It begins at the second one; the first one will go on.
            waiting._asking.replicas.failed(own_farm.urls[0])
            first = await holding.acquire("linux")
            second = asyncio.create_task(waiting.acquire("linux", wait=30, on_progress=lambda *_: queued.set()))
            await asyncio.wait_for(queued.wait(), 10)
            victim = own_farm.replicas[own_farm.urls.index(waiting._asking.replicas.current)]
            assert victim.url != own_farm.urls[0]
            victim.signal(signal.SIGSTOP)
            (place,) = own_farm.sessions("queued")
            await first.release()
            s = await asyncio.wait_for(second, 15)
            assert s.id == place["id"]
            await s.release()
            victim.signal(signal.SIGCONT)

    asyncio.run(main())


def test_a_holder_that_hears_nothing_stops_in_time(own_farm: Farm) -> None:
    async def main() -> None:
        async with pool_of(own_farm) as pool:
            s: Session = await pool.acquire("wine", ttl=SHORT)
            for replica in own_farm.replicas:
                replica.signal(signal.SIGSTOP)
            stopped = time.monotonic()
            loss = await asyncio.wait_for(s.lost.wait(), SHORT * 2)
            assert loss.reason == "silence"
            assert s._hold.deadline <= stopped + SHORT, "its container may be somebody else's by then"
            assert time.monotonic() - s._hold.deadline < 1, "a busy machine wakes late, and no more than that"
            for replica in own_farm.replicas:
                replica.signal(signal.SIGCONT)
            await s.release()

    asyncio.run(main())


def test_a_blocked_loop_sees_the_loss_by_the_clock(own_farm: Farm) -> None:
    async def main() -> None:
        async with pool_of(own_farm) as pool:
            s = await pool.acquire("wine", ttl=SHORT)
            for replica in own_farm.replicas:
                replica.signal(signal.SIGSTOP)
            time.sleep(SHORT + 0.1)  # noqa: ASYNC251 - that is what is tested
            with pytest.raises(LeaseLost, match="silence"):
                s.check()
            for replica in own_farm.replicas:
                replica.signal(signal.SIGCONT)
            await s.release()

    asyncio.run(main())


def test_leases_that_redis_has_lost_are_proven_by_themselves(own_farm: Farm) -> None:
    async def main() -> None:
        async with pool_of(own_farm) as pool:
            held = [await pool.acquire("wine", ttl=10) for _ in range(3)]
            tokens = [s.fencing_token for s in held]
            own_farm.lose_everything()
            until = time.monotonic() + 12
            while time.monotonic() < until:
                for s in held:
                    s.check()
                await asyncio.sleep(0.05)
            assert {one["id"] for one in own_farm.sessions("ready")} == {s.id for s in held}
            assert [s.fencing_token for s in held] == tokens
            with pytest.raises(Recovering):
                await pool.acquire("linux")
            for s in held:
                await s.release()

    asyncio.run(main())


def test_warnings_are_told(farm: Farm) -> None:
    async def main() -> None:
        told = asyncio.Event()
        reasons: List[object] = []
        async with pool_of(farm) as pool:

            def on_warning(warnings: Tuple[object, ...]) -> None:
                reasons.extend(warnings)
                told.set()

            s = await pool.acquire("wine", ttl=SHORT, max_duration=8, on_warning=on_warning)
            await asyncio.wait_for(told.wait(), 20)
            assert s.warnings
            assert s.warnings[0].reason == "max_duration"
            assert 0 < s.warnings[0].ends_in <= 8
            await s.release()

    asyncio.run(main())


def test_an_unreachable_server_is_told_within_the_time_given() -> None:
    async def main() -> None:
        async with Pool("http://127.0.0.1:9", api_key=KEY, timeout=0.5) as pool:
            began = time.monotonic()
            with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
                async with pool.session("wine"):
                    pass
            assert time.monotonic() - began < 4

    asyncio.run(main())


def test_the_key_is_never_shown(farm: Farm, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")

    async def main() -> None:
        async with pool_of(farm) as pool, pool.session("wine") as s:
            headers = pool._wire.client(Call("GET", "/")).headers
            shown = [repr(one) for one in (pool, s, pool._settings, headers, vars(s), s._record)]
            assert not [text for text in shown if KEY in text or (s.lease_token or "-") in text]

    asyncio.run(main())
    assert KEY not in caplog.text
    with pytest.raises(ValueError, match="API key"):
        SyncPool(farm.urls, api_key="two\nlines")


def test_threads_end_with_the_pool(farm: Farm) -> None:
    async def main() -> None:
        async with pool_of(farm) as pool:
            await pool.acquire("wine")
            assert any(thread.name.startswith("leasehold-renews") for thread in threading.enumerate())
        assert farm.available("wine") == 4, "what was still held is given back"

    asyncio.run(main())
    eventually("they end", lambda: not any(t.name.startswith("leasehold-") for t in threading.enumerate()))
