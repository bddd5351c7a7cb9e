"""Looks after a unit with a will of its own: `unit_rival.py stop|supervise UNIT SECONDS TURNS`.

`stop` stops it whenever it runs, as a line of cron does. `supervise` stops and starts whatever it has not started itself, as
a supervisor does that believes its own record alone. Each time is a line of the file TURNS.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

#: From its stop to its start (seconds).
_PAUSE = 0.3


def main(will: str, unit: str, every: float, turns: Path) -> None:
    """Look every so often until killed."""
    own = ""
    while True:
        time.sleep(every)
        state = _show(unit)
        if state["ActiveState"] != "active" or state["InvocationID"] == own:
            continue
        _systemctl("stop", unit)
        with turns.open("a", encoding="ascii") as out:
            out.write(f"{time.time()}\n")
        if will == "supervise":
            own = _started(unit)


def _started(unit: str) -> str:
    """Start it after a moment and return its invocation, "" if somebody else was first."""
    time.sleep(_PAUSE)
    asked_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    _systemctl("start", unit)
    state = _show(unit)
    return state["InvocationID"] if int(state["InactiveExitTimestampMonotonic"]) >= asked_us else ""


def _show(unit: str) -> dict[str, str]:
    wanted = "--property=ActiveState,InvocationID,InactiveExitTimestampMonotonic"
    told = subprocess.run(["systemctl", "show", wanted, "--", unit], capture_output=True, text=True, check=True).stdout
    return dict(line.partition("=")[::2] for line in told.splitlines())


def _systemctl(verb: str, unit: str) -> None:
    subprocess.run(["systemctl", verb, "--", unit], check=True)


main(sys.argv[1], sys.argv[2], float(sys.argv[3]), Path(sys.argv[4]))
