"""The few system calls that Python 3.11 does not have: namespaces, mounts and what a process may."""

from __future__ import annotations

import ctypes
import os

NEW_MOUNTS, NEW_CGROUP, NEW_UTS, NEW_IPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
NEW_PIDS, NEW_NETWORK = 0x20000000, 0x40000000

READ_ONLY, NO_SUID, NO_DEVICES, NO_PROGRAMS = 1, 2, 4, 8
REMOUNT, BIND, RECURSIVE, PRIVATE = 32, 4096, 16384, 1 << 18

#: Requests of prctl(2): the signal at the parent's end, and giving a capability up for good.
DIES_WITH_PARENT, DROP_CAPABILITY = 1, 24

_DETACH = 2
#: open_tree(2) and move_mount(2) have no functions in libc; their numbers are the same on every machine.
_OPEN_TREE, _MOVE_MOUNT = 428, 429
_HERE, _CLONE, _CLOSE_ON_EXEC, _FROM_DESCRIPTOR = -100, 1, os.O_CLOEXEC, 4
#: pivot_root(2) has no function in libc; its number by machine.
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "armv7l": 218, "i686": 217, "ppc64le": 203, "s390x": 217}
_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Leave the shared namespaces behind; for pids it is the next child that does."""
    _checked("unshare", _libc.unshare(ctypes.c_int(flags)))


def enter_network(descriptor: int) -> None:
    """Move this thread alone into the network namespace behind an open `/proc/PID/ns/net`."""
    _checked("setns", _libc.setns(ctypes.c_int(descriptor), ctypes.c_int(NEW_NETWORK)))


def enter_mounts(descriptor: int) -> None:
    """Move this process, which must have no other thread, into the mount namespace behind an open `/proc/PID/ns/mnt`."""
    _checked("setns", _libc.setns(ctypes.c_int(descriptor), ctypes.c_int(NEW_MOUNTS)))


def detached_mount(path: str) -> int:
    """Return a descriptor of a place as if it were mounted on its own, for `attach_mount` in whichever namespace."""
    flags = ctypes.c_uint(_CLONE | _CLOSE_ON_EXEC)
    opened: int = _libc.syscall(ctypes.c_long(_OPEN_TREE), ctypes.c_int(_HERE), os.fsencode(path), flags)
    _checked(f"open_tree {path}", min(opened, 0))
    return opened


def attach_mount(descriptor: int, path: str) -> None:
    """Mount at a path what `detached_mount` returned."""
    number, here, flags = ctypes.c_long(_MOVE_MOUNT), ctypes.c_int(_HERE), ctypes.c_uint(_FROM_DESCRIPTOR)
    _checked(f"move_mount {path}", _libc.syscall(number, ctypes.c_int(descriptor), b"", here, os.fsencode(path), flags))


def mount(source: str, target: str, kind: str = "", *, flags: int = 0, options: str = "") -> None:
    """Mount a file system, bind a place elsewhere or change what a mount may; OSError names the target."""
    texts = [os.fsencode(text) or None for text in (source, target, kind)]
    _checked(f"mount {target}", _libc.mount(*texts, ctypes.c_ulong(flags), os.fsencode(options) or None))


def pivot_root(new_root: str) -> None:
    """Make `new_root`, a mount point, the root of this mount namespace and let go of the old one with all its mounts."""
    machine = os.uname().machine
    if machine not in _PIVOT_ROOT:
        raise OSError(f"the number of pivot_root is not known for {machine}")
    os.chdir(new_root)
    _checked("pivot_root", _libc.syscall(ctypes.c_long(_PIVOT_ROOT[machine]), b".", b"."))
    # Both roots are mounted on the same place now, the old one on top.
    _checked("umount of the old root", _libc.umount2(b".", ctypes.c_int(_DETACH)))
    os.chdir("/")


def prctl(request: int, value: int) -> None:
    """Change one thing about this process."""
    _checked("prctl", _libc.prctl(ctypes.c_int(request), *map(ctypes.c_ulong, (value, 0, 0, 0))))


def _checked(what: str, returned: int) -> None:
    if returned != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
