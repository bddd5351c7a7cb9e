"""Lets a process stand still for a while, again and again: `stalls.py PID STILL RUNS`, in seconds; on TERM it runs."""

import contextlib
import os
import signal
import sys
import time


def main(pid: int, still: float, runs: float) -> None:
    """Go on until TERM, or until the process has ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with contextlib.suppress(ProcessLookupError):
        try:
            while True:
                os.kill(pid, signal.SIGSTOP)
                time.sleep(still)
                os.kill(pid, signal.SIGCONT)
                time.sleep(runs)
        finally:
            os.kill(pid, signal.SIGCONT)


main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
