"""Log floods: whose they are, what a limit changes, and that it can be lifted."""

from __future__ import annotations

import pytest

from chaos.simulation.host import SimulatedHost
from zen_agents.actions.lift_log_rate import LiftLogRate
from zen_agents.actions.limit_log_rate import LimitLogRate
from zen_agents.checks.log_rate import LogRateCheck
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest
from zen_agents.model.observation import Observation, Status

REQUEST = ActionRequest("limit_log_rate", "log_rate:noisy", {"unit": "noisy.service", "lines_per_second": 100})


@pytest.fixture
def host() -> SimulatedHost:
    host = SimulatedHost()
    host.add_service("noisy", unit="noisy.service")
    host.start("noisy")
    host.journal.write("web.service", 5.0)
    host.journal.write("noisy.service", 1.0)
    return host


def looked(check: LogRateCheck, host: SimulatedHost) -> Observation:
    host.advance(10)
    (found,) = check.observe(host.look(), host.clock.now())
    return found


def test_only_more_lines_than_one_unit_may_write_make_it_ask_whose_they_are(host: SimulatedHost) -> None:
    check = LogRateCheck("noisy", unit="noisy.service", above=1000, every_seconds=10)
    assert looked(check, host).status is Status.UNKNOWN
    host.faults.fail("journal_share")
    assert looked(check, host).value == pytest.approx(6.0, abs=0.2)
    host.faults.heal()
    host.journal.write("noisy.service", 9_995.0)
    found = looked(check, host)
    assert found.value == pytest.approx(10_000, rel=0.01)
    assert found.detail == "noisy.service writes 10000 of 10000 lines a second"
    assert looked(LogRateCheck("web", unit="web.service", above=1000, every_seconds=10), host).status is Status.UNKNOWN


def test_another_units_flood_is_not_this_ones(host: SimulatedHost) -> None:
    check = LogRateCheck("web", unit="web.service", above=1000, every_seconds=10)
    looked(check, host)
    host.journal.write("noisy.service", 9_995.0)
    value = looked(check, host).value
    assert value is not None
    assert value < 100


def test_no_journal_is_no_data_and_one_that_begins_anew_is_not_compared(host: SimulatedHost) -> None:
    check = LogRateCheck("noisy", unit="noisy.service", above=10, every_seconds=10)
    looked(check, host)
    host.faults.answer("journal_entries", 3)
    assert looked(check, host).status is Status.UNKNOWN
    host.faults.heal()
    host.journal.write("noisy.service", 1000.0)
    looked(check, host)
    host.faults.answer("journal_share", {})
    assert looked(check, host).status is Status.UNKNOWN


async def test_a_limit_leaves_the_others_heard_and_is_lifted_again(host: SimulatedHost) -> None:
    action = LimitLogRate()
    host.journal.write("noisy.service", 50_000.0)
    plan = action.plan(REQUEST, host.look())
    assert "lines of noisy.service beyond 100 a second are lost" in plan.warning
    effect = await action.execute(plan, host.control())
    check = LogRateCheck("noisy", unit="noisy.service", above=1000, every_seconds=10)
    looked(check, host)
    assert looked(check, host).value == pytest.approx(105, abs=1)
    with pytest.raises(StalePlanError, match="limited to 100 lines a second already"):
        action.plan(REQUEST, host.look())
    inverse, undo = action.inverse(plan, effect), LiftLogRate()
    assert inverse is not None
    back = undo.plan(inverse, host.look())
    assert undo.missing(back, host.look()) == "noisy.service is still limited to 100 lines a second"
    await undo.execute(back, host.control())
    assert undo.missing(back, host.look()) == ""
    with pytest.raises(StalePlanError, match="not limited any more"):
        undo.plan(inverse, host.look())
    assert host.changes == ["limit noisy.service to 100 lines a second", "lift the limit of noisy.service"]


def test_a_unit_that_systemd_does_not_know_is_refused(host: SimulatedHost) -> None:
    request = ActionRequest("limit_log_rate", "log_rate:x", {"unit": "x.service", "lines_per_second": 100})
    with pytest.raises(RefusedError, match=r"knows no unit x\.service"):
        LimitLogRate().plan(request, host.look())
    with pytest.raises(RefusedError):
        LimitLogRate().plan(ActionRequest("limit_log_rate", "log_rate:", REQUEST.params), host.look())
