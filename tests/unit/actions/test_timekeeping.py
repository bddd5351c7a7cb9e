"""The clock: who says what time it is, and a daemon that is started only where that steps nothing."""

from __future__ import annotations

import pytest

from chaos.simulation.host import SimulatedHost
from tests.support.asking import ask
from zen_agents.actions.restart_time_daemon import RestartTimeDaemon
from zen_agents.actions.time_daemons import steps_above
from zen_agents.checks.clock_offset import ClockOffsetProbe, TimeDaemonCheck
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest
from zen_agents.model.observation import Status
from zen_agents.ports.events import Watch
from zen_agents.ports.time_answer import TimeAnswer

SERVERS = ("10.0.0.1:123", "10.0.0.2:123", "10.0.0.3:123")
CONF = "/etc/chrony/chrony.conf"
REQUEST = ActionRequest("restart_time_daemon", "clock:system", {"unit": "chrony.service", "servers": list(SERVERS)})


@pytest.fixture
def host() -> SimulatedHost:
    host = SimulatedHost()
    host.add_service("chrony", unit="chrony.service")
    host.start("chrony")
    host.files.add_file(CONF, "pool pool.ntp.org iburst\nmakestep 1 3\n")
    return host


def say(host: SimulatedHost, *ahead: float | None) -> None:
    """Let each server say this offset; None: nothing."""
    for server, seconds in zip(SERVERS, ahead, strict=False):
        found = TimeAnswer(True, "", seconds, 0.01) if seconds is not None else TimeAnswer(False, "timeout")
        host.time_servers[server] = found


# -- the offset -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ((600.0, 600.1, 600.2), 600.1),
        ((-0.2, 3600.0, -0.201), -0.2),
        ((0.004, None, None), 0.004),
        ((None, 0.5, 0.52), 0.51),
        ((0.0, 5.0, None), None),
        ((None, None, None), None),
    ],
)
def test_one_wrong_server_is_outvoted_and_two_that_contradict_tell_nothing(
    said: tuple[float | None, ...], expected: float | None, host: SimulatedHost
) -> None:
    say(host, *said)
    found = ask(ClockOffsetProbe(servers=SERVERS, every_seconds=60, answer_within_seconds=3), host)["clock.offset"]
    if expected is None:
        assert found.status is Status.UNKNOWN
    else:
        assert found.value == pytest.approx(expected)


def test_people_read_which_server_said_what(host: SimulatedHost) -> None:
    say(host, 0.0, 5.0)
    probe = ClockOffsetProbe(servers=SERVERS[:2], every_seconds=60, answer_within_seconds=3)
    said = "the servers do not tell what time it is: 10.0.0.1:123: +0.000 s, 10.0.0.2:123: +5.000 s"
    assert ask(probe, host)["clock.offset"].detail == said


# -- the daemon -----------------------------------------------------------------------------------------------------------
def test_a_daemon_that_is_down_is_a_problem_and_one_that_is_not_known_no_data(host: SimulatedHost) -> None:
    check = TimeDaemonCheck(unit="chrony.service", every_seconds=60)
    assert ask(check, host)["clock.daemon"].status is Status.OK
    assert check.watches() == (Watch("unit", "chrony.service"),), "its end is told, not found out at the next look"
    host.crash("chrony")
    assert ask(check, host)["clock.daemon"].status is Status.PROBLEM
    assert ask(TimeDaemonCheck(unit="ntp.service", every_seconds=60), host)["clock.daemon"].status is Status.UNKNOWN


async def test_it_is_started_where_there_is_nothing_to_step(host: SimulatedHost) -> None:
    action = RestartTimeDaemon()
    with pytest.raises(StalePlanError, match=r"chrony\.service runs"):
        action.plan(REQUEST, host.look())
    host.crash("chrony")
    say(host, 0.3, 0.31, 0.3)
    plan = action.plan(REQUEST, host.look())
    assert plan.steps == ("systemctl restart -- chrony.service, unless the clock is off by more than 1 s",)
    await action.preflight(plan, host.look())
    assert (await action.execute(plan, host.control())).ok
    assert host.services["chrony"].pid
    assert action.postcondition(plan) == ("clock.daemon", "clock:system")


@pytest.mark.parametrize(
    ("said", "refusal"),
    [((600.0, 600.0, 600.0), "would step the clock by 10 min while services run"), ((), "no server tells by how much")],
)
async def test_a_clock_is_never_stepped_under_what_runs(
    said: tuple[float, ...], refusal: str, host: SimulatedHost
) -> None:  # fmt: skip
    host.crash("chrony")
    say(host, *said)
    plan = RestartTimeDaemon().plan(REQUEST, host.look())
    with pytest.raises(RefusedError, match=refusal):
        await RestartTimeDaemon().preflight(plan, host.look())
    assert host.changes == []


async def test_a_daemon_that_only_slews_is_started_however_far_the_clock_is_off(host: SimulatedHost) -> None:
    host.crash("chrony")
    host.files.add_file(CONF, "pool pool.ntp.org\n#makestep 1 3\nmakestep 1 0\n")
    plan = RestartTimeDaemon().plan(REQUEST, host.look())
    assert plan.steps == ("systemctl restart -- chrony.service, which only slews the clock",)
    await RestartTimeDaemon().preflight(plan, host.look())


# -- what a daemon does at its start --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("makestep 0.1 -1\n", 0.1),
        ("makestep 1 3\ninitstepslew 0.5 ntp.example.com\n", 0.5),
        ("makestep many 3\n", 0.0),
        ("include /etc/chrony/extra/*.conf\n", 0.0),
        ("confdir /etc/chrony/conf.d\n", 0.2),
        ("", float("inf")),
    ],
)
def test_what_chrony_would_do_is_read_from_its_configuration(text: str, limit: float, host: SimulatedHost) -> None:
    host.files.add_file(CONF, text)
    host.files.add_file("/etc/chrony/conf.d/site.conf", "makestep 0.2 3\nconfdir /etc/chrony/conf.d\n")
    assert steps_above("chrony.service", host.look()) == limit


def test_of_a_daemon_that_nobody_knows_anything_may_be_expected(host: SimulatedHost) -> None:
    assert steps_above("my-time.service", host.look()) == 0.0
    assert steps_above("systemd-timesyncd.service", host.look()) == 0.4
    host.files.remove(CONF)
    assert steps_above("chronyd.service", host.look()) == 0.0
