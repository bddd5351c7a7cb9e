"""The cgroups of each disposable host: its own parts of the hierarchies, removed with it."""

from __future__ import annotations

import contextlib
import os
import select
import time
from pathlib import Path
from typing import NamedTuple

#: Where commands from outside run, beside what the host's systemd makes.
COMMANDS = "commands"
_PREFIX = "zen-host-"
_EMPTY_WITHIN_SECONDS = 10.0


class CpuHierarchy(NamedTuple):
    """Where the CPU controller of control groups, version 1, is mounted on this machine."""

    #: What it is mounted with: `cpu`, or `cpu,cpuacct` where both are one.
    controllers: str
    #: The cgroup of this process in it.
    own: Path


def cpu_hierarchy() -> CpuHierarchy | None:
    """Return the hierarchy of the CPU controller; None where it is not mounted, as with version 2 alone."""
    rows = [line.split(":", 2) for line in _lines("/proc/self/cgroup")]
    found = next(((names, path) for _, names, path in rows if "cpu" in names.split(",")), None)
    for line in _lines("/proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        kind, _, options = after.split()[:3]
        if found is not None and kind == "cgroup" and "cpu" in options.split(","):
            return CpuHierarchy(found[0], Path(before.split()[4]) / found[1].lstrip("/"))
    return None


def has_cpu_controller() -> bool:
    """Tell whether a host's systemd could hold units down to a share of a CPU, by either version of control groups."""
    return cpu_hierarchy() is not None or _is_in_unified()


def make_cgroups(*, cpu_quotas: bool) -> list[Path]:
    """Make cgroups named after this process below its own, the unified one first; OSError where a hierarchy is missing.

    What killed processes left behind there is removed first.
    """
    tops = [_own_cgroup()]
    if cpu_quotas and (cpu := cpu_hierarchy()) is not None:
        tops.append(cpu.own)
    elif cpu_quotas:
        _hand_down_cpu(tops[0])
    for left in (left for top in tops for left in top.glob(f"{_PREFIX}*")):
        if not _lives(*left.name.removeprefix(_PREFIX).split("-")):
            remove_cgroup(left)
    made = [top / f"{_PREFIX}{os.getpid()}-{_state_and_start_time(os.getpid())[1]}" for top in tops]
    (made[0] / COMMANDS).mkdir(parents=True)
    for group in made[1:]:
        group.mkdir()
    return made


def remove_cgroup(cgroup: Path) -> None:
    """Kill what is left in a cgroup and remove it with all below it."""
    with contextlib.suppress(OSError):  # kernels before 5.14 have no cgroup.kill; the pid namespace's end does the same
        (cgroup / "cgroup.kill").write_text("1", encoding="ascii")
    give_up = time.monotonic() + _EMPTY_WITHIN_SECONDS
    while cgroup.exists() and time.monotonic() < give_up:
        for directory, _, _ in os.walk(cgroup, topdown=False):
            with contextlib.suppress(OSError):  # the dead leave it a moment later
                Path(directory).rmdir()
        select.select([], [], [], 0.005)


def _is_in_unified() -> bool:
    try:
        return "cpu" in (_own_cgroup() / "cgroup.controllers").read_text(encoding="ascii").split()
    except OSError:
        return False


def _hand_down_cpu(cgroup: Path) -> None:
    """Let the groups below a unified one have the CPU controller; OSError without one, or with processes in the way."""
    if not _is_in_unified():
        raise OSError("no CPU controller of control groups is mounted here")
    (cgroup / "cgroup.subtree_control").write_text("+cpu", encoding="ascii")


def _own_cgroup() -> Path:
    own = next((line[3:] for line in _lines("/proc/self/cgroup") if line.startswith("0::")), "")
    for line in _lines("/proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        if after.startswith("cgroup2 "):
            return Path(before.split()[4]) / own.lstrip("/")
    raise OSError("no cgroup2 hierarchy is mounted here")


def _lives(pid: str, start_time: str) -> bool:
    try:
        state, found = _state_and_start_time(int(pid))
    except OSError:
        return False
    # One that nobody reaped removes nothing any more.
    return found == start_time and state not in "ZX"


def _state_and_start_time(pid: int) -> tuple[str, str]:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return fields[0], fields[19]


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()
