"""Giving up every way to change this host, and root, for good, before anything of somebody else's is looked at (R29)."""

from __future__ import annotations

import ctypes
import os

from zen_agents.jobs.environment import RunsAs, Tools

#: Of <linux/mount.h>; the number of the call is the same on every architecture.
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _READ_ONLY = 442, -100, 0x8000, 1
#: Of <linux/prctl.h>: capabilities that programs would be started with.
_CAP_AMBIENT, _CLEAR_ALL = 47, 4


class _Attributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64), ("clear", ctypes.c_uint64), ("propagation", ctypes.c_uint64), ("users", ctypes.c_uint64),
    )  # fmt: skip


def seal(tools: Tools) -> None:
    """Make all mounts read-only but those that are to be written, then become the account; PermissionError if that fails."""
    libc = ctypes.CDLL(None, use_errno=True)
    _set(libc, "/", _Attributes(set=_READ_ONLY), _AT_RECURSIVE)
    for place in tools.writable:
        _set(libc, place, _Attributes(clear=_READ_ONLY), 0)
    _become(tools.runs_as)
    if libc.prctl(_CAP_AMBIENT, _CLEAR_ALL, 0, 0, 0) != 0:
        raise _failed("the capabilities of this process cannot be given up")


def _set(libc: ctypes.CDLL, place: str, attributes: _Attributes, flags: int) -> None:
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    if libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, place.encode(), flags, ctypes.byref(attributes), size) != 0:
        raise _failed(f"{place} cannot be made read-only, or writable, which needs Linux 5.12")


def _become(account: RunsAs) -> None:
    if account.uid == 0 or account.gid == 0:
        raise PermissionError("nothing of an environment runs as root; write `user:` (R29)")
    if os.geteuid() == 0:
        os.setgroups(account.groups)
        os.setresgid(account.gid, account.gid, account.gid)
        os.setresuid(account.uid, account.uid, account.uid)
    if os.getresuid() != (account.uid,) * 3:
        raise PermissionError(f"this process cannot become {account.name}")
    os.umask(0o022)


def _failed(what: str) -> PermissionError:
    return PermissionError(f"{what}: {os.strerror(ctypes.get_errno())}")
