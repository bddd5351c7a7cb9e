"""Baselines and kernel settings, looked at."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.simulation.host import SimulatedHost
from zen_agents.checks.drift import DriftCheck
from zen_agents.checks.sysctl import SysctlCheck
from zen_agents.drift.declared import sha256
from zen_agents.drift.deployments import Deployer
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.events import Watch

MANAGED, DECLARED, RECORD = "/etc/systemd/system/web.service", "/srv/baseline/web.service", "/srv/deployments"
CI = Deployer("ci", 3600.0, record=RECORD, by=frozenset({"deployer"}))
KEEPALIVE, ITS_PATH = "net.ipv4.tcp_keepalive_time", "/proc/sys/net/ipv4/tcp_keepalive_time"


@pytest.fixture
def host() -> SimulatedHost:
    host = SimulatedHost()
    host.files.add_file(MANAGED, "Nice=0\n")
    host.files.add_file(DECLARED, "Nice=0\n")
    host.kernel_settings[KEEPALIVE] = "600"
    return host


def drift(**changes: Any) -> DriftCheck:
    given = {"path": MANAGED, "declared": DECLARED, "unit": "", "deployers": (CI,), "every_seconds": 60.0}
    return DriftCheck("web", **{**given, **changes})


def sysctl() -> SysctlCheck:
    return SysctlCheck("alive", setting=KEEPALIVE, path=ITS_PATH, value="600", deployers=(CI,), every_seconds=60.0)


def look(check: DriftCheck | SysctlCheck, host: SimulatedHost) -> Observation:
    (found,) = check.observe(host.look(), host.clock.now())
    assert (found.name, found.target) == (check.name, check.target)
    return found


def deployed(host: SimulatedHost, path: str, content: str, *, ago: int = 0) -> None:
    when = int(host.clock.now().wall.timestamp()) - ago
    host.files.add_file(RECORD, f"{when} deployer {path} {sha256(content.encode())}\n")


def test_what_is_as_declared_is_ok_and_both_files_are_watched(host: SimulatedHost) -> None:
    assert look(drift(), host).status is Status.OK
    assert drift().watches() == (Watch("path", MANAGED), Watch("path", DECLARED))


@pytest.mark.parametrize("wrong", ["content", "missing", "kind"])
def test_anything_else_is_a_problem(host: SimulatedHost, wrong: str) -> None:
    host.files.remove(MANAGED)
    if wrong == "content":
        host.files.add_file(MANAGED, "Nice=19\n")
    elif wrong == "kind":
        host.files.add_link(MANAGED, "/tmp/mine")
    found = look(drift(), host)
    assert (found.status, found.facts["wrong"]) == (Status.PROBLEM, wrong)


def test_a_baseline_that_is_gone_is_no_problem_of_the_file(host: SimulatedHost) -> None:
    host.files.remove(DECLARED)
    with pytest.raises(HostError, match=r"the declared /srv/baseline/web\.service is missing"):
        look(drift(), host)


def test_a_recent_deployment_may_differ_and_its_time_ends(host: SimulatedHost) -> None:
    check = drift()
    look(check, host)
    host.files.add_file(MANAGED, "Nice=19\n")
    deployed(host, MANAGED, "Nice=19\n")
    host.advance(60)
    found = look(check, host)
    assert (found.status, found.facts["wrong"]) == (Status.OK, "content")
    assert "deployed by ci 60 s ago; respected for now" in found.detail
    host.advance(3600)
    assert look(check, host).status is Status.PROBLEM


def test_a_change_between_two_looks_is_new_though_the_wall_clock_jumped(host: SimulatedHost) -> None:
    check = drift()
    look(check, host)
    host.advance(60)
    host.files.add_file(MANAGED, "Nice=19\n")
    deployed(host, MANAGED, "Nice=19\n", ago=86_400)
    assert "deployed by ci 60 s ago" in look(check, host).detail
    assert look(drift(), host).status is Status.PROBLEM


def test_a_unit_that_systemd_has_not_read_is_a_problem_until_it_has(host: SimulatedHost) -> None:
    check = drift(unit="web.service")
    host.unread_units.add("web.service")
    found = look(check, host)
    assert (found.status, found.facts["wrong"]) == (Status.PROBLEM, "unread")
    host.unread_units.clear()
    assert look(check, host).status is Status.OK
    # As long as the file is the same nobody is asked again.
    host.faults.fail("unit_file_pending")
    assert look(check, host).status is Status.OK
    host.advance(1)
    host.files.change(MANAGED)
    with pytest.raises(HostError):
        look(check, host)


def test_a_kernel_setting_is_compared_with_what_was_declared(host: SimulatedHost) -> None:
    check = sysctl()
    assert look(check, host).status is Status.OK
    host.kernel_settings[KEEPALIVE] = "60"
    host.advance(60)
    found = look(check, host)
    assert (found.status, found.facts) == (Status.PROBLEM, {"found": "60", "declared": "600"})
    deployed(host, ITS_PATH, "60\n")
    found = look(check, host)
    assert found.status is Status.OK
    assert "deployed by ci 0 s ago; respected for now" in found.detail


@pytest.mark.parametrize("garbage", [None, "", 600, [], b"600"])
def test_a_kernel_without_the_setting_cannot_tell(host: SimulatedHost, garbage: object) -> None:
    host.faults.answer("kernel_setting", garbage)
    with pytest.raises(HostError, match="has no setting"):
        look(sysctl(), host)
