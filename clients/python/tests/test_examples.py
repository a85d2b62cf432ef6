"""The examples run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest
from conftest import KEY, Farm

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["drive.py"], "driving the desktop at 127.0.0.1:"),
        (["jobs.py"], "8 jobs, "),
        (["watch.py", "--once"], "session.ended released"),
    ],
)
def test_an_example_runs(farm: Farm, command: List[str], words: str) -> None:
    environment = {**os.environ, "LEASEHOLD_URL": ",".join(farm.urls), "LEASEHOLD_API_KEY": KEY}
    if command[0] == "watch.py":
        test_an_example_runs(farm, ["drive.py"], "driving")
    program = [sys.executable, str(EXAMPLES / command[0]), *command[1:]]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert words in done.stdout
