"""ban_address: shut an address out for a while.

The address is the target itself, a type that holds nothing else; see ADR 0027 on how it may come from what a line said.
"""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, Field

from zen_agents.actions.base import Action, ActionParams, ActionPolicy
from zen_agents.actions.lift_ban import LiftBan
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Budget, Effect, Plan, Resource, ResourceKind, Reversible, Risk
from zen_agents.model.address import Address, Network, NetworkText, address_of, first_overlap, network_around
from zen_agents.model.quantities import format_duration
from zen_agents.model.reason import Reason
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import PositiveDuration
from zen_agents.ports.host import HostControl, HostView

#: The longest that somebody may be shut out without anybody looking, and the shortest that is of any use.
_LONGEST, _SHORTEST = timedelta(days=7), timedelta(seconds=10)
#: So many at once and no more: a list that nobody reads is no list. The kernel's sets hold a few more.
MOST_AT_ONCE = 1000
#: No wider network is banned for one address in it.
_WIDEST = 48


def check_length(value: timedelta) -> timedelta:
    """Return how long a ban may last."""
    if not _SHORTEST <= value <= _LONGEST:
        raise refuse(
            "range", f"is from {format_duration(_SHORTEST)} to {format_duration(_LONGEST)}, got {format_duration(value)}"
        )
    return value


class BanAddressParams(ActionParams):
    """How long, how wide, and who never."""

    seconds: int = Field(ge=10, le=int(_LONGEST.total_seconds()), description="how long; the kernel itself ends it")
    most_at_once: int = Field(ge=1, le=MOST_AT_ONCE, description="no further one while so many are banned")
    ipv6_prefix: int = Field(128, ge=_WIDEST, le=128, description="an IPv6 address is banned with the network around it")
    never: tuple[NetworkText, ...] = Field((), description="addresses and networks that are never banned")


class BanAddressPolicy(ActionPolicy):
    """What `actions.allow.ban_address` says."""

    max_per_hour: int | None = Field(60, ge=0, description="bans per hour; empty: no limit but `most_at_once`")
    expires: Annotated[PositiveDuration, AfterValidator(check_length)] = Field(
        timedelta(minutes=10), description="how long a ban lasts; the kernel itself ends it"
    )
    most_at_once: int = Field(20, ge=1, le=MOST_AT_ONCE, description="no further ban while there are so many")
    ipv6_prefix: int = Field(128, ge=_WIDEST, le=128, description="64: an IPv6 address is banned with its whole /64")
    never: tuple[NetworkText, ...] = Field(
        (), description="addresses and networks that are never banned, whatever a pattern says"
    )

    def permits(self, plan: Plan) -> str:
        """Return "" unless the plan would ban what is listed here, or for longer."""
        for touched in plan.touches:
            kept = first_overlap(ip_network(touched.name), map(ip_network, self.never))
            if kept is not None:
                return f"{touched.name} is in {kept}, which is never banned"
        if plan.request.action == BanAddress.name and plan.request.params["seconds"] > self.expires.total_seconds():
            return "it would last longer than `expires` says"
        return ""


class BanAddress(Action):
    """Has nftables drop whatever comes from an address, until the time is over that the kernel itself keeps."""

    name = "ban_address"
    summary = "Shut an address out for a while; the kernel itself ends that."
    side_effects = (
        "Whoever else comes from that address is shut out with it, and so are answers to what this host asks there."
    )
    risk = Risk.HIGH
    reversible = Reversible.YES
    budget = Budget.CONTAINMENT
    mends = ("ban.",)
    Params = BanAddressParams
    Policy = BanAddressPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        params: BanAddressParams = self.params(request)
        address, bans = _target(request), host.bans()
        network = network_around(address, params.ipv6_prefix)
        if first_overlap(network, bans) is not None:
            # A set holds no two that overlap: beside a neighbour that is banned by itself, so is this one.
            network = network_around(address)
        _refuse_if_kept(network, params, host)
        if first_overlap(network, bans) is not None:
            raise StalePlanError(f"{network} is banned already; there is nothing to do")
        if len(bans) >= params.most_at_once:
            raise RefusedError(f"{len(bans)} are banned, which is as many as may be at once", reason=Reason.RATE_LIMIT)
        return self.planned(
            request,
            steps=(
                "nft: have the table inet zen_agents with its sets, if it is not there",
                f"nft: add {network} to its set for {params.seconds} s",
            ),
            touches=(Resource(ResourceKind.ADDRESS, str(network)),),
            fingerprint=f"{network}:not banned",
            timeout_seconds=15.0,
            detail={"network": str(network)},
            warning=f"nothing from {network} reaches this host for {params.seconds} s",
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: BanAddressParams = self.params(plan.request)
        network = str(plan.detail["network"])
        await control.ban(ip_network(network), params.seconds)
        return Effect(
            ok=True,
            detail=f"{network} is shut out for {params.seconds} s; the kernel ends that, whether the engine runs or not",
            before="not banned",
            after=f"banned for {params.seconds} s",
            undo={"network": network},
        )

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        if not effect.undo:
            return None
        return ActionRequest(LiftBan.name, plan.request.target, {"network": effect.undo["network"]}, inverse_of=self.name)


def _target(request: ActionRequest) -> Address:
    address = address_of(request.target)
    if address is None:
        text = f"the target {request.target!r} is not address:ADDRESS; nothing was done"
        raise RefusedError(text, reason=Reason.NO_TARGET)
    return address


def _refuse_if_kept(network: Network, params: BanAddressParams, host: HostView) -> None:
    """RefusedError for what is never shut out: it is listed, this host cannot do without it, or it names nobody."""
    if (listed := first_overlap(network, map(ip_network, params.never))) is not None:
        raise RefusedError(f"{network} is in {listed}, which is never banned", reason=Reason.PROTECTED)
    for kept in host.kept_networks():
        if first_overlap(network, (kept.network,)) is not None:
            raise RefusedError(f"{network} holds {kept.network}, {kept.why}; it is never banned", reason=Reason.PROTECTED)
    if network.is_multicast or network.is_unspecified or network.is_loopback or network.is_link_local:
        raise RefusedError(f"{network} is nobody's address alone; it is never banned", reason=Reason.PROTECTED)
