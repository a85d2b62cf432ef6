"""Runs many jobs by threads, each in a container of its own, as many at a time as there are."""

from concurrent.futures import ThreadPoolExecutor

from leasehold import SyncPool

with SyncPool() as pool:

    def job(number: int) -> str:
        with pool.session("wine", wait=60, metadata={"job": number}) as s:
            for step in ("open", "fill in", "save"):
                s.check()  # raises LeaseLost when the container is not ours any more
                print(f"job {number}: {step} in {s.container.name}")
            return s.container.name

    with ThreadPoolExecutor(8) as threads:
        names = list(threads.map(job, range(8)))
    print(f"8 jobs, {len(set(names))} containers")
