"""A worker that was started by root gives root up, for good, before it touches what others made (R29)."""

from __future__ import annotations

import ctypes
import os
import pwd
from pathlib import Path

from zen_agents.workers.parent import still_bound

_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38
#: The account that owns nothing.
NOBODY = 65534


class AccountError(Exception):
    """No account could be taken; the message says why."""


def account_of(name: str) -> tuple[int, int]:
    """Return uid and gid of an account by name or number; AccountError if there is none, or it is root's."""
    try:
        entry = pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
    except KeyError:
        raise AccountError(f"there is no account {name!r} on this host; name another one in `user`") from None
    if entry.pw_uid == 0:
        raise AccountError("data is never read as root; name another account in `user`")
    return entry.pw_uid, entry.pw_gid


def become(uid: int, gid: int) -> None:
    """Become another account, without its groups, and never more than that again; nothing if this is not root."""
    if os.geteuid() != 0:
        return
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    still_bound()
    kernel = ctypes.CDLL(None, use_errno=True)
    # Its own descriptors are looked up in /proc, which a process that has changed accounts may not do before this.
    for option in (_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS):
        if kernel.prctl(option, 1, 0, 0, 0) != 0:
            raise AccountError(f"prctl: {os.strerror(ctypes.get_errno())}")


def give_root_up(account: tuple[int, int], spill: Path) -> None:
    """Become an account, which may write to a directory of ours from then on; nothing if this is not root."""
    if os.geteuid() == 0:
        os.chown(spill, *account)
    become(*account)
