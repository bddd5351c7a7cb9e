"""What no single section can tell: references from one to another, and settings that do not go together."""

from __future__ import annotations

import os
from collections.abc import Mapping

from zen_agents.settings.crosscheck_approvals import check_approvers
from zen_agents.settings.crosscheck_health import check_health
from zen_agents.settings.crosscheck_logs import check_logs
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.ladders import check_ladders
from zen_agents.settings.models import Settings
from zen_agents.settings.nearest import did_you_mean, nearest
from zen_agents.settings.nodes import Node
from zen_agents.settings.trust import too_open


def crosscheck(root: Node, settings: Settings | None, environ: Mapping[str, str], report: Report) -> None:
    """Report what does not go together. Looks at what was written, so that one mistake does not hide another."""
    check_ladders(root, report)
    check_health(root, report)
    check_logs(root, report)
    if (packages := root.get("agents", "dependency_manager")) is not None and packages.is_map:
        from zen_agents.settings.crosscheck_packages import check_packages  # noqa: PLC0415 - only for a file that has it

        check_packages(root, packages, report)
    _check_windows(root, report)
    _check_channels(root, report)
    _check_pagerduty(root, environ, report)
    _check_secret_files(root, report)
    check_approvers(root, report)
    if settings is not None and not report.failed:
        from zen_agents.settings.own_rules import check_own_rules  # noqa: PLC0415 - only for a file that is right so far

        check_own_rules(root, settings, report)
        _check_night(root, settings, report)


def _check_windows(root: Node, report: Report) -> None:
    """Each maintenance window has a name of its own, and `only_in` names one of them."""
    windows = root.get("maintenance")
    named: list[str] = []
    for item in windows.value if windows and windows.is_list else ():
        if (name := item.get("name")) is None:
            continue
        if name.text in named:
            report.error("ZC214", f"two maintenance windows are called `{name.text}`", name)
        named.append(name.text)
    allow = root.get("actions", "allow")
    for entry in allow.value.values() if allow and allow.is_map else ():
        window = entry.node.get("only_in")
        if window is not None and isinstance(window.value, str) and window.value not in named:
            suggest = nearest(window.value, named)
            message = f"`only_in: {window.value}` names no maintenance window"
            report.error("ZC303", message, window, label=did_you_mean(suggest), replacement=suggest)


def _check_channels(root: Node, report: Report) -> None:
    """Routes, steps and the digest name channels that exist."""
    groups, urls = root.get("alerts", "email", "groups"), root.get("alerts", "urls")
    known = ["email", "pagerduty"]
    known += [f"email:{name}" for name in (groups.value if groups and groups.is_map else ())]
    known += [f"url:{name}" for name in (urls.value if urls and urls.is_map else ())]
    lists: list[Node | None] = []
    for section, key in ((root.get("alerts", "routes"), "to"), (root.get("escalation", "default"), "notify")):
        lists += [item.get(key) for item in (section.value if section and section.is_list else ())]
    lists.append(root.get("alerts", "digest", "to"))
    for node in lists:
        for channel in (node.value if node.is_list else [node]) if node else ():
            if isinstance(channel.value, str) and channel.value not in known:
                suggest = nearest(channel.value, known)
                message = f"unknown channel `{channel.value}`: one of {', '.join(known)}"
                report.error("ZC303", message, channel, label=did_you_mean(suggest), replacement=suggest)


def _check_pagerduty(root: Node, environ: Mapping[str, str], report: Report) -> None:
    enabled = root.get("alerts", "pagerduty", "enabled")
    if enabled is None or enabled.value not in (True, "true", "yes", "on"):
        return
    given = root.get("alerts", "pagerduty", "routing_key_file") is not None or environ.get("PAGERDUTY_ROUTING_KEY")
    credentials = environ.get("CREDENTIALS_DIRECTORY", "")
    if given or (credentials and os.path.exists(f"{credentials}/pagerduty_routing_key")):  # noqa: PTH110
        return
    ways = "alerts.pagerduty.routing_key_file, PAGERDUTY_ROUTING_KEY or PAGERDUTY_ROUTING_KEY_FILE"
    report.error("ZC602", f"PagerDuty is on, but has no key: set {ways}", enabled)


def _check_secret_files(root: Node, report: Report) -> None:
    """A secret's file that is there may be read by its owner alone; whether it is there is looked at when it is needed."""
    paths = (
        ("alerts", "pagerduty", "routing_key_file"),
        ("alerts", "email", "smtp", "password_file"),
        ("alerts", "email", "smtp", "url_file"),
        ("alerts", "heartbeat", "url_file"),
    )
    nodes = [root.get(*path) for path in paths]
    urls = root.get("alerts", "urls")
    nodes += [entry.node.get("url_file") for entry in (urls.value.values() if urls and urls.is_map else ())]
    for node in nodes:
        if node is None or not isinstance(node.value, str) or not node.value.startswith("/"):
            continue
        try:
            state = os.stat(node.value)  # noqa: PTH116
        except (OSError, ValueError):
            continue  # whoever reads it tells that it cannot be
        if why := too_open(state):
            report.error("ZC402", f"the secret {node.value} {why}", node, help=f"chmod 0600 {node.value}")


def _check_night(root: Node, settings: Settings, report: Report) -> None:
    """Whoever wrote `mode` or `alerts` wanted people to be told; the short form has neither."""
    written = root.entry_at("alerts") or root.entry_at("mode")
    alerts = settings.alerts
    mail = bool(alerts.email.to) and settings.quiet_hours is None
    if written is None or settings.mode.value != "enforce" or alerts.pagerduty.enabled or alerts.urls or mail:
        return
    message = "mode is `enforce`, but no alert route can reach a person at night"
    report.warning("ZC501", message, written.place, help="set alerts.pagerduty, alerts.email or ALERT_EMAIL")
