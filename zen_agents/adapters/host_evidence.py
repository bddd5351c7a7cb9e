"""Evidence from a Linux host: /proc, what a started service printed, and the journal of a unit. Names only."""

from __future__ import annotations

import heapq
import os
import re
import subprocess
from collections.abc import Callable, Iterator

from zen_agents.errors import HostError
from zen_agents.model.action import Plan
from zen_agents.ports.evidence import Fragile, Surroundings
from zen_agents.ports.host import Host, Process

MOST_LINES, MOST_FILES, MOST_PROCESSES = 10, 32, 5
#: No line is longer (characters), and so much of a log's end is read (bytes).
MOST_CHARACTERS, _END_BYTES = 300, 8192
#: Descriptors looked at: a leak may have a million.
_MOST_DESCRIPTORS = 64
JOURNALCTL = "/usr/bin/journalctl"
_JOURNAL_SECONDS = 2.0
_MEBIBYTE = 1024 * 1024
_PROCESS = re.compile(r"(\d+):(\d+)")


class HostEvidence:
    """Reads what `engine.evidence.Evidence` asks for."""

    def __init__(self, host: Host, said: Callable[[str], str], *, proc: str = "/proc", journalctl: str = JOURNALCTL) -> None:
        """`said` returns the end of what a service that the engine started has printed."""
        self._host, self._said, self._proc, self._journalctl = host, said, proc, journalctl

    def fragile(self, plan: Plan) -> Fragile:
        """Return the last words of a service that a restart would overwrite, and what its process has open."""
        kind, _, name = plan.request.target.partition(":")
        said = _last(self._said(name)) if kind == "service" else []
        return Fragile(said, f"of {name}" if said else "", tuple(self._open_files(plan)))

    def surroundings(self, plan: Plan) -> Surroundings:
        """Return the largest and busiest processes, and the journal of the unit that is acted on."""
        processes = list(self._host.look().processes().values())
        unit = next((resource.name for resource in plan.touches if resource.kind.value == "unit"), "")
        lines = self._journal(unit) if unit else []
        return Surroundings(tuple(_worst(processes)), lines, f"journalctl -u {unit}" if lines else "")

    def _open_files(self, plan: Plan) -> Iterator[str]:
        """Yield the names of files that the process which is acted on has open."""
        known = _PROCESS.fullmatch(plan.fingerprint)
        if known is None:
            return
        # Strings, not paths: the repair waits for this.
        folder, seen = f"{self._proc}/{known[1]}/fd", set[str]()
        try:
            descriptors = os.listdir(folder)[:_MOST_DESCRIPTORS]  # noqa: PTH208
        except OSError:  # it is gone, or another's
            return
        for descriptor in descriptors:
            try:
                name = os.readlink(f"{folder}/{descriptor}")  # noqa: PTH115
            except OSError:
                continue
            if name.startswith("/") and not name.startswith("/dev/") and name not in seen and len(seen) < MOST_FILES:
                seen.add(name)
                yield name[:MOST_CHARACTERS]

    def _journal(self, unit: str) -> list[str]:
        command = [
            self._journalctl,
            "--unit",
            unit,
            "--lines",
            str(MOST_LINES),
            "--output",
            "short-iso",
            "--no-pager",
            "--quiet",
        ]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
                timeout=_JOURNAL_SECONDS, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
            )  # fmt: skip
        except FileNotFoundError:  # a host without systemd's journal
            return []
        except (OSError, subprocess.SubprocessError) as error:
            raise HostError(f"the journal of {unit} cannot be read: {error}") from error
        return _last(done.stdout[-_END_BYTES:].decode(errors="replace"))


def _last(text: str) -> list[str]:
    """Return the last lines of a text."""
    lines = [line.strip()[:MOST_CHARACTERS] for line in text[-_END_BYTES:].splitlines()]
    return [line for line in lines if line][-MOST_LINES:]


def _worst(processes: list[Process]) -> Iterator[str]:
    """Yield the largest processes, then those that used most CPU time and were not named yet."""
    largest = heapq.nlargest(MOST_PROCESSES, processes, key=lambda process: process.resident_bytes)
    busiest = heapq.nlargest(MOST_PROCESSES, processes, key=lambda process: process.cpu_seconds)
    for process in dict.fromkeys((*largest, *busiest)):
        size = process.resident_bytes / _MEBIBYTE
        yield f"{process.pid} {process.name} {process.state} {size:.0f} MiB {process.cpu_seconds:.0f} s CPU"
