"""The configuration of a service: tested when it changes, kept once the service was well with it for long enough."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.simulation.host import SimulatedHost
from zen_agents.checks.config import ConfigCheck
from zen_agents.checks.network_probe import TcpProbe
from zen_agents.checks.process import ByUnit
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.events import Watch
from zen_agents.ports.host_commands import Command, CommandResult

FILE, TESTER = "/etc/site/site.json", "/usr/bin/sited"


@pytest.fixture
def host() -> SimulatedHost:
    host = SimulatedHost()
    host.files.add_file(FILE, "good\n")
    host.programs[TESTER] = lambda command: passes(host, command)
    host.advance(10)
    host.add_service("site", unit="site.service", port=8070)
    host.start("site")
    host.advance(10)
    return host


def passes(host: SimulatedHost, command: Command) -> CommandResult:
    bad = "bad" in host.files.contents[command.argv[-1]]
    return CommandResult(int(bad), "syntax error" if bad else "", False, 0.0)


def a_check(**changes: Any) -> ConfigCheck:
    given: dict[str, Any] = {
        "tests": {FILE: Command((TESTER, FILE))}, "find": ByUnit("site.service"), "unit": "site.service", "probe": None,
        "good_after_seconds": 60.0, "every_seconds": 30.0,
    }  # fmt: skip
    return ConfigCheck("site", **{**given, **changes})


async def look(check: ConfigCheck, host: SimulatedHost) -> Observation:
    (found,) = await check.probe(host.look(), host.clock.now())
    assert (found.name, found.target) == ("config.site", "service:site")
    return found


async def look_for(check: ConfigCheck, host: SimulatedHost, seconds: int) -> Observation:
    found = await look(check, host)
    for _ in range(seconds // 30):
        host.advance(30)
        found = await look(check, host)
    return found


def kept(host: SimulatedHost) -> list[bytes]:
    return [host.good_contents[version.sha256] for version in host.last_good.get("site", ())]


async def test_what_passes_is_ok_and_kept_after_it_was_good_for_long_enough(host: SimulatedHost) -> None:
    check = a_check()
    assert check.watches() == (Watch("path", FILE),)
    found = await look_for(check, host, 30)
    assert (found.status, kept(host)) == (Status.OK, [])
    assert "good for 30 s, to be kept after 60 s" in found.detail
    found = await look_for(check, host, 30)
    assert "kept as the last good version" in found.detail
    assert kept(host) == [b"good\n"]


async def test_what_does_not_pass_is_a_problem_and_never_kept(host: SimulatedHost) -> None:
    check = a_check()
    await look_for(check, host, 60)
    host.files.add_file(FILE, "bad\n")
    found = await look_for(check, host, 120)
    assert found.status is Status.PROBLEM
    assert "/etc/site/site.json does not pass /usr/bin/sited (1): syntax error" in found.detail
    assert kept(host) == [b"good\n"]
    host.files.remove(FILE)
    assert (await look(check, host)).detail == "/etc/site/site.json is missing"


async def restarted(check: ConfigCheck, host: SimulatedHost) -> None:
    """Have the service read its files anew, and be well with them for a minute."""
    host.advance(1)
    host.stop("site")
    host.start("site")
    host.advance(5)
    await look_for(check, host, 60)


async def test_a_change_that_the_service_has_not_read_is_not_kept(host: SimulatedHost) -> None:
    check = a_check()
    await look_for(check, host, 60)
    host.advance(1)
    host.files.add_file(FILE, "better\n")
    found = await look_for(check, host, 300)
    assert "has not read it" in found.detail
    assert kept(host) == [b"good\n"]
    await restarted(check, host)
    assert kept(host) == [b"better\n"]


async def test_a_clock_that_was_set_forward_makes_nobody_have_read_a_change(host: SimulatedHost) -> None:
    check = a_check()
    await look_for(check, host, 60)
    host.advance(1)
    host.files.add_file(FILE, "better\n")
    await look_for(check, host, 30)
    host.clock.jump_wall(3600.0)
    found = await look_for(check, host, 300)
    assert "has not read it" in found.detail
    assert kept(host) == [b"good\n"]
    await restarted(check, host)
    assert kept(host) == [b"better\n"]


async def test_a_clock_that_was_set_back_makes_nobody_forget_what_was_read(host: SimulatedHost) -> None:
    check = a_check()
    await look_for(check, host, 30)
    host.clock.jump_wall(-86400.0)
    await look_for(check, host, 60)
    assert kept(host) == [b"good\n"]
    host.advance(1)
    host.files.add_file(FILE, "better\n")
    found = await look_for(check, host, 300)
    assert "has not read it" in found.detail, "it looks as if it were from before the service's start"
    assert kept(host) == [b"good\n"]


async def test_a_break_begins_the_time_anew(host: SimulatedHost) -> None:
    check = a_check()
    await look_for(check, host, 30)
    host.stop("site")
    await look(check, host)
    host.start("site")
    host.advance(5)
    await look_for(check, host, 30)
    assert kept(host) == []


async def test_a_service_that_does_not_answer_is_not_well(host: SimulatedHost) -> None:
    probe = TcpProbe("site", host_name="127.0.0.1", port=9999, every_seconds=30.0, answer_within_seconds=1.0)
    found = await look_for(a_check(probe=probe), host, 120)
    assert found.status is Status.OK
    assert kept(host) == []


async def test_a_test_is_run_once_for_what_is_the_same(host: SimulatedHost) -> None:
    runs: list[str] = []

    def counted(command: Command) -> CommandResult:
        runs.append(command.argv[-1])
        return CommandResult(0, "", False, 0.0)

    host.programs[TESTER] = counted
    await look_for(a_check(), host, 120)
    assert runs == [FILE]


async def test_a_test_that_does_not_end_says_nothing(host: SimulatedHost) -> None:
    host.programs[TESTER] = lambda _: CommandResult(124, "", True, 10.0)
    with pytest.raises(HostError, match="did not end"):
        await look(a_check(), host)
