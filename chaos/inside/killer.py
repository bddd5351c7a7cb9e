"""Kills the main process of a unit some time after each start: `killer.py UNIT SECONDS`."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

_LOOK_EVERY_SECONDS = 0.05


def main(unit: str, lives: float) -> None:
    """Look until killed."""
    while True:
        time.sleep(_LOOK_EVERY_SECONDS)
        if pid := _main_pid(unit):
            time.sleep(lives)
            with contextlib.suppress(ProcessLookupError):  # somebody else was quicker
                os.kill(pid, signal.SIGKILL)
            while _main_pid(unit) == pid:
                time.sleep(_LOOK_EVERY_SECONDS)


def _main_pid(unit: str) -> int:
    shown = subprocess.run(
        ["systemctl", "show", "--value", "--property=MainPID", "--", unit], check=True, capture_output=True, text=True
    )
    return int(shown.stdout)


main(sys.argv[1], float(sys.argv[2]))
