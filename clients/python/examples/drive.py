"""Takes a desktop for as long as its work lasts, telling the place in line meanwhile."""

import asyncio

from leasehold import LeaseLost, NoAvailableContainers, Pool


async def work(address: str) -> None:
    print(f"driving the desktop at {address}")
    await asyncio.sleep(1)


async def main() -> None:
    # The address and the key come from LEASEHOLD_URL and LEASEHOLD_API_KEY.
    async with Pool() as pool:
        try:
            async with pool.session(
                "wine",
                wait=30,
                on_progress=lambda position, estimate: print(f"in line: {position}, about {estimate} s"),
                cancel_on_loss=True,
            ) as s:
                await work(s.endpoints["vnc"].address or "?")
        except NoAvailableContainers:
            print((await pool.explain("wine")).summary)
        except LeaseLost as loss:
            print(f"what was done may be half done: {loss}")


asyncio.run(main())
