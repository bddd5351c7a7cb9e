"""Several disposable hosts at once, joined by cables that can be cut."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.fleet import DisposableFleet, why_not
from chaos.host import DisposableHost, HostUnavailableError
from chaos.waiting import wait_until

pytestmark = [pytest.mark.systemd, pytest.mark.needs_root, pytest.mark.slow]

PORT = "9090"
LISTEN = "import socket, sys; s = socket.create_server(('', int(sys.argv[1])))\nwhile True: s.accept()[0].close()"
ASK = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1).close()"
PYTHON = [sys.executable, "-I", "-S", "-c"]


@pytest.fixture(scope="module")
def fleet() -> Iterator[DisposableFleet]:
    if reason := why_not():
        pytest.skip(reason)
    try:
        with DisposableFleet(3, "fleet") as fleet:
            for host in fleet:
                host.run(["systemd-run", "--quiet", "--unit=listener", "--", *PYTHON, LISTEN, PORT], check=True)
            yield fleet
    except HostUnavailableError as unavailable:
        pytest.skip(str(unavailable))


def reaches(one: DisposableHost, other: DisposableHost) -> bool:
    return one.run([*PYTHON, ASK, other.name, PORT]).returncode == 0


def test_each_host_is_one_of_its_own_and_knows_the_others(fleet: DisposableFleet) -> None:
    machines = {host.read_file("/etc/machine-id") for host in fleet}
    assert len(machines) == 3
    for host in fleet:
        host.write_file("/etc/fleet-test", host.name)
    assert [host.read_file("/etc/fleet-test") for host in fleet] == [host.name for host in fleet]
    for host in fleet:
        known = host.run(["getent", "hosts", *(each.name for each in fleet if each is not host)], check=True).stdout
        assert {line.split()[0] for line in known.splitlines()} == {
            fleet.address(each) for each in fleet if each is not host
        }


def test_a_cut_parts_two_hosts_and_no_others_until_it_is_mended(fleet: DisposableFleet) -> None:
    first, second, third = fleet
    pairs = [(first, second), (second, first), (first, third), (third, second)]
    for one, other in pairs:
        wait_until(lambda one=one, other=other: reaches(one, other), f"{one.name} to {other.name}", seconds=20)
    fleet.cut(first, second)
    assert [reaches(one, other) for one, other in pairs] == [False, False, True, True]
    fleet.mend(first, second)
    for one, other in pairs:
        wait_until(lambda one=one, other=other: reaches(one, other), f"{one.name} to {other.name}", seconds=20)


def test_nothing_of_it_is_seen_outside(fleet: DisposableFleet) -> None:
    outside = {path.name for path in Path("/sys/class/net").iterdir()}
    assert not outside & {host.name for host in fleet}


@pytest.mark.parametrize(("size", "name"), [(0, "node"), (1, "node"), (17, "node"), (2, ""), (2, "much-too-long")])
def test_a_fleet_that_could_not_be_joined_is_refused(size: int, name: str) -> None:
    with pytest.raises(ValueError, match=r"2 to 16|1 to 12"):
        DisposableFleet(size, name)
