"""The root file system of a disposable host: the running one, with every change kept in memory."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from chaos.host_cgroup import cpu_hierarchy
from chaos.kernel import (
    BIND,
    DROP_CAPABILITY,
    NO_DEVICES,
    NO_PROGRAMS,
    NO_SUID,
    PRIVATE,
    READ_ONLY,
    RECURSIVE,
    REMOUNT,
    mount,
    pivot_root,
    prctl,
)

SYSTEMD = "/lib/systemd/systemd"
#: What would reach the one kernel that all hosts share: modules, raw devices, audit, the clock, the kernel's log, alarms.
DROPPED = {
    "sys_module": 16,
    "sys_rawio": 17,
    "sys_time": 25,
    "audit_control": 30,
    "syslog": 34,
    "wake_alarm": 35,
    "audit_read": 37,
}

#: Where the layers are kept, in the host's own mount namespace alone.
_BASE = "/tmp"  # noqa: S108 - every system has it, and a tmpfs of our own is mounted over it first
_FRESH = ("/tmp", "/run", "/var/tmp")  # noqa: S108 - mounted anew inside, so nothing of the outer ones is seen
_NODES = {
    "null": (1, 3),
    "zero": (1, 5),
    "full": (1, 7),
    "random": (1, 8),
    "urandom": (1, 9),
    "tty": (5, 0),
    "fuse": (10, 229),
}
_LOOPS = 16


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a host is to be like."""

    name: str
    #: Unit that systemd starts.
    target: str
    #: How much may be written inside, in all, as tmpfs counts it (`1g`).
    room: str
    #: Directories that must be seen inside wherever they are mounted outside.
    places: tuple[str, ...]
    #: Whether its systemd can hold a unit down to a share of a CPU.
    cpu_quotas: bool


def enter(wanted: Wanted, console: str) -> None:
    """Build the root in this mount namespace and go there; the outer root is let go of."""
    # Each is held by descriptor: the layers' tmpfs hides /tmp, where one of them may be.
    held = [(place, os.open(place, os.O_PATH | os.O_DIRECTORY)) for place in wanted.places if _needs_mount(place)]
    mount("none", "/", flags=RECURSIVE | PRIVATE)
    mount("tmpfs", _BASE, "tmpfs", flags=NO_DEVICES, options=f"size={wanted.room},mode=0755")
    root = f"{_BASE}/root"
    _overlay("/", root, "all")
    for fresh in _FRESH:
        mode = "0755" if fresh == "/run" else "1777"
        mount("tmpfs", root + fresh, "tmpfs", flags=NO_SUID | NO_DEVICES, options=f"size={wanted.room},mode={mode}")
    for number, (place, descriptor) in enumerate(held):
        _overlay(f"/proc/self/fd/{descriptor}", root + place, str(number))
        os.close(descriptor)
    _devices(root, console)
    _kernel_files(root)
    _cgroups(f"{root}/sys/fs/cgroup", wanted)
    pivot_root(root)


def run_systemd(wanted: Wanted) -> None:
    """Make the host its own (name, machine id, no disks, no timers) and become its systemd."""
    socket.sethostname(wanted.name)
    Path("/etc/hostname").write_text(f"{wanted.name}\n", encoding="ascii")
    Path("/etc/machine-id").write_text(f"{secrets.token_hex(16)}\n", encoding="ascii")
    for disks in ("/etc/fstab", "/etc/crypttab"):
        Path(disks).write_text("", encoding="ascii")
    timers = Path("/etc/systemd/system/timers.target")
    timers.unlink(missing_ok=True)
    # What the outer root does by the clock (package lists, backups) is no part of an experiment.
    timers.symlink_to("/dev/null")
    for number in DROPPED.values():
        prctl(DROP_CAPABILITY, number)
    os.execve(  # noqa: S606 - an argument list, with an environment of its own
        SYSTEMD, [SYSTEMD, f"--unit={wanted.target}"], {"container": "unshare"}
    )


def _needs_mount(place: str) -> bool:
    """Tell whether a directory would not be seen in an overlay of the root file system alone."""
    hidden = any(Path(place).is_relative_to(fresh) for fresh in _FRESH)
    return hidden or Path(place).stat().st_dev != Path("/").stat().st_dev


def _overlay(lower: str, target: str, name: str) -> None:
    upper, work = f"{_BASE}/{name}.upper", f"{_BASE}/{name}.work"
    for directory in (upper, work, target):
        Path(directory).mkdir(parents=True, exist_ok=True)
    mount("overlay", target, "overlay", options=f"lowerdir={lower},upperdir={upper},workdir={work}")


def _devices(root: str, console: str) -> None:
    """Make a /dev of the host's own: what systemd puts there must not turn up outside."""
    dev = f"{root}/dev"
    mount("tmpfs", dev, "tmpfs", flags=NO_SUID, options="size=16m,mode=0755")
    for name, (major, minor) in _NODES.items():
        _node(f"{dev}/{name}", stat.S_IFCHR | 0o666, major, minor)
    _node(f"{dev}/loop-control", stat.S_IFCHR | 0o660, 10, 237)
    for number in range(_LOOPS):
        _node(f"{dev}/loop{number}", stat.S_IFBLK | 0o660, 7, number)
    for name, target in (("fd", "self/fd"), ("stdin", "self/fd/0"), ("stdout", "self/fd/1"), ("stderr", "self/fd/2")):
        Path(dev, name).symlink_to(f"/proc/{target}")
    Path(dev, "ptmx").symlink_to("pts/ptmx")
    for name in ("pts", "shm"):
        Path(dev, name).mkdir()
    mount("devpts", f"{dev}/pts", "devpts", flags=NO_SUID | NO_PROGRAMS, options="newinstance,ptmxmode=0666,mode=0620,gid=5")
    mount("tmpfs", f"{dev}/shm", "tmpfs", flags=NO_SUID | NO_DEVICES, options="size=64m,mode=1777")
    _node(f"{dev}/console", stat.S_IFREG | 0o600, 0, 0)
    mount(console, f"{dev}/console", flags=BIND)


def _node(path: str, mode: int, major: int, minor: int) -> None:
    os.mknod(path, mode, os.makedev(major, minor))
    # The umask is the caller's.
    Path(path).chmod(stat.S_IMODE(mode))


def _kernel_files(root: str) -> None:
    """Mount what the kernel tells; what would change the kernel for all is read-only, the own network stack is not."""
    safe = NO_SUID | NO_DEVICES | NO_PROGRAMS
    mount("proc", f"{root}/proc", "proc", flags=safe)
    for path, flags in (("sys", READ_ONLY), ("sysrq-trigger", READ_ONLY), ("sys/net", 0)):
        # A kernel may be built without the sysrq key.
        with contextlib.suppress(FileNotFoundError):
            mount(f"{root}/proc/{path}", f"{root}/proc/{path}", flags=BIND)
            mount("", f"{root}/proc/{path}", flags=REMOUNT | BIND | safe | flags)
    mount("sysfs", f"{root}/sys", "sysfs", flags=safe | READ_ONLY)


def _cgroups(place: str, wanted: Wanted) -> None:
    """Mount the unified hierarchy; with quotas that of the CPU controller beside it, as systemd's hybrid layout has them."""
    safe = NO_SUID | NO_DEVICES | NO_PROGRAMS
    cpu = cpu_hierarchy() if wanted.cpu_quotas else None
    if cpu is None:
        mount("cgroup2", place, "cgroup2", flags=safe)
        return
    mount("tmpfs", place, "tmpfs", flags=safe, options="size=1m,mode=0755")
    for name, kind, options in (("unified", "cgroup2", ""), ("systemd", "tmpfs", ""), ("cpu", "cgroup", cpu.controllers)):
        Path(place, name).mkdir()
        mount(kind, f"{place}/{name}", kind, flags=safe, options=options)
    # To systemd both are one, and it takes away the groups of either where it finds the other missing.
    Path(place, "cpuacct").symlink_to("cpu")
    # Other hierarchies belong to the kernel that all hosts share: systemd would mount them here.
    mount("", place, flags=REMOUNT | safe | READ_ONLY)
