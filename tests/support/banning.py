"""A whole engine that follows sshd's log on a simulated host and may ban."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from chaos.simulation.host import SimulatedHost
from tests.support.rig import Rig
from zen_agents.actions.ban_address import BanAddress, BanAddressPolicy
from zen_agents.actions.base import Approval
from zen_agents.actions.lift_ban import LiftBan
from zen_agents.agents.base import AgentContext
from zen_agents.agents.log_analysis.agent import LogAnalysisAgent
from zen_agents.agents.log_analysis.settings import LogAnalysisSettings

LOG = "/var/log/auth.log"
PATTERN: Mapping[str, Any] = {
    "source": "auth", "where": {"event": "login", "result": ["failed", "refused"]}, "by": "address", "count": 3,
    "within": "10m", "ban_at": [22],
}  # fmt: skip
SETTINGS: Mapping[str, Any] = {
    "sources": {"auth": {"file": LOG, "format": "syslog", "security": True}}, "patterns": {"guessing": PATTERN},
}  # fmt: skip
POLICY = BanAddressPolicy(approval=Approval.AUTO, never=("10.0.0.0/24",))


def agent(policy: BanAddressPolicy = POLICY) -> LogAnalysisAgent:
    """Return the agent whose one pattern may ban."""
    context = AgentContext("host", policies={"ban_address": policy})
    return LogAnalysisAgent(LogAnalysisSettings.model_validate(SETTINGS), context)


class Banning(Rig):
    """Its engine; `tries` writes what sshd writes, and connects."""

    def __init__(
        self, state_dir: Path, *, policy: BanAddressPolicy = POLICY, host: SimulatedHost | None = None, **more: Any
    ) -> None:
        if host is None:
            host = SimulatedHost()
            host.files.add_file(LOG, "")
        defaults: dict[str, Any] = {
            "auto_mitigate": {"log_analysis": True}, "allowed": {"ban_address": policy},
            "origins": {"actions.allow.ban_address.approval": "here"},
        }  # fmt: skip
        actions = {"ban_address": BanAddress(), "lift_ban": LiftBan()}
        super().__init__(state_dir, (), host=host, agent=agent(policy), actions=actions, **(defaults | more))
        self.parts.actionable = 0

    def writes(self, message: str, program: str = "sshd[9]") -> None:
        """Add one line of a program to the log."""
        self.host.files.append(LOG, f"{self.clock.now().wall:%b %e %H:%M:%S} h {program}: {message}\n")

    def tries(self, *addresses: str, times: int = 3, connects: bool = True) -> None:
        """Fail to log in from addresses, over connections that are there or not."""
        for address in addresses:
            for _ in range(times):
                self.writes(f"Failed password for root from {address} port 4242 ssh2")
            if connects:
                self.host.network.peers.setdefault(22, set()).add(ip_address(address))

    def goes_away(self, *addresses: str) -> None:
        """End the connections of addresses."""
        self.host.network.peers[22] -= {ip_address(address) for address in addresses}

    @property
    def banned(self) -> list[str]:
        """What is banned now."""
        return [str(network.network_address) for network in self.host.look().bans()]

    def check_memory(self) -> list[object]:
        """Return whom the check follows, as it would be kept over a restart."""
        (check,) = self.tick.watchlist.checks.values()
        followed: list[object] = (check.memory() or {})["followed"]
        return followed
