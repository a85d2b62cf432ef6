"""Prints what happens to sessions, with what is kept first. `--once` ends then."""

import sys

from leasehold import SyncPool

with SyncPool() as pool:
    for event in pool.events(kind="session.", from_start=True, follow="--once" not in sys.argv):
        print(event.at, event.target_type, event.kind, event.data.get("reason", ""))
