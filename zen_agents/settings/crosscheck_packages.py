"""What policy on packages asks of the allow-list. Imported only for a file that has `agents.dependency_manager`."""

from __future__ import annotations

from typing import Final

from zen_agents.settings.diagnostics import Report
from zen_agents.settings.nodes import Node

#: What is listed -> what upgrades it.
_UPGRADES: Final = {"environments": "upgrade_python_packages", "debian": "upgrade_debian_packages"}


def check_packages(root: Node, agent: Node, report: Report) -> None:
    """Report policy that says `auto` of what the allow-list does not name: nothing would ever be upgraded."""
    auto = [node for key in ("security_updates", "minor_updates") if (node := agent.get(key)) is not None]
    auto = [node for node in auto if node.value == "auto"]
    if not auto or root.get("actions") is None:
        return
    for listed, action in _UPGRADES.items():
        if _is_looked_at(listed, agent.get(listed)) and root.entry_at("actions", "allow", action) is None:
            message = f"policy says `auto`, but `actions.allow` does not name `{action}`, so no upgrade would be made"
            report.error("ZC302", message, auto[0], help=f"write `{action}: {{}}` below actions.allow, or `notify` here")


def _is_looked_at(listed: str, section: Node | None) -> bool:
    """Tell whether anything is listed: `debian: {}` is all that it needs, `null` and `enabled: false` list nothing."""
    if section is None or section.value is None:
        return False
    if listed == "environments":
        return bool(section.value)
    enabled = section.get("enabled")
    return enabled is None or enabled.value is not False
