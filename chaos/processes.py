"""What runs on a disposable host, read from outside in a tenth of a millisecond a process, so that it can be asked often.

Numbers of processes are those of this machine; who has ended meanwhile has nothing.
"""

from __future__ import annotations

from pathlib import Path

from chaos.host import DisposableHost


def of_unit(host: DisposableHost, unit: str) -> tuple[int, ...]:
    """Return the processes of a service, oldest first; zombies are none."""
    listed = host.cgroup / "system.slice" / f"{unit}.service" / "cgroup.procs"
    return tuple(sorted(int(pid) for pid in _text(listed).split()))


def resident_mib(pid: int) -> float:
    """Return how much of a process is in memory, in MiB."""
    return int(_status(pid, "VmRSS")) / 1024


def catches(pid: int, signal: int) -> bool:
    """Tell whether a process has a handler for a signal, so that it does not just end of it."""
    return bool(int(_status(pid, "SigCgt"), 16) >> (signal - 1) & 1)


def descriptors(pid: int) -> int:
    """Return how many files a process holds open."""
    try:
        return sum(1 for _ in (_of(pid) / "fd").iterdir())
    except OSError:
        return 0


def children(pid: int) -> tuple[int, ...]:
    """Return the children of a process's main thread, zombies too."""
    return tuple(int(child) for child in _text(_of(pid) / "task" / str(pid) / "children").split())


def state(pid: int) -> str:
    """Return a process's state as ps writes it: R, S, D, T, Z; "" for none."""
    return next(iter(_fields(pid)), "")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has taken since it began, at a hundredth of a second."""
    fields = _fields(pid)
    return (int(fields[11]) + int(fields[12])) / 100 if fields else 0.0


def argv(pid: int) -> tuple[str, ...]:
    """Return the argument list of a process, () for none."""
    return tuple(_text(_of(pid) / "cmdline").split("\0"))


def _status(pid: int, name: str) -> str:
    lines = _text(_of(pid) / "status").splitlines()
    return next((line.split()[1] for line in lines if line.startswith(f"{name}:")), "0")


def _fields(pid: int) -> list[str]:
    return _text(_of(pid) / "stat").rpartition(")")[2].split()


def _of(pid: int) -> Path:
    return Path(f"/proc/{pid}")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
