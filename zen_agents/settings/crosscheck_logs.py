"""What the keys of `agents.log_analysis` ask of the host itself."""

from __future__ import annotations

from zen_agents.errors import HostError
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.nodes import Node


def check_logs(root: Node, report: Report) -> None:
    """Report a pattern that may ban where the firewall's program is missing."""
    patterns = root.get("agents", "log_analysis", "patterns")
    for entry in patterns.value.values() if patterns and patterns.is_map else ():
        ban_at = entry.node.get("ban_at")
        if ban_at is None or not ban_at.value:
            continue
        from zen_agents.adapters.linux_firewall import nft  # noqa: PLC0415 - only for a file that may ban

        try:
            nft()
        except HostError as error:
            report.warning("ZC507", str(error), ban_at)
        return
