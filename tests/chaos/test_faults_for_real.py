"""Every fault is really there once it was injected, and gone after what a person would do: by no engine's word."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaos.host import DisposableHost
from chaos.injection import inject
from chaos.scenario import Kind, Privileges, Scenario, load_all
from chaos.waiting import wait_until
from tests.support.disposable import host_or_skip

pytestmark = [pytest.mark.systemd, pytest.mark.needs_root, pytest.mark.slow]

_WITHIN_SECONDS = 30.0
BROKEN = {name: scenario for name, scenario in load_all().items() if scenario.method}


@pytest.fixture
def host() -> Iterator[DisposableHost]:
    yield from host_or_skip()


def steady(scenario: Scenario, host: DisposableHost) -> bool:
    return all(probe.holds(host) for probe in scenario.steady_state)


@pytest.mark.parametrize("scenario", BROKEN.values(), ids=BROKEN)
def test_a_fault_is_there_until_a_person_repairs_it(scenario: Scenario, host: DisposableHost) -> None:
    if scenario.privileges is Privileges.KERNEL:
        pytest.skip("needs a kernel of its own")
    if absent := scenario.absent_programs():
        pytest.skip(f"needs {', '.join(absent)}")
    faults = scenario.faults()
    for fault in faults:
        fault.prepare(host)
    wait_until(lambda: steady(scenario, host), "the steady state", seconds=_WITHIN_SECONDS)
    for fault in faults:
        assert fault.is_gone(host)
        inject(fault, host)
        wait_until(lambda fault=fault: not fault.is_gone(host), "the fault", seconds=_WITHIN_SECONDS)  # type: ignore[misc]
    # A trap may look bad to an engine alone.
    assert scenario.kind is Kind.TRAP or not steady(scenario, host)
    assert scenario.rollbacks, "what a person would do is not told"
    for argv in scenario.rollbacks:
        host.run(argv, check=True)
    wait_until(lambda: all(fault.is_gone(host) for fault in faults), "the end of the fault", seconds=_WITHIN_SECONDS)
    wait_until(lambda: steady(scenario, host), "the steady state", seconds=_WITHIN_SECONDS)
    assert [line for fault in faults for line in fault.harm(host)] == []
