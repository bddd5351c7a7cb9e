"""One run of a program, measured as a whole process."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scripts.benchmarks.processes import REPOSITORY, environment

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Run:
    """What one run took, as a whole process, and what it counted."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    counts: Mapping[str, int]


def measured(command: Sequence[str], stdin: str) -> tuple[tuple[float, float, float], str]:
    """Return seconds, those of CPU, and the peak of memory in MiB; and what was printed."""
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(), cwd=REPOSITORY
    ) as child:
        if child.stdin is None or child.stdout is None:
            raise RuntimeError("there are no pipes")
        child.stdin.write(stdin.encode())
        child.stdin.close()
        said = child.stdout.read().decode()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise subprocess.CalledProcessError(child.returncode, command)
    return (time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / _MIB), said
