"""Whose a process is: the account that logged in, also behind sudo."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
from pathlib import Path


def login_uid(pid: int, uid: int) -> int:
    """Return the uid that logged in for a process of root, else its own uid."""
    if uid != 0:
        return uid
    try:
        logged_in = int(Path(f"/proc/{pid}/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return uid
    # 2**32 - 1 means that nobody logged in: a daemon or a container.
    return uid if logged_in == 2**32 - 1 else logged_in


def group_names(uid: int) -> frozenset[str]:
    """Return the names of all groups of an account, empty if it is not known here."""
    try:
        account = pwd.getpwuid(uid)
        ids = os.getgrouplist(account.pw_name, account.pw_gid)
    except (KeyError, OSError):
        return frozenset()
    found = set()
    for id in ids:
        with contextlib.suppress(KeyError):
            found.add(grp.getgrgid(id).gr_name)
    return frozenset(found)


def account_name(uid: int) -> str:
    """Return the account's name, or `uid N` if it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
