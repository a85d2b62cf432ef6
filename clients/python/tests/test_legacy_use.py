"""legacy-use's pool, as its routes use it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from typing import Dict

import pytest
from conftest import KEY, Farm

from leasehold.legacy_use import ContainerPool, ContainerState


@pytest.mark.smoke
def test_it_does_what_the_routes_of_legacy_use_want(farm: Farm) -> None:
    async def main() -> None:
        pool = ContainerPool(farm.urls, api_key=KEY)
        await pool.initialize()
        assert sorted(one.name for one in pool._containers.values())[0] == "linux-1"
        container = await pool.allocate_container("job-1", "linux")
        assert container is not None
        assert (container.name, container.pool_state, container.allocated_to) == (
            "linux-1",
            ContainerState.ALLOCATED,
            "job-1",
        )
        assert container.to_dict().keys() == {
            "id", "name", "target_type", "state", "pool_state", "ip_address", "ports", "allocated_to", "allocated_at",
            "is_scalable",
        }  # fmt: skip
        again = await pool.allocate_container("job-1", "linux")
        assert again is not None
        assert again.id == container.id
        assert await pool.allocate_container("job-2", "linux") is None
        assert await pool.allocate_container("job-2", "amiga") is None
        found = await pool.get_container_for_session("job-1")
        assert found is not None
        assert found.to_dict() == container.to_dict()
        assert await pool.get_container_for_session("job-2") is None
        assert await pool.get_available_containers("linux") == []
        assert len(await pool.get_available_containers()) == 4
        status = await pool.get_pool_status()
        assert status == {
            "total_containers": 5, "available": 4, "allocated": 1, "initializing": 0, "unhealthy": 0,
            "by_type": {"linux": {"total": 1, "available": 0, "allocated": 1},
                        "wine": {"total": 4, "available": 4, "allocated": 0}},
        }  # fmt: skip
        await pool.refresh(force=True)
        assert pool._containers[container.id].allocated_to == "job-1"
        assert await pool.check_container_health(container)
        assert await pool.release_container("job-1") is True
        assert await pool.release_container("job-2") is False
        assert await pool.get_container_for_session("job-1") is None
        await pool.cleanup()

    asyncio.run(main())


def test_two_processes_share_it_and_it_outlives_both(farm: Farm) -> None:
    async def main() -> None:
        first, second = ContainerPool(farm.urls, api_key=KEY), ContainerPool(farm.urls, api_key=KEY)
        taken = await first.allocate_container("job-1", "linux")
        assert taken is not None
        await first.cleanup()
        found = await second.get_container_for_session("job-1")
        assert found is not None
        assert found.id == taken.id
        assert await second.release_container("job-1")
        await second.cleanup()

    asyncio.run(main())


def test_it_is_renewed_while_the_process_lives(own_farm: Farm) -> None:
    short = 6
    for replica in list(own_farm.replicas):
        replica.kill()
    own_farm.start(LEASEHOLD_LIMITS__GUIDE_TTL=f"{short}s")

    async def main() -> None:
        pool = ContainerPool(own_farm.replicas[-1].url, api_key=KEY)
        assert await pool.allocate_container("job-1", "linux") is not None
        time.sleep(short * 1.5)  # noqa: ASYNC251 - a blocked loop costs nothing here either
        assert len(own_farm.sessions("ready")) == 1
        assert await pool.release_container("job-1")
        await pool.cleanup()

    asyncio.run(main())


def test_the_global_pool_is_made_from_the_environment() -> None:
    code = (
        "from leasehold.legacy_use import container_pool as pool; print(pool._pool.urls, 'secret' in repr(vars(pool)))"
    )
    environment: Dict[str, str] = {
        **os.environ,
        "LEASEHOLD_URL": "http://one, http://two",
        "LEASEHOLD_API_KEY": "secret",
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "['http://one', 'http://two'] False"
