"""Small disks of their own for a disposable host: ext4 on a loop device, as full and as old as a fault wants them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from chaos.host import DisposableHost
from chaos.workload import struck

_DAY = 86400
#: No journal and nothing reserved for root, so that the percentages are those that df shows.
_MKFS = ["mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", "-E", "lazy_itable_init=0"]


def make_volume(host: DisposableHost, at: str, *, mib: int, inodes: int = 0, options: str = "noatime") -> None:
    """Make a file system of `mib` MiB and mount it at a directory; with `inodes`, one that has no more than these."""
    image = image_of(at)
    host.run(["truncate", f"--size={mib}M", image], check=True)
    host.run([*_MKFS, *(["-N", str(inodes)] if inodes else []), image], check=True)
    host.run(["mkdir", "-p", at], check=True)
    mount_volume(host, at, options=options)


def mount_volume(host: DisposableHost, at: str, *, options: str = "noatime") -> None:
    """Mount what `make_volume` made."""
    host.run(["mount", "-o", f"loop,{options}", image_of(at), at], check=True)


def image_of(at: str) -> str:
    """Return the file that holds the file system mounted at a directory."""
    return f"/var/tmp/chaos{at.replace('/', '-')}.img"  # noqa: S108 - of the disposable host


def make_files(host: DisposableHost, folder: str, count: int, size: int = 0) -> float:
    """Make so many files `0`, `1` and so on of `size` bytes that take their room, and return the monotonic moment of it.

    It ends without an error where there is no room, or no inode, for one more.
    """
    return struck(host, ("files", folder, str(count), str(size)))


def edit_volume(host: DisposableHost, at: str, commands: list[str]) -> None:
    """Give debugfs commands while the file system is not mounted: what no system call can do, like an old change time."""
    host.run(["umount", at], check=True)
    host.run(["debugfs", "-w", "-f", "/dev/stdin", image_of(at)], text_in="\n".join(commands) + "\n", check=True)
    mount_volume(host, at)


def aging(folder: str, count: int, *, days: int) -> list[str]:
    """Return the commands that date access, change and modification of what `make_files` made back by so many days."""
    then = f"@{int(time.time()) - days * _DAY}"
    kinds = ("atime", "mtime", "ctime")
    return [f"set_inode_field {folder}/{number} {kind} {then}" for number in range(count) for kind in kinds]


def filling(host: DisposableHost, at: str, file: str, *, percent: float) -> tuple[str, str, str]:
    """Return the deed that makes a file on the volume grow until so much of the volume is in use."""
    state = _state(host, at)
    wanted = state.f_blocks * percent / 100 - (state.f_blocks - state.f_bfree)
    return "fill", file, str(int(wanted) * state.f_frsize)


def used_percent(host: DisposableHost, at: str) -> float:
    """Return how full the file system mounted at a directory is."""
    state = _state(host, at)
    return 100 * (state.f_blocks - state.f_bfree) / state.f_blocks


def used_inodes_percent(host: DisposableHost, at: str) -> float:
    """Return how many of the inodes of the file system mounted at a directory are in use."""
    state = _state(host, at)
    return 100 * (state.f_files - state.f_ffree) / state.f_files


def is_read_only(host: DisposableHost, at: str) -> bool:
    """Tell whether nobody can write to the file system mounted at a directory."""
    lines = (line.split() for line in Path(f"/proc/{host.pid}/mounts").read_text(encoding="utf-8").splitlines())
    options = next((words[3].split(",") for words in lines if words[1] == at), [])
    # What a kernel since 6.12 says where it found damage and lets nobody write.
    return not {"ro", "emergency_ro"}.isdisjoint(options)


def _state(host: DisposableHost, at: str) -> os.statvfs_result:
    # Asked every few milliseconds: a process inside for each look would be what is measured.
    return os.statvfs(f"/proc/{host.pid}/root{at}")
