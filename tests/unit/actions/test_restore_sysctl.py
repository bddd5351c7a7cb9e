"""restore_sysctl and its inverse, on the simulated host."""

from __future__ import annotations

import pytest

from chaos.simulation.host import SimulatedHost
from zen_agents.actions.restore_sysctl import GiveBackSysctl, RestoreSysctl, SettingsPolicy
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest

SETTING = "net.ipv4.tcp_keepalive_time"
REQUEST = ActionRequest("restore_sysctl", "sysctl:alive", {"setting": SETTING, "value": "600"})


@pytest.fixture
def host() -> SimulatedHost:
    host = SimulatedHost()
    host.kernel_settings[SETTING] = "60"
    return host


async def test_a_setting_is_restored_and_given_back(host: SimulatedHost) -> None:
    action = RestoreSysctl()
    planned = action.plan(REQUEST, host.look())
    assert planned.steps == (f"set {SETTING} from 60 to 600",)
    assert (action.postcondition(planned), action.undone(planned)) == (
        ("sysctl.alive", "sysctl:alive"),
        f"set {SETTING} to 60",
    )
    effect = await action.execute(planned, host.control())
    assert host.kernel_settings[SETTING] == "600"
    inverse = action.inverse(planned, effect)
    assert inverse is not None
    back = GiveBackSysctl().plan(inverse, host.look())
    await GiveBackSysctl().execute(back, host.control())
    assert host.kernel_settings[SETTING] == "60"
    assert GiveBackSysctl().missing(back, host.look()) == ""
    host.kernel_settings[SETTING] = "90"
    assert GiveBackSysctl().missing(back, host.look()) == f"{SETTING} is 90, not 60"
    with pytest.raises(StalePlanError, match="was left as 600"):
        GiveBackSysctl().plan(inverse, host.look())


async def test_a_setting_that_changed_since_the_plan_is_left(host: SimulatedHost) -> None:
    planned = RestoreSysctl().plan(REQUEST, host.look())
    host.kernel_settings[SETTING] = "90"
    with pytest.raises(StalePlanError):
        await RestoreSysctl().execute(planned, host.control())
    assert host.kernel_settings[SETTING] == "90"


def test_what_is_right_or_not_there_is_left(host: SimulatedHost) -> None:
    host.kernel_settings[SETTING] = "600"
    with pytest.raises(StalePlanError):
        RestoreSysctl().plan(REQUEST, host.look())
    host.kernel_settings.clear()
    with pytest.raises(RefusedError, match="this kernel has no setting"):
        RestoreSysctl().plan(REQUEST, host.look())


def test_only_settings_that_are_named_are_in_scope(host: SimulatedHost) -> None:
    planned = RestoreSysctl().plan(REQUEST, host.look())
    assert SettingsPolicy(settings=(SETTING,)).permits(planned) == ""
    for policy in (SettingsPolicy(), SettingsPolicy(settings=("net.ipv4.ip_forward",))):
        assert "is not one of the settings that are listed" in policy.permits(planned)
