"""Name servers, connections, links and local ports: is the network of this host well?"""

from __future__ import annotations

from random import Random

import pytest

from chaos.simulation.host import SimulatedHost
from tests.support.asking import ask
from zen_agents.checks.connection import ConnectionCheck
from zen_agents.checks.conntrack import ConntrackCheck
from zen_agents.checks.link import LinkCheck
from zen_agents.checks.local_ports import LocalPortsCheck, PortRange
from zen_agents.checks.resolver import ResolverCheck
from zen_agents.model.observation import Observation, Status
from zen_agents.model.resolver_file import switched
from zen_agents.ports.host_network import Link, Route

OK, PROBLEM, UNKNOWN = Status.OK, Status.PROBLEM, Status.UNKNOWN
FILE, NAME = "/etc/resolv.conf", "db.internal"
FIRST, SECOND, FALLBACK = "192.0.2.1", "192.0.2.2", "127.0.0.2"
KNOWS = {NAME: ("10.0.0.5",)}


@pytest.fixture
def named(host: SimulatedHost) -> SimulatedHost:
    host.files.add_file(FILE, f"nameserver {FIRST}\nnameserver {SECOND}\n")
    host.network.name_servers = {FIRST: dict(KNOWS), SECOND: dict(KNOWS), FALLBACK: dict(KNOWS)}
    return host


def resolver(
    host: SimulatedHost, *, expects: tuple[str, ...] = (), fallbacks: tuple[str, ...] = (FALLBACK,)
) -> dict[str, Observation]:
    check = ResolverCheck(
        "host", file=FILE, asks=NAME, expects=expects, fallbacks=fallbacks, every_seconds=30, answer_within_seconds=1
    )
    return ask(check, host)


# -- name servers ---------------------------------------------------------------------------------------------------------


def test_a_first_name_server_that_knows_the_name_is_well(named: SimulatedHost) -> None:
    found = resolver(named)
    assert (found["resolver.host"].status, found["resolver.host"].value) == (OK, 0.001)
    assert found["resolver.host.switched"].status is OK
    assert set(resolver(named, fallbacks=())) == {"resolver.host"}


@pytest.mark.parametrize("error", ["timeout", "refused", "server_failure", "bad_answer"])
def test_a_first_one_that_does_not_is_a_problem_though_others_do(named: SimulatedHost, error: str) -> None:
    named.network.failing[FIRST] = error
    found = resolver(named)["resolver.host"]
    assert found.status is PROBLEM
    assert found.detail.startswith(f"{FIRST}: {error}") and f"{SECOND}, {FALLBACK} would know" in found.detail
    assert found.facts == {"server": FIRST, "error": error}


def test_a_name_that_nobody_knows_is_told_from_a_name_server_that_is_lost(named: SimulatedHost) -> None:
    for names in named.network.name_servers.values():
        names.clear()
    assert "look at the name db.internal, not at the name servers" in resolver(named)["resolver.host"].detail


def test_a_network_through_which_no_name_server_is_reached_is_told_from_both(named: SimulatedHost) -> None:
    named.network.name_servers.clear()
    found = resolver(named)["resolver.host"]
    assert found.status is PROBLEM and "look at this host's network first" in found.detail


def test_an_address_that_is_not_expected_is_wrong(named: SimulatedHost) -> None:
    assert resolver(named, expects=("10.0.0.5", "10.0.0.6"))["resolver.host"].status is OK
    found = resolver(named, expects=("10.0.0.6",))["resolver.host"]
    assert (found.status, found.facts["error"]) == (PROBLEM, "wrong_address")


def test_a_file_that_names_nobody_or_is_not_there_says_nothing(named: SimulatedHost) -> None:
    named.files.add_file(FILE, "search internal\n")
    assert {found.status for found in resolver(named).values()} == {UNKNOWN}
    named.files.remove(FILE)
    assert {found.status for found in resolver(named).values()} == {UNKNOWN}


def test_a_link_is_followed_for_looking(named: SimulatedHost) -> None:
    named.files.add_file("/run/systemd/resolve/stub-resolv.conf", f"nameserver {SECOND}\n")
    named.files.add_link(FILE, "/run/systemd/resolve/stub-resolv.conf")
    assert resolver(named)["resolver.host"].facts["server"] == SECOND


def test_while_others_stand_in_it_is_told_when_the_own_one_answers_again(named: SimulatedHost) -> None:
    named.files.add_file(FILE, switched(named.files.contents[FILE], [FALLBACK]))
    named.network.failing[FIRST] = "timeout"
    found = resolver(named)
    assert found["resolver.host"].facts["server"] == FALLBACK
    assert (found["resolver.host.switched"].status, "not answer yet" in found["resolver.host.switched"].detail) == (OK, True)
    del named.network.failing[FIRST]
    assert resolver(named)["resolver.host.switched"].status is PROBLEM


# -- connections ----------------------------------------------------------------------------------------------------------


def connection(host: SimulatedHost, *endings: str, tries: int = 3) -> Observation:
    host.network.connections["db:5432"] = list(endings)
    check = ConnectionCheck(
        "db", host_name="db", port=5432, tries=tries, every_seconds=30, answer_within_seconds=1, random=Random(1)
    )
    return ask(check, host)["connection.db"]


def test_one_that_is_made_at_once_is_well(host: SimulatedHost) -> None:
    found = connection(host, "")
    assert (found.status, found.facts) == (OK, {"error": "", "tries": "1"})


def test_one_that_flickers_is_well_after_a_moments_patience(host: SimulatedHost) -> None:
    found = connection(host, "refused", "")
    assert (found.status, found.facts["tries"]) == (OK, "2")
    assert "attempt 2" in found.detail


@pytest.mark.parametrize("error", ["refused", "reset", "timeout", "unreachable"])
def test_each_way_to_fail_says_what_it_means(host: SimulatedHost, error: str) -> None:
    found = connection(host, error, tries=2)
    assert (found.status, found.facts) == (PROBLEM, {"error": error, "tries": "2"})
    assert found.detail.startswith(f"db:5432: {error}, 2 times: ")


def test_a_name_without_an_address_says_nothing_about_the_target_and_is_not_asked_again(host: SimulatedHost) -> None:
    found = connection(host, "name_error")
    assert (found.status, found.facts["tries"]) == (UNKNOWN, "1")
    assert "look at the name servers" in found.detail


# -- links ----------------------------------------------------------------------------------------------------------------


def link(host: SimulatedHost, interface: str = "eth0", *, default_route: bool = True) -> Observation:
    return ask(LinkCheck("uplink", interface=interface, default_route=default_route, every_seconds=30), host)["link.uplink"]


def test_a_link_with_a_signal_and_the_default_route_is_well(host: SimulatedHost) -> None:
    host.network.links["eth0"] = Link("up", True)
    host.network.routes = [Route("eth1", "192.0.2.1"), Route("eth0", "192.0.2.2")]
    assert link(host).status is OK
    assert link(host, "").status is OK


def test_everything_that_can_be_wrong_with_it_is_told_apart(host: SimulatedHost) -> None:
    said = [link(host).detail]
    for state in (Link("down", False), Link("up", False), Link("up", True)):
        host.network.links["eth0"] = state
        said.append(link(host).detail)
    host.network.routes = [Route("eth1", "192.0.2.1")]
    said.append(link(host).detail)
    assert [words.split(":")[0] for words in said] == [
        "there is no interface eth0",
        "eth0 is down",
        "eth0 is up and has no signal",
        "there is no default route",
        "the default route leads through eth1, not through eth0",
    ]
    assert link(host, default_route=False).status is OK


# -- local ports ----------------------------------------------------------------------------------------------------------


def ports(host: SimulatedHost) -> dict[str, Observation]:
    return ask(LocalPortsCheck(above=80.0, wider=PortRange(20000, 60999), every_seconds=30), host)


def test_how_many_are_taken_is_measured_and_by_whom_is_told_when_it_matters(host: SimulatedHost) -> None:
    client = host.add_process("client", cgroup="/system.slice/client.service").process
    host.network.take_ports(1000, "127.0.0.1:8080", client.pid)
    few = ports(host)["local_ports.percent"]
    assert few.value == pytest.approx(3.54, abs=0.01) and "client" not in few.detail
    host.network.take_ports(28232, "127.0.0.1:8080", client.pid)
    many = ports(host)["local_ports.percent"]
    assert many.value == 100.0
    assert f"28232 of them by process {client.pid} (client) of /system.slice/client.service" in many.detail


def test_who_holds_them_need_not_be_known(host: SimulatedHost) -> None:
    host.network.take_ports(28232, "127.0.0.1:8080", 1)
    host.network.port_client = None
    assert "wait to be forgotten" in ports(host)["local_ports.percent"].detail
    host.faults.fail("local_port_client")
    assert "by whom cannot be told" in ports(host)["local_ports.percent"].detail


def test_the_wider_range_is_noticed(host: SimulatedHost) -> None:
    assert ports(host)["local_ports.widened"].status is OK
    host.network.ports = host.network.ports._replace(first=20000)
    assert ports(host)["local_ports.widened"].status is PROBLEM


# -- tracked connections --------------------------------------------------------------------------------------------------


def tracked(host: SimulatedHost) -> dict[str, Observation]:
    return ask(ConntrackCheck(raised=131072, every_seconds=30), host)


def test_how_full_the_table_is_is_measured_and_the_raised_limit_noticed(host: SimulatedHost) -> None:
    assert tracked(host)["conntrack.percent"].value == 0.0
    host.network.tracked, host.kernel_settings["net.netfilter.nf_conntrack_max"] = 32768, "65536"
    found = tracked(host)
    assert (found["conntrack.percent"].value, found["conntrack.raised"].status) == (50.0, OK)
    assert found["conntrack.percent"].detail == "32768 of at most 65536 connections are tracked"
    host.kernel_settings["net.netfilter.nf_conntrack_max"] = "131072"
    assert tracked(host)["conntrack.raised"].status is PROBLEM
