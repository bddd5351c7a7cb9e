"""A ban: whom it shuts out and for how long, whom never, and that it can be lifted before its time."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import ValidationError

from chaos.simulation.host import SimulatedHost
from zen_agents.actions.ban_address import BanAddress, BanAddressPolicy
from zen_agents.actions.lift_ban import LiftBan
from zen_agents.errors import ActionFailedError, HostError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest
from zen_agents.ports.host_firewall import KeptNetwork

PARAMS: dict[str, Any] = {"seconds": 600, "most_at_once": 2, "never": ["10.0.0.0/24", "2001:db8:9::/48"]}
ACTION = BanAddress()


def asked(address: str = "192.0.2.7", **changes: Any) -> ActionRequest:
    return ActionRequest("ban_address", f"address:{address}", {**PARAMS, **changes})


def banned(host: SimulatedHost) -> list[str]:
    return [str(network) for network in host.look().bans()]


async def act(host: SimulatedHost, request: ActionRequest) -> None:
    await ACTION.execute(ACTION.plan(request, host.look()), host.control())


async def test_a_ban_ends_by_itself_and_before_its_time_by_its_inverse() -> None:
    host = SimulatedHost()
    plan = ACTION.plan(asked(), host.look())
    assert plan.warning == "nothing from 192.0.2.7/32 reaches this host for 600 s"
    effect = await ACTION.execute(plan, host.control())
    assert banned(host) == ["192.0.2.7/32"]
    with pytest.raises(StalePlanError, match="banned already"):
        ACTION.plan(asked(), host.look())
    host.advance(601)
    assert banned(host) == []
    await act(host, asked())
    inverse, lift = ACTION.inverse(plan, effect), LiftBan()
    assert inverse is not None
    back = lift.plan(inverse, host.look())
    assert lift.missing(back, host.look()) == "it is still banned for 600 s"
    await lift.execute(back, host.control())
    assert (lift.missing(back, host.look()), banned(host)) == ("", [])
    with pytest.raises(StalePlanError, match="not banned any more"):
        lift.plan(inverse, host.look())
    with pytest.raises(ActionFailedError, match="not there"):
        await lift.execute(back, host.control())
    assert ACTION.inverse(plan, type(effect)(ok=True, detail="")) is None


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("10.0.0.5", 128), ("127.0.0.1", 128), ("127.9.9.9", 128), ("::1", 128), ("203.0.113.1", 128),
        ("2001:db8:9::7", 128), ("2001:db8:5::2", 128), ("2001:db8:5::99", 64), ("224.0.0.1", 128), ("fe80::7", 128),
        ("0.0.0.0", 128), ("ff02::1", 128),
    ],
)  # fmt: skip
def test_whom_this_host_needs_or_somebody_listed_is_never_shut_out(address: str, prefix: int) -> None:
    host = SimulatedHost()
    host.network.kept += [
        KeptNetwork(ip_network("203.0.113.1"), "a gateway"),
        KeptNetwork(ip_network("2001:db8:5::2"), "an address of this host"),
    ]  # fmt: skip
    with pytest.raises(RefusedError, match="never banned"):
        ACTION.plan(asked(address, ipv6_prefix=prefix), host.look())


@pytest.mark.parametrize(
    "target",
    ["", "address:", "address:*", "address:all", "address:0.0.0.0/0", "address:192.0.2.7 ", "address:192.0.2.007",
     "address:::ffff:192.0.2.7", "address:fe80::1%eth0", "address:3221225991", "address:example.com", "service:192.0.2.7",
     "address:192.0.2.7; reboot", "address:2001:DB8::1"],
)  # fmt: skip
def test_a_target_that_is_not_one_address_in_its_one_spelling_is_refused(target: str) -> None:
    with pytest.raises(RefusedError, match="not address:ADDRESS"):
        ACTION.plan(ActionRequest("ban_address", target, PARAMS), SimulatedHost().look())
    request = ActionRequest("lift_ban", target, {"network": "192.0.2.7/32"})
    with pytest.raises(RefusedError, match="no address in"):
        LiftBan().plan(request, SimulatedHost().look())


async def test_no_more_are_banned_than_may_be_at_once() -> None:
    host = SimulatedHost()
    await act(host, asked("192.0.2.1"))
    await act(host, asked("192.0.2.2"))
    with pytest.raises(RefusedError, match="2 are banned") as refused:
        ACTION.plan(asked("192.0.2.3"), host.look())
    assert refused.value.reason == "rate_limit"
    host.advance(601)
    assert ACTION.plan(asked("192.0.2.3"), host.look()).detail == {"network": "192.0.2.3/32"}


async def test_an_ipv6_ban_takes_the_network_around_it_where_that_is_configured() -> None:
    host = SimulatedHost()
    await act(host, asked("2001:db8:1::7"))
    # Beside a neighbour that is banned alone the set has no room for their network.
    await act(host, asked("2001:db8:1::8", ipv6_prefix=64))
    assert banned(host) == ["2001:db8:1::7/128", "2001:db8:1::8/128"]
    host.advance(601)
    await act(host, asked("2001:db8:1::8", ipv6_prefix=64))
    assert banned(host) == ["2001:db8:1::/64"]
    with pytest.raises(StalePlanError):
        ACTION.plan(asked("2001:db8:1::9"), host.look())


@pytest.mark.parametrize("question", ["bans", "kept_networks"])
def test_what_cannot_be_told_is_no_yes(question: str) -> None:
    host = SimulatedHost()
    host.faults.fail(question)
    with pytest.raises(HostError):
        ACTION.plan(asked(), host.look())


def test_the_allow_list_refuses_what_it_lists_whatever_the_pattern_was_given() -> None:
    policy = BanAddressPolicy.model_validate({"never": ["192.0.2.0/28"], "expires": "10m"})
    host = SimulatedHost()
    listed = policy.permits(ACTION.plan(asked("192.0.2.7"), host.look()))
    assert listed == "192.0.2.7/32 is in 192.0.2.0/28, which is never banned"
    assert policy.permits(ACTION.plan(asked("192.0.2.77"), host.look())) == ""
    assert "longer" in policy.permits(ACTION.plan(asked("192.0.2.77", seconds=601), host.look()))
    assert (policy.approval, policy.max_per_hour, policy.most_at_once) == ("auto", 60, 20)


@pytest.mark.parametrize(
    "wrong",
    [{"never": ["everybody"]}, {"never": ["10.0.0.1/8"]}, {"expires": "8d"}, {"expires": "1s"}, {"most_at_once": 0},
     {"most_at_once": 5000}, {"ipv6_prefix": 32}],
)  # fmt: skip
def test_a_policy_that_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BanAddressPolicy.model_validate(wrong)
    assert BanAddressPolicy().expires == timedelta(minutes=10)
