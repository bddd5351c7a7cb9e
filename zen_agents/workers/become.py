"""Giving up root for good, before anything of somebody else's is looked at (R29)."""

from __future__ import annotations

import os

from zen_agents.jobs.environment import RunsAs


def become(account: RunsAs) -> None:
    """Become this account, without a way back; PermissionError if that is root, or cannot be done."""
    if account.uid == 0 or account.gid == 0:
        raise PermissionError("nothing of an environment runs as root; write `user:` (R29)")
    if os.geteuid() == 0:
        os.setgroups(account.groups)
        os.setresgid(account.gid, account.gid, account.gid)
        os.setresuid(account.uid, account.uid, account.uid)
    if os.getresuid() != (account.uid,) * 3:
        raise PermissionError(f"this process cannot become {account.name}")
    os.umask(0o022)
