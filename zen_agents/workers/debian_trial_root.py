"""A copy of the running root for a trial: an overlay of each file system, with every change kept in memory.

Called in a mount namespace of its own; nothing is mounted outside of that.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from zen_agents.dataclass import dataclass

#: Every Debian has it, and nothing that a trial needs lies there.
_BASE: Final = Path("/mnt")
#: File systems that hold files of packages, or that a package may look at.
_KINDS: Final = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "overlay", "jfs", "reiserfs", "bcachefs"})
#: Where the files of packages lie: without one of these a trial says nothing.
_PACKAGED: Final = ("/usr", "/var", "/etc", "/opt", "/boot")
_ODD: Final = frozenset(",:\\ ")
_NODES: Final = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
_LINKS: Final = {"fd": "self/fd", "stdin": "self/fd/0", "stdout": "self/fd/1", "stderr": "self/fd/2"}
_SECONDS: Final = 30.0
#: Services are neither started nor stopped in the copy.
_NO_SERVICES: Final = "#!/bin/sh\nexit 101\n"


class RootError(Exception):
    """No copy of the root can be made here; the message says why."""


@dataclass(frozen=True, slots=True)
class MountPoint:
    """One file system as the kernel lists it."""

    path: str
    kind: str


def make_root(most_bytes: int) -> Path:
    """Make the copy and return where it lies; RootError if it cannot be made."""
    _mount("-t", "tmpfs", "-o", f"size={most_bytes},mode=0700", "tmpfs", str(_BASE))
    root = _BASE / "root"
    try:
        for number, place in enumerate(["/", *_below_root()]):
            _overlay(place, root, number)
        _mount("-t", "proc", "-o", "nosuid,nodev,noexec", "proc", f"{root}/proc")
        for fresh, mode in (("run", "0755"), ("tmp", "1777"), ("dev", "0755")):
            _mount("-t", "tmpfs", "-o", f"nosuid,size=64m,mode={mode}", "tmpfs", f"{root}/{fresh}")
        _devices(root / "dev")
        _settle(root)
    except OSError as error:
        raise RootError(f"no copy of the root can be made here: {error}") from error
    return root


def mount_points(text: str) -> Iterator[MountPoint]:
    """Yield what a text like /proc/self/mountinfo lists, with octal escapes taken out."""
    for line in text.splitlines():
        before, _, behind = line.partition(" - ")
        if len(before.split()) > 4 and behind:
            path = before.split()[4].encode().decode("unicode_escape")
            yield MountPoint(path, behind.split()[0])


def _below_root() -> list[str]:
    """Return the other file systems, upper before lower; RootError if one that packages need cannot be copied."""
    listed = mount_points(Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace"))
    paths = dict.fromkeys(each.path for each in listed if each.kind in _KINDS and each.path != "/")
    found = [path for path in paths if Path(path).is_dir() and not path.startswith(str(_BASE))]
    if odd := next((path for path in found if not _ODD.isdisjoint(path) and _is_packaged(path)), None):
        raise RootError(f"the file system at {odd!r} has a name that cannot be copied")
    return sorted(path for path in found if _ODD.isdisjoint(path))


def _is_packaged(path: str) -> bool:
    return any(path == top or path.startswith(f"{top}/") for top in _PACKAGED)


def _overlay(place: str, root: Path, number: int) -> None:
    target = root if place == "/" else Path(f"{root}{place}")
    upper, work = _BASE / f"{number}.upper", _BASE / f"{number}.work"
    for directory in (upper, work, target):
        directory.mkdir(parents=True, exist_ok=True)
    state = Path(place).stat()
    os.chown(upper, state.st_uid, state.st_gid)
    upper.chmod(stat.S_IMODE(state.st_mode))
    _mount("-t", "overlay", "-o", f"lowerdir={place},upperdir={upper},workdir={work}", "overlay", str(target))


def _devices(folder: Path) -> None:
    for name, (major, minor) in _NODES.items():
        os.mknod(folder / name, stat.S_IFCHR | 0o666, os.makedev(major, minor))
        (folder / name).chmod(0o666)
    for name, target in _LINKS.items():
        (folder / name).symlink_to(f"/proc/{target}")
    (folder / "shm").mkdir(mode=0o1777)


def _settle(root: Path) -> None:
    """Forbid services, and keep what says how names are resolved: it may lie in /run."""
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text(_NO_SERVICES, encoding="ascii")
    policy.chmod(0o755)
    resolver = Path("/etc/resolv.conf")
    if resolver.is_file():
        copy = root / "etc/resolv.conf"
        content = resolver.read_bytes()
        copy.unlink(missing_ok=True)
        copy.write_bytes(content)


def _mount(*arguments: str) -> None:
    ended = subprocess.run(
        ("mount", *arguments), capture_output=True, text=True, check=False, timeout=_SECONDS, stdin=subprocess.DEVNULL
    )
    if ended.returncode != 0:
        raise RootError(f"{arguments[-1]} cannot be mounted for a copy of the root: {ended.stderr.strip()[-300:]}")
