"""Runs a command and measures what it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.benchmarks.processes import REPOSITORY, environment

MB = 1_000_000
#: Starts the command from a small process and tells what it took: a child's largest size is no less than its parent's was.
_LAUNCHER = """
import json, os, subprocess, sys
child = subprocess.Popen(sys.argv[2:])
_, status, used = os.wait4(child.pid, 0)
told = {"code": os.waitstatus_to_exitcode(status), "seconds": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss}
os.write(int(sys.argv[1]), json.dumps(told).encode())
"""


class Measured:
    """What a command took."""

    def __init__(self, command: Sequence[str], size: int, *, stdin: str = "", out: Path | None = None) -> None:
        """Run a command that reads so many bytes; raises CalledProcessError if it fails."""
        reading, writing = os.pipe()
        launch = [sys.executable, "-S", "-E", "-c", _LAUNCHER, str(writing)]
        with os.fdopen(reading, "rb") as told, (out or Path(os.devnull)).open("wb") as stream:
            subprocess.run(
                [*launch, *command], input=stdin.encode(), stdout=stream, stderr=subprocess.DEVNULL, env=environment(),
                cwd=REPOSITORY, pass_fds=(writing,), check=True,
            )  # fmt: skip
            os.close(writing)
            used = json.loads(told.read())
        if used["code"] != 0:
            raise subprocess.CalledProcessError(used["code"], command)
        #: Megabytes for each second of CPU, and the largest resident size in MiB.
        self.rate, self.peak = size / MB / used["seconds"], used["peak"] / 1024
