"""What baselines and kernel settings need of the allow-list. Imported only for a file that has some."""

from __future__ import annotations

from collections.abc import Iterator

from zen_agents.actions.restore_sysctl import place_of_setting
from zen_agents.guards import protected_names
from zen_agents.settings.crosscheck_health import is_protected
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.nodes import Node


def check_drift(root: Node, health: Node, report: Report) -> None:
    """Report what would be refused each time: a protected file, or a kernel setting, that the allow-list does not name."""
    _check_baselines(root, health, report)
    _check_sysctls(root, health, report)


def _check_baselines(root: Node, health: Node, report: Report) -> None:
    allowed = root.get("actions", "allow", "restore_file")
    for entry in _restored(health.get("baselines")):
        path = entry.get("path")
        if path is None or not isinstance(path.value, str) or not is_protected(path.value):
            continue
        if not protected_names.is_exempt("restore_file", path.value):
            message = f"{path.value} is protected: it is never restored"
            report.error("ZC405", message, path, help="write `on_failure: []` to be told when it changes")
        elif allowed is not None and path.value not in _texts(allowed.get("paths")):
            message = f"{path.value} is protected: it is restored only where `restore_file` names exactly this path"
            report.error("ZC405", message, path, help=f"actions.allow.restore_file: {{paths: [{path.value}]}}")


def _check_sysctls(root: Node, health: Node, report: Report) -> None:
    allowed = root.get("actions", "allow", "restore_sysctl")
    if allowed is None:
        return
    for entry in _restored(health.get("sysctls")):
        setting = entry.get("setting")
        if setting is None or not isinstance(setting.value, str):
            continue
        if not protected_names.is_exempt("restore_sysctl", place_of_setting(setting.value)):
            message = f"{setting.value} is never set: the kernel runs what it names, or it cannot be taken back"
            report.error("ZC405", message, setting, help="write `on_failure: []` to be told when it changes")
        elif setting.value not in _texts(allowed.get("settings")):
            message = f"{setting.value} is not among the `settings` of `restore_sysctl`, so it would never be set"
            report.error("ZC302", message, setting, help=f"actions.allow.restore_sysctl: {{settings: [{setting.value}]}}")


def _restored(entries: Node | None) -> Iterator[Node]:
    """Yield what is not only told: an empty `on_failure` restores nothing."""
    for entry in entries.value.values() if entries is not None and entries.is_map else ():
        ladder = entry.node.get("on_failure")
        if entry.node.is_map and (ladder is None or not ladder.is_list or ladder.value):
            yield entry.node


def _texts(node: Node | None) -> list[object]:
    return [each.value for each in node.value] if node is not None and node.is_list else []
