"""Who may say yes, which rules have less autonomy or more to hold: names of rules, actions and accounts that there are."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Collection, Iterable

from zen_agents import catalog
from zen_agents.adapters.control_access import OPS_GROUP, group_id, joining, lacking
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.nearest import did_you_mean, nearest
from zen_agents.settings.nodes import Node


def check_slo(root: Node, rules: Collection[str], report: Report) -> None:
    """Report every rule of `slo.rules` that there is not: what it is held to would never be judged."""
    written = root.get("slo", "rules")
    for name, entry in written.value.items() if written is not None and written.is_map else ():
        if name not in rules:
            suggest = nearest(name, rules)
            message = f"`slo.rules` names the rule `{name}`, which there is not"
            report.error("ZC303", message, entry.place, label=did_you_mean(suggest), replacement=suggest)


def check_autonomy(root: Node, rules: Collection[str], report: Report) -> None:
    """Report every rule and action of `autonomy` that there is not: what it says would limit nothing."""
    written = root.get("autonomy")
    actions = list(catalog.ACTIONS)
    for name, entry in written.value.items() if written is not None and written.is_map else ():
        if name not in rules:
            suggest = nearest(name, rules)
            message = f"`autonomy` names the rule `{name}`, which there is not"
            report.error("ZC303", message, entry.place, label=did_you_mean(suggest), replacement=suggest)
        for action, level in entry.node.value.items() if entry.node.is_map else ():
            if action not in actions:
                suggest = nearest(action, actions)
                message = f"`autonomy` of `{name}` names the action `{action}`, which there is not"
                report.error("ZC301", message, level.place, label=did_you_mean(suggest), replacement=suggest)


def check_approvers(root: Node, report: Report) -> None:
    """Warn of an approver whom this host does not know, or who could not reach the socket that takes the answer.

    A warning: the file may be checked on another host than the one that it is for.
    """
    written = root.get("approvals", "approvers")
    if written is None:
        return
    for node in written.value if written.is_list else ():
        kind, _, name = node.text.partition(":")
        if kind == "user" and not _is_account(name):
            _unknown(node, "account", name, (account.pw_name for account in pwd.getpwall()), report)
        elif kind == "group" and group_id(name) is None:
            _unknown(node, "group", name, (group.gr_name for group in grp.getgrall()), report)
        elif kind in ("user", "group"):
            _check_reach(node, (name,) if kind == "user" else _members(name), report)


def _check_reach(node: Node, names: Collection[str], report: Report) -> None:
    """Warn if none of these accounts could open the socket that takes the answer; of nobody nothing is known."""
    accounts = {name: pwd.getpwnam(name).pw_uid for name in names if _is_account(name)}
    # Whoever checks the file may be the account that the engine runs as: that one always reaches it.
    if not accounts or not {0, os.geteuid()}.isdisjoint(accounts.values()):
        return
    missing = {name: lacking(uid) for name, uid in accounts.items()}
    name = next(iter(accounts))
    if group_id(OPS_GROUP) is None:
        what, how = f"there is no group {OPS_GROUP}", f"groupadd {OPS_GROUP} && {joining((OPS_GROUP,), name)}"
    elif all(missing.values()):
        what, how = f"not in the group {' and '.join(missing[name])}", joining(missing[name], name)
    else:
        return
    report.warning("ZC506", f"`{node.text}` could not reach the engine: {what}", node, help=how)


def _members(group: str) -> list[str]:
    found = grp.getgrnam(group)
    first = (account.pw_name for account in pwd.getpwall() if account.pw_gid == found.gr_gid)
    return list(dict.fromkeys((*found.gr_mem, *first)))


def _unknown(node: Node, what: str, name: str, known: Iterable[str], report: Report) -> None:
    suggest = nearest(name, known)
    meant = f"{node.text.partition(':')[0]}:{suggest}" if suggest else ""
    message = f"`approvers` names the {what} `{name}`, which this host does not have"
    report.warning("ZC506", message, node, label=did_you_mean(meant), replacement=meant)


def _is_account(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
