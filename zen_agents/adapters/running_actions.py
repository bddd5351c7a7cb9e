"""What actions are running now, by the records in `running/`; the emergency stop ends them, engine hung or dead."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

#: A killed package manager is worse than the wait.
_PACKAGE_MANAGERS = ("dpkg", "apt", "aptitude", "rpm", "dnf", "yum")


def kill_running(state_dir: Path, *, also_packages: bool = False) -> dict[str, str]:
    """SIGKILL the process groups of running actions; return what became of each: killed, finishing or gone.

    A group is killed if its leader still is the process that was recorded; where the leader is gone, the members of its
    session that started after the record are, each checked by its own start time. As root only root's records count (R33).
    """
    ended: dict[str, str] = {}
    for record in sorted((state_dir / "running").glob("act-*")):
        try:
            found = record.lstat()
            group, start, since = (int(word) for word in record.read_text(encoding="ascii").split())
        except (OSError, ValueError):
            ended[record.name] = "no record"
            continue
        if os.geteuid() == 0 and found.st_uid != 0:
            ended[record.name] = "not ours"
            continue
        ended[record.name] = _kill(group, start, since, also_packages=also_packages)
    return ended


def _kill(group: int, start: int, since: int, *, also_packages: bool) -> str:
    members = [
        (pid, name) for pid, name, pgrp, session, began in _processes() if group in (pgrp, session) and began >= since
    ]
    if not also_packages and any(name.startswith(_PACKAGE_MANAGERS) for _, name in members):
        return "finishing"
    leader_lives = any(pid == group and began == start for pid, _, _, _, began in _processes())
    if leader_lives and group > 1:
        os.killpg(group, signal.SIGKILL)
        return "killed"
    for pid, _ in members:
        os.kill(pid, signal.SIGKILL)
    return "killed" if members else "gone"


def _processes() -> Iterator[tuple[int, str, int, int, int]]:
    """Yield (pid, name, process group, session, start time) of every process."""
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                line = Path(entry.path, "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue  # it has just ended
            head, _, rest = line.rpartition(") ")
            fields = rest.split(" ")
            yield int(entry.name), head.partition("(")[2], int(fields[2]), int(fields[3]), int(fields[19])
