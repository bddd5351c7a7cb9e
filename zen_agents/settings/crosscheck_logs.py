"""What the keys of `agents.log_analysis` ask of other sections, and of the host itself."""

from __future__ import annotations

from zen_agents.errors import HostError
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.nodes import Node


def check_logs(root: Node, report: Report) -> None:
    """Report patterns that may ban where the allow-list does not say so, or the firewall's program is missing."""
    patterns = root.get("agents", "log_analysis", "patterns")
    found = [entry.node.get("ban_at") for entry in patterns.value.values()] if patterns and patterns.is_map else []
    asked = [node for node in found if node is not None and node.value]
    if not asked:
        return
    if root.entry_at("actions", "allow", "ban_address") is None:
        message = "action `ban_address` exists, but `actions.allow` does not name it, so nobody would ever be banned"
        report.error("ZC302", message, asked[0], help="write `ban_address: {}` below actions.allow, or take this out")
    from zen_agents.adapters.linux_firewall import nft  # noqa: PLC0415 - only for a file that may ban

    try:
        nft()
    except HostError as error:
        report.warning("ZC507", str(error), asked[0])
