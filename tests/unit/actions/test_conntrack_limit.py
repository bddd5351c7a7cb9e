"""raise_conntrack_limit and restore_conntrack_limit."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from chaos.simulation.host import SimulatedHost
from zen_agents.actions.base import Action
from zen_agents.actions.conntrack_limit import SETTING, RaiseConntrackLimit, RestoreConntrackLimit
from zen_agents.actions.restore_sysctl import GiveBackSysctl
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Plan

TARGET, USUAL, RAISED = "conntrack:table", 65536, 131072


@pytest.fixture
def host() -> SimulatedHost:
    host = SimulatedHost(seed=1)
    host.kernel_settings[SETTING] = str(USUAL)
    host.network.tracked = 65000
    return host


def planned(action: Action, host: SimulatedHost, **changes: Any) -> Plan:
    params: dict[str, Any] = {"usual": USUAL, "raised": RAISED, **changes}
    if isinstance(action, RestoreConntrackLimit):
        params.setdefault("above_percent", 90.0)
    return action.plan(ActionRequest(action.name, TARGET, params), host.look())


async def test_the_limit_is_raised_and_comes_back_once_it_is_not_needed(host: SimulatedHost) -> None:
    plan = planned(RaiseConntrackLimit(), host)
    assert plan.steps == (f"set {SETTING} from {USUAL} to {RAISED}",)
    assert plan.touches[0].name == "/proc/sys/net/netfilter/nf_conntrack_max"
    effect = await RaiseConntrackLimit().execute(plan, host.control())
    assert (host.kernel_settings[SETTING], effect.before, effect.after) == (str(RAISED), str(USUAL), str(RAISED))
    with pytest.raises(StalePlanError, match="already"):
        planned(RaiseConntrackLimit(), host)
    with pytest.raises(RefusedError, match="reached again at once"):
        planned(RestoreConntrackLimit(), host)
    host.network.tracked = 1000
    back = planned(RestoreConntrackLimit(), host)
    await RestoreConntrackLimit().execute(back, host.control())
    assert host.kernel_settings[SETTING] == str(USUAL)
    assert RestoreConntrackLimit().postcondition(back) == ("conntrack.raised", TARGET)
    with pytest.raises(StalePlanError, match="nothing to take back"):
        planned(RestoreConntrackLimit(), host)


def test_a_limit_that_somebody_else_set_is_theirs(host: SimulatedHost) -> None:
    host.kernel_settings[SETTING] = "70000"
    with pytest.raises(RefusedError, match="somebody set it"):
        planned(RaiseConntrackLimit(), host)
    with pytest.raises(StalePlanError):
        planned(RestoreConntrackLimit(), host)


async def test_a_limit_that_changed_meanwhile_is_left(host: SimulatedHost) -> None:
    plan = planned(RaiseConntrackLimit(), host)
    host.kernel_settings[SETTING] = "70000"
    with pytest.raises(StalePlanError):
        await RaiseConntrackLimit().execute(plan, host.control())
    assert host.kernel_settings[SETTING] == "70000"


def test_what_the_kernel_could_not_hold_is_refused(host: SimulatedHost) -> None:
    with pytest.raises(RefusedError, match="a tenth of the"):
        planned(RaiseConntrackLimit(), host, raised=2**31 - 1)
    with pytest.raises(RefusedError, match="no more than"):
        planned(RaiseConntrackLimit(), host, raised=1024)
    with pytest.raises(ValidationError):
        planned(RaiseConntrackLimit(), host, raised=0)


async def test_it_is_taken_back_by_hand(host: SimulatedHost) -> None:
    plan = planned(RaiseConntrackLimit(), host)
    effect = await RaiseConntrackLimit().execute(plan, host.control())
    back = RaiseConntrackLimit().inverse(plan, effect)
    assert back is not None and back.inverse_of == "raise_conntrack_limit"
    undo = GiveBackSysctl()
    again = undo.plan(back, host.look())
    await undo.execute(again, host.control())
    assert (host.kernel_settings[SETTING], undo.missing(again, host.look())) == (str(USUAL), "")
