"""Evidence from a Linux host: /proc, what a started service printed, and the journal of a unit. Names only."""

from __future__ import annotations

import heapq
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from zen_agents.adapters.host_changes import DPKG_LOGS, Changes, file_changes, package_changes
from zen_agents.errors import HostError
from zen_agents.model.action import Plan, ResourceKind
from zen_agents.model.duration import duration
from zen_agents.ports.evidence import MOST_CHANGES, Fragile, Records, Surroundings
from zen_agents.ports.host import Host, HostView
from zen_agents.ports.host_processes import Process

MOST_LINES, MOST_FILES, MOST_PROCESSES = 10, 32, 5
#: No line is longer (characters), and so much of a log's end is read (bytes).
MOST_CHARACTERS, _END_BYTES = 300, 8192
JOURNALCTL = "/usr/bin/journalctl"
_JOURNAL_SECONDS = 2.0
_MEBIBYTE = 1024 * 1024
#: What changed within this long before may have to do with it.
_LATELY = timedelta(days=1)
#: Read of dpkg's log, and looked at of the watched paths: the repair goes on beside, on the same processor.
_PACKAGE_LOG_BYTES, _MOST_WATCHED = 32 * 1024, 200
_PROCESS = re.compile(r"(\d+):(\d+)")


class HostEvidence:
    """Reads what `engine.evidence.Evidence` asks for."""

    def __init__(
        self, host: Host, said: Callable[[str], str], *, proc: str = "/proc", journalctl: str = JOURNALCTL,
        package_logs: Sequence[Path] = DPKG_LOGS,
    ) -> None:  # fmt: skip
        """`said` returns the end of what a service that the engine started has printed."""
        self._host, self._said, self._proc, self._journalctl = host, said, proc, journalctl
        self._package_logs = package_logs

    def fragile(self, plan: Plan) -> Fragile:
        """Return the last words of a service that a restart would overwrite, what its process has open, and where it is."""
        kind, _, name = plan.request.target.partition(":")
        said = _last(self._said(name)) if kind == "service" else []
        known = _PROCESS.fullmatch(_acted_on(plan))
        if known is None:
            return Fragile(said, f"of {name}" if said else "")
        from zen_agents.adapters import process_evidence  # noqa: PLC0415 - most engines repair nothing that runs

        folder = f"{self._proc}/{known[1]}"
        opened = process_evidence.open_files(folder, most_names=MOST_FILES)
        names, stacks = _short(opened.names), _short(process_evidence.stacks(folder))
        return Fragile(said, f"of {name}" if said else "", names, opened.kinds, stacks)

    def surroundings(self, plan: Plan, watched: Sequence[str], at: datetime) -> Surroundings:
        """Return the newest changes of watched files, and the host."""
        del plan
        related = _newest(file_changes(watched[:_MOST_WATCHED], at - _LATELY, at))
        return Surroundings(tuple(related), _in_one_line(self._host.look()))

    def processes(self) -> Sequence[str]:
        """Return the largest processes and those that used most CPU time."""
        return tuple(_worst(list(self._host.look().processes().values())))

    def records(self, plan: Plan, at: datetime) -> Records:
        """Return the end of the journal of the unit that is acted on, and the newest changes of packages."""
        unit = next((resource.name for resource in plan.touches if resource.kind is ResourceKind.UNIT), "")
        lines = self._journal(unit, at) if unit else []
        changes = package_changes(at - _LATELY, at, self._package_logs, most_bytes=_PACKAGE_LOG_BYTES)
        return Records(lines, f"journalctl -u {unit}" if lines else "", tuple(_newest(changes)))

    def _journal(self, unit: str, until: datetime) -> list[str]:
        command = [
            self._journalctl,
            "--unit",
            unit,
            "--until",
            f"@{until.timestamp():.6f}",
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


def _acted_on(plan: Plan) -> str:
    """Return what names the process that is acted on, its target or the main process of its unit; or ""."""
    own = any(resource.kind is ResourceKind.PROCESS for resource in plan.touches)
    return str(plan.detail.get("process") or (plan.fingerprint if own else ""))


def _newest(changes: Changes) -> Iterator[str]:
    for change in heapq.nlargest(MOST_CHANGES, changes.found, key=lambda change: change.at):
        yield f"{change.at.isoformat(timespec='seconds')}  {change.kind} {change.what[:MOST_CHARACTERS]}"


def _last(text: str) -> list[str]:
    """Return the last lines of a text."""
    lines = [line.strip()[:MOST_CHARACTERS] for line in text[-_END_BYTES:].splitlines()]
    return [line for line in lines if line][-MOST_LINES:]


def _short(lines: Iterable[str]) -> Sequence[str]:
    return tuple(line[:MOST_CHARACTERS] for line in lines)


def _in_one_line(view: HostView) -> str:
    memory, disk = view.memory(), view.disk_use("/")
    used = 100 * (memory.total - memory.available) // max(memory.total, 1)
    full = 100 * (disk.total_bytes - disk.free_bytes) // max(disk.total_bytes, 1)
    return f"load {view.load()[0]:.1f}, memory {used} %, / {full} %, up {duration(view.boot_seconds())}"


def _worst(processes: list[Process]) -> Iterator[str]:
    """Yield the largest processes, then those that used most CPU time and were not named yet."""
    largest = heapq.nlargest(MOST_PROCESSES, processes, key=lambda process: process.resident_bytes)
    busiest = heapq.nlargest(MOST_PROCESSES, processes, key=lambda process: process.cpu_seconds)
    for process in dict.fromkeys((*largest, *busiest)):
        size = process.resident_bytes / _MEBIBYTE
        yield f"{process.pid} {process.name} {process.state} {size:.0f} MiB {process.cpu_seconds:.0f} s CPU"
