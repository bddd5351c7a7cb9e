"""Whether a process that answers nobody still wakes up."""

from __future__ import annotations

from chaos.simulation.host import SimulatedHost
from tests.support.asking import ask
from zen_agents.checks.process import ByUnit
from zen_agents.checks.wakes import WakesCheck
from zen_agents.model.observation import Observation, Status

OK, PROBLEM, UNKNOWN = Status.OK, Status.PROBLEM, Status.UNKNOWN


def cron(host: SimulatedHost, *, old: bool = True) -> WakesCheck:
    host.add_service("cron", unit="cron.service")
    host.start("cron")
    host.advance(3600 if old else 1)
    return WakesCheck("cron", ByUnit("cron.service"), within_seconds=180, every_seconds=60)


def looks(check: WakesCheck, host: SimulatedHost, *, wakes: str) -> list[Observation]:
    """Return what a look each minute tells; `x` for a minute at whose beginning it woke up."""
    found = []
    for woke in wakes:
        if woke == "x":
            host.processes[host.services["cron"].pid].sleeps += 1
        found.append(ask(check, host)["wakes.cron"])
        host.advance(60)
    return found


def test_what_wakes_up_is_well_and_what_does_not_for_so_long_is_not(host: SimulatedHost) -> None:
    seen = looks(cron(host), host, wakes="-xx---x")
    assert [each.status for each in seen] == [UNKNOWN, OK, OK, OK, OK, PROBLEM, OK]
    assert seen[5].detail.endswith("has not woken up for 3 min")


def test_what_was_never_seen_to_wake_up_is_bad_only_after_its_time(host: SimulatedHost) -> None:
    assert [each.status for each in looks(cron(host), host, wakes="----")] == [UNKNOWN, UNKNOWN, UNKNOWN, PROBLEM]


def test_what_has_just_started_is_well_and_another_process_begins_anew(host: SimulatedHost) -> None:
    check = cron(host, old=False)
    assert [each.status for each in looks(check, host, wakes="----")] == [OK, OK, OK, PROBLEM]
    host.crash("cron")
    assert ask(check, host)["wakes.cron"].status is UNKNOWN
    host.start("cron")
    assert ask(check, host)["wakes.cron"].status is OK


def test_that_it_is_stopped_is_said(host: SimulatedHost) -> None:
    check = cron(host)
    entry = host.processes[host.services["cron"].pid]
    entry.process = entry.process._replace(state="T")
    assert looks(check, host, wakes="----")[-1].detail.endswith("has not woken up for 3 min, it is stopped")
