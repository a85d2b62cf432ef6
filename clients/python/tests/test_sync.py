"""The same without asyncio: threads, forks, interruptions, events."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterator, List, Optional, Tuple

import pytest
from conftest import KEY, Farm, Proxy, eventually

from leasehold import (
    ContainerUnavailable,
    InvalidRequest,
    LeaseLost,
    NotAuthenticated,
    PoolClosed,
    SessionNotFound,
    SyncPool,
    UnknownTargetType,
)

SHORT = 5


@pytest.fixture
def pool(farm: Farm) -> Iterator[SyncPool]:
    with SyncPool(farm.urls, api_key=KEY) as pool:
        yield pool


@pytest.mark.smoke
def test_a_container_is_held_for_the_body_and_given_back(farm: Farm) -> None:
    with SyncPool(farm.urls, api_key=KEY).session("linux", wait=30) as s:
        assert s.endpoints["vnc"].address == f"127.0.0.1:{next(iter(s.container.ports))}"
        assert farm.available("linux") == 0
        s.check()
    assert farm.available("linux") == 1
    with pytest.raises(ZeroDivisionError), SyncPool(farm.urls, api_key=KEY).session("linux"):
        1 / 0  # noqa: B018
    assert farm.available("linux") == 1


def test_the_key_and_the_address_come_from_the_environment(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEASEHOLD_URL", ",".join(farm.urls))
    monkeypatch.setenv("LEASEHOLD_API_KEY", KEY)
    with SyncPool() as pool:
        assert pool.urls == farm.urls
        assert pool.status().by_type["wine"].total == 4


def test_errors_are_told_by_their_types(farm: Farm, pool: SyncPool) -> None:
    with pytest.raises(UnknownTargetType) as unknown:
        pool.acquire("amiga")
    assert unknown.value.known_types == ["linux", "wine"]
    with pytest.raises(InvalidRequest, match="ttl_seconds"):
        pool.acquire("wine", ttl=1)
    with pytest.raises(SessionNotFound):
        pool.session_record("0193a5b0-7c2e-8f00-9d41-5b1e7a3c9f10")
    with SyncPool(farm.urls, api_key="another") as stranger, pytest.raises(NotAuthenticated):
        stranger.status()
    with pytest.raises(ValueError, match="http://"):
        SyncPool("ftp://pool")
    with pytest.raises(ValueError, match="wait = -1"):
        pool.acquire("wine", wait=-1)


def test_a_closed_pool_has_given_back_and_takes_nothing(farm: Farm) -> None:
    pool = SyncPool(farm.urls, api_key=KEY)
    s = pool.acquire("linux")
    pool.close()
    with pytest.raises(LeaseLost):
        s.check()
    assert farm.available("linux") == 1
    with pytest.raises(PoolClosed):
        pool.acquire("linux")
    pool.close()


def test_a_session_that_is_forgotten_is_given_back(
    farm: Farm, pool: SyncPool, caplog: pytest.LogCaptureFixture
) -> None:
    pool.acquire("linux", ttl=SHORT)
    gc.collect()
    eventually("it is given back", lambda: farm.available("linux") == 1, patience=SHORT / 3 + 1)
    assert "dropped without being released" in caplog.text


@pytest.mark.smoke
def test_threads_share_a_pool_and_stand_in_line(farm: Farm, pool: SyncPool) -> None:
    told: List[Tuple[int, Optional[float]]] = []
    inside = threading.Semaphore(4)

    def work(_: int) -> str:
        with pool.session("wine", wait=30, on_progress=lambda *place: told.append(place)) as s:
            assert inside.acquire(blocking=False), "more sessions than containers"
            s.check()
            time.sleep(0.05)
            inside.release()
            return s.container.name

    with ThreadPoolExecutor(12) as threads:
        names = list(threads.map(work, range(36)))
    assert set(names) == {f"wine-{number}" for number in range(1, 5)}
    assert told
    assert min(place for place, _ in told) >= 1


@pytest.mark.smoke
def test_a_loss_is_told_and_raised(farm: Farm, pool: SyncPool) -> None:
    def body() -> None:
        with pool.session("wine", ttl=SHORT) as s:
            farm.end_session(s.id)
            loss = s.lost.wait(SHORT)
            assert loss is not None
            assert loss.reason == "admin"

    with pytest.raises(LeaseLost, match="admin"):
        body()


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_create_leaves_nothing(farm: Farm, proxy: Proxy) -> None:
    proxy.lose = lambda request: request.startswith(b"POST /sessions HTTP") and len(proxy.requests) <= 2

    def interrupt() -> None:
        eventually("it is made", lambda: farm.available("linux") == 0)
        os.kill(os.getpid(), signal.SIGINT)

    with SyncPool(proxy.url, api_key=KEY) as pool:
        # An answer that comes: the interruption hits the pause before the third try, or the answer itself.
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt), pool.session("linux"):
            time.sleep(60)
    eventually("it is given back", lambda: farm.available("linux") == 1, patience=8)


def in_child(work: Callable[[], None]) -> int:
    """Runs it in a fork; 0 when it did what it should."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_fork_works_with_the_pool_and_leaves_its_parents_leases_alone(farm: Farm, pool: SyncPool) -> None:
    with pool.session("linux", ttl=SHORT) as s:

        def child() -> None:
            with pytest.raises(LeaseLost, match="forked"):
                s.check()
            s.release()
            with pool.session("wine", ttl=SHORT) as own:
                time.sleep(SHORT * 1.2)
                own.check()

        assert in_child(child) == 0
        s.check()
        assert farm.available("linux") == 0


def test_a_process_that_dies_leaves_its_lease_to_the_ttl(farm: Farm) -> None:
    def child() -> None:
        s = SyncPool(farm.urls, api_key=KEY).acquire("linux", ttl=SHORT)
        s.check()

    assert in_child(child) == 0
    assert farm.available("linux") == 0
    eventually("it comes back by itself", lambda: farm.available("linux") == 1, patience=SHORT + 5)


@pytest.mark.smoke
def test_what_there_is_can_be_read(farm: Farm, pool: SyncPool) -> None:
    with pool.session("linux") as s:
        status = pool.status()
        assert (status.total_containers, status.by_type["linux"].allocated) == (5, 1)
        assert {one.name for one in pool.containers()} == {"linux-1", *(f"wine-{number}" for number in range(1, 5))}
        assert len(pool.containers("wine", available_only=True)) == 4
        assert pool.container(s.container.id).allocated_to == s.id
        told = pool.explain("linux")
        assert (told.available, told.candidates, [one.reason for one in told.reasons]) == (0, 1, ["leased"])
        assert told.reasons[0].containers == ("linux-1",)
    assert pool.refresh()


def test_activity_keeps_an_idle_session(farm: Farm, pool: SyncPool) -> None:
    idle = pool.acquire("wine", ttl=SHORT, idle=5, active=False)
    used = pool.acquire("wine", ttl=SHORT, idle=5, active=False)
    deadline = time.monotonic() + 20
    while not idle.lost.is_set() and time.monotonic() < deadline:
        used.active()
        time.sleep(0.1)
    loss = idle.lost.wait(0)
    assert loss is not None
    assert loss.reason == "idle"
    used.check()
    used.release()


def test_events_are_followed_across_a_replica_that_is_killed(own_farm: Farm) -> None:
    with SyncPool(own_farm.urls, api_key=KEY) as pool:
        seen: List[str] = []
        ids: List[str] = []
        connected = threading.Event()

        def follow() -> None:
            for event in pool.events(target_type="linux", kind="session.", from_start=True):
                connected.set()
                ids.append(event.id)
                seen.append(f"{event.kind} {event.data['session']}")

        pool.acquire("linux").release()
        threading.Thread(target=follow, daemon=True).start()
        assert connected.wait(10)
        victim = pool._asking.replicas.current
        next(one for one in own_farm.replicas if one.url == victim).kill()
        s = pool.acquire("linux")
        s.release()
        eventually("the end is told", lambda: f"session.ended {s.id}" in seen)
        assert len(ids) == len(set(ids)) == 4, "each is told once"


def test_events_end_where_they_are_not_followed_and_go_on_after_a_cursor(farm: Farm, pool: SyncPool) -> None:
    pool.acquire("linux").release()
    events = list(pool.events(target_type="linux", kind="session.", from_start=True, follow=False))
    assert events[-1].kind == "session.ended"
    after = events[-2].cursor
    assert list(pool.events(target_type="linux", kind="session.", follow=False, after=after)) == events[-1:]


def test_a_certain_container_is_not_waited_for(farm: Farm, pool: SyncPool) -> None:
    with pool.session("wine", container_id="farm.wine-2") as s:
        assert s.container.name == "wine-2"
        with pytest.raises(ContainerUnavailable, match="wine-2"):
            pool.acquire("wine", container_id="farm.wine-2")
    with pytest.raises(ValueError, match="container_id"):
        pool.acquire("wine", container_id="farm.wine-2", wait=5)
