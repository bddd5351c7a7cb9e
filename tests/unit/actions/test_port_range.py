"""widen_port_range and restore_port_range."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from chaos.simulation.host import SimulatedHost
from zen_agents.actions.base import Action
from zen_agents.actions.port_range import SETTING, RestorePortRange, WidenPortRange
from zen_agents.actions.restore_sysctl import GiveBackSysctl
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Plan

TARGET, USUAL, WIDER = "local_ports:tcp", "40000 40031", "32768 60999"


@pytest.fixture
def host() -> SimulatedHost:
    host = SimulatedHost(seed=1)
    host.kernel_settings[SETTING] = USUAL
    return host


def planned(action: Action, host: SimulatedHost, **changes: Any) -> Plan:
    params: dict[str, Any] = {"usual": USUAL, "wider": WIDER, **changes}
    if isinstance(action, RestorePortRange):
        params.setdefault("above_percent", 90.0)
    return action.plan(ActionRequest(action.name, TARGET, params), host.look())


async def test_the_range_is_widened_and_comes_back(host: SimulatedHost) -> None:
    plan = planned(WidenPortRange(), host)
    assert plan.steps == (f"set {SETTING} from {USUAL} to {WIDER}",)
    assert plan.touches[0].name == "/proc/sys/net/ipv4/ip_local_port_range"
    effect = await WidenPortRange().execute(plan, host.control())
    assert (host.kernel_settings[SETTING], effect.before, effect.after) == (WIDER, USUAL, WIDER)
    with pytest.raises(StalePlanError, match="already"):
        planned(WidenPortRange(), host)
    back = planned(RestorePortRange(), host)
    await RestorePortRange().execute(back, host.control())
    assert host.kernel_settings[SETTING] == USUAL
    assert RestorePortRange().postcondition(back) == ("local_ports.widened", TARGET)
    with pytest.raises(StalePlanError, match="nothing to take back"):
        planned(RestorePortRange(), host)


def test_a_range_that_somebody_else_set_is_theirs(host: SimulatedHost) -> None:
    host.kernel_settings[SETTING] = "50000 50100"
    with pytest.raises(RefusedError, match="somebody set it"):
        planned(WidenPortRange(), host)
    with pytest.raises(StalePlanError):
        planned(RestorePortRange(), host)


async def test_a_range_that_changed_meanwhile_is_left(host: SimulatedHost) -> None:
    plan = planned(WidenPortRange(), host)
    host.kernel_settings[SETTING] = "50000 50100"
    with pytest.raises(StalePlanError):
        await WidenPortRange().execute(plan, host.control())
    assert host.kernel_settings[SETTING] == "50000 50100"


def test_it_does_not_come_back_while_it_would_run_out_again(host: SimulatedHost) -> None:
    host.kernel_settings[SETTING] = WIDER
    host.network.take_ports(29, "127.0.0.1:8080", 1)
    with pytest.raises(RefusedError, match="run out again"):
        planned(RestorePortRange(), host)
    host.network.take_ports(28, "127.0.0.1:8080", 1)
    assert planned(RestorePortRange(), host).steps


def test_the_ports_of_services_in_it_are_named_before_somebody_agrees(host: SimulatedHost) -> None:
    assert planned(WidenPortRange(), host).warning == ""
    listening = (8080, 33000, 40001, *range(50000, 50006))
    host.network.ports = host.network.ports._replace(listening=listening)
    assert "33000, 50000, 50001, 50002, 50003 and 2 more" in planned(WidenPortRange(), host).warning


async def test_it_is_taken_back_by_hand(host: SimulatedHost) -> None:
    plan = planned(WidenPortRange(), host)
    effect = await WidenPortRange().execute(plan, host.control())
    back = WidenPortRange().inverse(plan, effect)
    assert back is not None and back.inverse_of == "widen_port_range"
    undo = GiveBackSysctl()
    again = undo.plan(back, host.look())
    await undo.execute(again, host.control())
    assert (host.kernel_settings[SETTING], undo.missing(again, host.look())) == (USUAL, "")


@pytest.mark.parametrize("span", ["", "1 2", "32768-60999", "32768 60999; reboot", "32768\t60999"])
def test_what_is_no_range_is_refused(host: SimulatedHost, span: str) -> None:
    with pytest.raises(ValidationError):
        planned(WidenPortRange(), host, wider=span)
