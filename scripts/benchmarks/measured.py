"""Runs a command and measures what it took."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from scripts.benchmarks.processes import REPOSITORY, environment

MB = 1_000_000


class Measured:
    """What a command took."""

    def __init__(self, command: Sequence[str], size: int, *, stdin: str = "", out: Path | None = None) -> None:
        """Run a command that reads so many bytes; raises CalledProcessError if it fails."""
        with (out or Path(os.devnull)).open("wb") as stream, subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=stream, stderr=subprocess.DEVNULL, env=environment(), cwd=REPOSITORY
        ) as child:  # fmt: skip
            if child.stdin is not None:
                child.stdin.write(stdin.encode())
                child.stdin.close()
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise subprocess.CalledProcessError(child.returncode, command)
        #: Megabytes for each second of CPU, and the largest resident size in MiB.
        self.rate, self.peak = size / MB / (used.ru_utime + used.ru_stime), used.ru_maxrss / 1024
