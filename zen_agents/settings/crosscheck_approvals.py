"""Who may say yes, and which rules have less autonomy: names that must be those of rules, actions and accounts."""

from __future__ import annotations

import grp
import pwd
from collections.abc import Collection, Iterable

from zen_agents import catalog
from zen_agents.adapters.accounts import group_names
from zen_agents.model.principal import OPS_GROUP
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.nearest import did_you_mean, nearest
from zen_agents.settings.nodes import Node


def check_autonomy(root: Node, rules: Collection[str], report: Report) -> None:
    """Report every rule and action of `autonomy` that there is not: what it says would limit nothing."""
    written = root.get("autonomy")
    actions = [action.name for action in catalog.ACTIONS]
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
        elif kind == "group" and not _is_group(name):
            _unknown(node, "group", name, (group.gr_name for group in grp.getgrall()), report)
        elif kind == "user" and _is_group(OPS_GROUP) and not _may_act(name, OPS_GROUP):
            report.warning(
                "ZC506", f"`{node.text}` could not reach the engine: not in the group {OPS_GROUP}", node,
                help=f"usermod --append --groups {OPS_GROUP} {name}",
            )  # fmt: skip


def _unknown(node: Node, what: str, name: str, known: Iterable[str], report: Report) -> None:
    suggest = nearest(name, known)
    meant = f"{node.text.partition(':')[0]}:{suggest}" if suggest else ""
    message = f"`approvers` names the {what} `{name}`, which this host does not have"
    report.warning("ZC506", message, node, label=did_you_mean(meant), replacement=meant)


def _may_act(name: str, group: str) -> bool:
    uid = pwd.getpwnam(name).pw_uid
    return uid == 0 or group in group_names(uid)


def _is_account(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _is_group(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True
