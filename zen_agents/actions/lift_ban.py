"""lift_ban: the inverse of ban_address."""

from __future__ import annotations

from ipaddress import ip_network

from pydantic import Field

from zen_agents.actions.inverse import Inverse, InverseParams
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Budget, Effect, Plan, Resource, ResourceKind, Risk
from zen_agents.model.address import Network, address_of
from zen_agents.model.reason import Reason
from zen_agents.ports.host import HostControl, HostView


class LiftBanParams(InverseParams):
    """What was shut out."""

    network: str = Field(description="the address, or the network around it, that was banned")


class LiftBan(Inverse):
    """Takes out of the firewall's set what ban_address put there."""

    name = "lift_ban"
    summary = "Let an address in again that ban_address shut out."
    side_effects = "Whoever was shut out may try again at once."
    risk = Risk.HIGH
    budget = Budget.CONTAINMENT
    Params = LiftBanParams

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        network = self._network(request)
        if network not in host.bans():
            raise StalePlanError(f"{network} is not banned any more; nothing was done")
        return self.planned(
            request,
            steps=(f"nft: take {network} out of its set of the table inet zen_agents, before its time",),
            touches=(Resource(ResourceKind.ADDRESS, str(network)),),
            fingerprint=f"{network}:banned",
            timeout_seconds=15.0,
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        network = self._network(plan.request)
        await control.lift_ban(network)
        return Effect(True, f"{network} may come in again", before="banned", after="not banned")

    def missing(self, plan: Plan, host: HostView) -> str:
        left = host.bans().get(self._network(plan.request))
        return "" if left is None else f"it is still banned for {left:.0f} s"

    def _network(self, request: ActionRequest) -> Network:
        params: LiftBanParams = self.params(request)
        address, network = address_of(request.target), ip_network(params.network)
        if address is None or address not in network:
            raise RefusedError(f"{request.target!r} is no address in {network}; nothing was done", reason=Reason.NO_TARGET)
        return network
