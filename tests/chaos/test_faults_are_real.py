"""Every fault breaks what it says, and is gone once it is mended by hand: so no engine can pass without a repair."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaos.faults.catalog import FAULTS
from chaos.faults.read_only_remount import ReadOnlyRemount
from chaos.host import DisposableHost
from chaos.injection import inject
from chaos.kinds import Kind, Privileges
from chaos.scenario import Scenario, load_all
from chaos.volume import image_of
from chaos.waiting import wait_until
from chaos.workload import accepts, killed, lives, start_unit, start_web, unit_property
from tests.support.disposable import host_or_skip

pytestmark = [pytest.mark.systemd, pytest.mark.needs_root, pytest.mark.slow]

SCENARIOS = {name: scenario for name, scenario in load_all().items() if scenario.method}
#: What only an engine's judgement of it needs a kernel of its own for: the fault itself can be seen on other hosts, too.
SHOWN_ANYWHERE = frozenset({"read_only_remount"})
#: Each look takes a few processes on the host (seconds).
EVERY = 0.1


@pytest.fixture
def host() -> Iterator[DisposableHost]:
    yield from host_or_skip()


def steady(scenario: Scenario, host: DisposableHost) -> bool:
    return all(probe.holds(host) for probe in scenario.steady_state)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_a_scenarios_steady_state_is_broken_until_it_is_rolled_back(scenario: Scenario, host: DisposableHost) -> None:
    if scenario.privileges is Privileges.KERNEL and scenario.name not in SHOWN_ANYWHERE:
        pytest.skip("needs a kernel of its own")
    if absent := scenario.absent_programs():
        pytest.skip(f"needs {', '.join(absent)}")
    if reasons := scenario.cannot_be_shown():
        pytest.skip(", ".join(reasons))
    faults = scenario.faults()
    for fault in faults:
        fault.prepare(host)
    wait_until(lambda: steady(scenario, host), "the steady state", seconds=30, every=EVERY)
    # Whether one that ends by itself is over is known once it has begun.
    lasting = [fault for fault in faults if not fault.ends_by_itself]
    assert all(fault.is_gone(host) for fault in lasting)
    for fault in faults:
        inject(fault, host)
        wait_until(lambda fault=fault: not fault.is_gone(host), "the fault", seconds=10, every=EVERY)
        assert list(fault.harm(host)) == [], "the fault itself is no harm that a repair did"
    # What only looks bad to an engine breaks nothing.
    assert scenario.kind is Kind.TRAP or not steady(scenario, host)
    for argv in scenario.rollbacks:
        host.run(argv, check=True)
    wait_until(lambda: steady(scenario, host), "the steady state", seconds=30, every=EVERY)
    for fault in lasting:
        wait_until(lambda fault=fault: fault.is_gone(host), "the end of the fault", seconds=30, every=EVERY)
        assert list(fault.harm(host)) == []


def test_a_damaged_disk_that_is_written_to_again_is_harm(host: DisposableHost) -> None:
    fault = ReadOnlyRemount(damaged=True)
    fault.prepare(host)
    assert fault.is_gone(host)
    inject(fault, host)
    assert (fault.is_gone(host), list(fault.harm(host))) == (False, [])
    for argv in (["umount", fault.disk], ["mount", "-o", "loop", image_of(fault.disk), fault.disk]):
        host.run(argv, check=True)
    assert fault.harm(host)


def test_who_starts_it_again_before_anybody_looks_has_not_kept_it_from_being_killed(host: DisposableHost) -> None:
    start_web(host, "web", 8080, "Restart=always", "RestartSec=0")
    lived = []
    for _ in range(3):
        lived.append(unit_property(host, "web", "MainPID"))
        killed(host, lived[-1])
        wait_until(lambda: unit_property(host, "web", "MainPID") not in ("0", *lived), "the next one", seconds=60)
        wait_until(lambda: accepts(host, 8080), "the next one", seconds=60)
    assert not any(lives(host, pid) for pid in lived)
    assert lives(host, unit_property(host, "web", "MainPID"))


def test_a_zombie_lives_no_more(host: DisposableHost) -> None:
    start_unit(host, "parent", ["/bin/sh", "-c", "'sleep 0 & echo $$! > /run/child; exec sleep infinity'"])
    wait_until(lambda: host.run(["test", "-s", "/run/child"]).returncode == 0, "the child", seconds=60)
    child = host.read_file("/run/child").strip()
    wait_until(lambda: not lives(host, child), "its end", seconds=60)
    assert host.run(["test", "-e", f"/proc/{child}"]).returncode == 0


def test_none_is_left_out() -> None:
    assert {fault.name for scenario in SCENARIOS.values() for fault in scenario.faults()} == {kind.name for kind in FAULTS}
