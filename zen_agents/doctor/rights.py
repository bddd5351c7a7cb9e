"""Who may do what: people who are to answer, the sockets they ask through, and an engine that is not root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path

from zen_agents.adapters.accounts import account_name
from zen_agents.adapters.control_access import OPS_GROUP, VIEW_GROUP, group_id
from zen_agents.doctor.examination import Finding, Site, State, fine, worst

#: What check-config says of approvers who are not known, or could not answer.
_APPROVERS = "ZC506"
#: Whoever may run this as root answers questions by it, in their own name.
_BY_SUDO = ("zen-agents", "approve")
_SUDO_SECONDS = 3.0
_SOCKETS = {"view.sock": VIEW_GROUP, "control.sock": OPS_GROUP}
_POLKIT_FOLDERS = ("/etc/polkit-1/rules.d", "/usr/local/share/polkit-1/rules.d", "/usr/share/polkit-1/rules.d")
_MANAGE_UNITS = "org.freedesktop.systemd1.manage-units"


def approvers(site: Site) -> Finding:
    """Could each approver answer, by a group or by sudo?"""
    if site.loaded is None or site.loaded.settings is None:
        return Finding(State.UNKNOWN, "the configuration is not valid")
    named = site.loaded.settings.approvals.approvers
    if not named:
        return fine("approvals.approvers names nobody: whoever may act may answer")
    doubted = [each for each in site.loaded.diagnostics if each.code == _APPROVERS]
    by_sudo = [name for name in _people(named) if doubted and _may_by_sudo(site, name)]
    bad = [
        Finding(State.WARNING, each.message, each.help or "correct the name in approvals.approvers")
        for each in doubted
        if not any(f"`user:{name}`" in each.message for name in by_sudo)
    ]
    sudo = f", {' and '.join(by_sudo)} with sudo" if by_sudo else ""
    return worst(bad, f"{', '.join(named)} can answer{sudo}")


def _people(named: Collection[str]) -> Iterator[str]:
    return (name for kind, _, name in (each.partition(":") for each in named) if kind == "user")


def _may_by_sudo(site: Site, name: str) -> bool:
    """Tell whether sudo lets an account run the answer as root; only root is told that of others."""
    sudo = site.path("/usr/bin/sudo")
    if os.geteuid() != 0 or not sudo.exists():
        return False
    try:
        asked = [str(sudo), "-n", "-l", "-U", name, *_BY_SUDO]
        done = subprocess.run(asked, capture_output=True, timeout=_SUDO_SECONDS, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError):
        # A sudo that gives no answer lets nobody.
        return False
    return done.returncode == 0


def sockets(site: Site) -> Finding:
    """Do the sockets belong to the groups that are to use them?"""
    if site.status is None and site.engine_pid is None:
        return Finding(State.UNKNOWN, "only a running engine has sockets", "zen-agents run")
    if site.state_dir.stat().st_uid != 0:
        return fine(f"only {account_name(site.state_dir.stat().st_uid)} asks the engine, as whom it runs")
    bad = [found for name, group in _SOCKETS.items() if (found := _wrong(site.state_dir / name, group)) is not None]
    there = [group for group in _SOCKETS.values() if group_id(group) is not None]
    return worst(bad, f"open to {' and '.join(there)}" if there else "open to root alone")


def _wrong(socket: Path, group: str) -> Finding | None:
    """Return why the members of a group cannot use a socket, None if they can or there is no such group."""
    wanted, again = group_id(group), "zen-agents stop, then start it again"
    if wanted is None:
        return None
    try:
        found = socket.stat()
    except FileNotFoundError:
        return Finding(State.FAILED, f"{socket} is not there, though the engine runs", again)
    if found.st_gid != wanted or found.st_mode & 0o060 != 0o060:
        return Finding(
            State.WARNING, f"{socket} is not open to {group}: the engine was started before the group was there", again
        )
    return None


def units(site: Site) -> Finding:
    """May the engine restart the units that it is to restart? Root may; another account needs a rule of polkit."""
    settings = site.loaded.settings if site.loaded is not None else None
    if settings is None:
        return Finding(State.UNKNOWN, "the configuration is not valid")
    names = [service.unit for agent in settings.agents.values() for service in getattr(agent, "services", {}).values()]
    listed = [name for name in names if name]
    account = site.state_dir.stat().st_uid
    if not listed or "restart_service" not in settings.actions.allow:
        return fine("no unit is to be restarted")
    if account == 0:
        return fine(f"root restarts {len(listed)} units")
    rules = [
        file for folder in _POLKIT_FOLDERS if (there := site.path(folder)).is_dir() for file in sorted(there.glob("*.rules"))
    ]
    if any(_MANAGE_UNITS in file.read_text(encoding="utf-8", errors="replace") for file in rules):
        return fine(f"a rule of polkit is about {_MANAGE_UNITS}; a trial: zen-agents act restart_service NAME --dry-run")
    return Finding(
        State.WARNING, f"the engine runs as {account_name(account)}, and no rule of polkit lets it restart {listed[0]}",
        f"write one for {_MANAGE_UNITS} in {_POLKIT_FOLDERS[0]}, or run the engine as root",
    )  # fmt: skip
