"""Who may use the control sockets besides the engine's own account, and what somebody who may not can do about it."""

from __future__ import annotations

import grp
import os
from pathlib import Path

from zen_agents.adapters.accounts import account_name, group_names

#: Who may look, and who may act, besides the engine's own account; under a root engine, where the groups are there.
VIEW_GROUP, OPS_GROUP = "zen-view", "zen-ops"


def group_id(name: str) -> int | None:
    """Return the id of a group, None if it is not there."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def lacking(uid: int) -> tuple[str, ...]:
    """Return the groups that an account would have to be in to act: the one of the state directory, the one of the socket.

    Empty for root, for a member of both, and where the group that may act is not there: then nobody else may at all.
    """
    if uid == 0 or group_id(OPS_GROUP) is None:
        return ()
    there = [name for name in (VIEW_GROUP, OPS_GROUP) if group_id(name) is not None]
    member = group_names(uid)
    return tuple(name for name in there if name not in member)


def joining(groups: tuple[str, ...], name: str) -> str:
    """Return the command that adds an account to groups."""
    return f"usermod --append --groups {','.join(groups)} {name}"


def why_refused(socket: Path) -> str:
    """Return why this process may not open a socket, and the command that works."""
    uid = os.geteuid()
    owner, me = _owner(socket.parent), account_name(uid)
    if uid in (0, owner):
        return "only looking is open now, the engine's log says why; start it anew"
    if owner not in (None, 0):
        whose = account_name(owner)
        return f"the engine runs as {whose}, and only that account may ask it: sudo -u {whose} zen-agents ..."
    if group_id(OPS_GROUP) is None:
        return (
            "only root may: sudo zen-agents ... "
            f"To let others in: sudo groupadd {OPS_GROUP} && sudo {joining((OPS_GROUP,), me)}, then start the engine anew"
        )
    if missing := lacking(uid):
        enough = f" ({VIEW_GROUP} is enough for looking)" if VIEW_GROUP in missing else ""
        return f"{me} is not in {' and '.join(missing)}: sudo {joining(missing, me)}, then log in anew{enough}"
    if OPS_GROUP not in {_name(id) for id in os.getgroups()}:
        return f"{me} is in the group {OPS_GROUP}, but this session began before that: log in anew, or: newgrp {OPS_GROUP}"
    return f"the engine was started before the group {OPS_GROUP} was there: start it anew, or: sudo zen-agents ..."


def _owner(directory: Path) -> int | None:
    try:
        return directory.stat().st_uid
    except OSError:
        # Then nobody's account can be named as the one to ask by.
        return None


def _name(id: int) -> str:
    try:
        return grp.getgrgid(id).gr_name
    except KeyError:
        return ""
