"""Every fault breaks what it says, and is gone once it is mended by hand: so no engine can pass without a repair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from chaos.faults.base import Fault
from chaos.faults.broken_config import BrokenConfig
from chaos.faults.catalog import FAULTS
from chaos.faults.crashed_service import CrashedService
from chaos.faults.deleted_open_log import DeletedOpenLog
from chaos.faults.descriptor_leak import DescriptorLeak
from chaos.faults.hung_service import HungService
from chaos.faults.inode_exhaustion import InodeExhaustion
from chaos.faults.journal_grown import JournalGrown
from chaos.faults.log_flood import LogFlood
from chaos.faults.memory_leak import MemoryLeak
from chaos.faults.old_temp_files import OldTempFiles
from chaos.faults.read_only_remount import ReadOnlyRemount
from chaos.faults.runaway_child import RunawayChild
from chaos.faults.stale_pidfile import StalePidfile
from chaos.faults.stopped_by_person import StoppedByPerson
from chaos.faults.stuck_job import StuckJob
from chaos.faults.uninterruptible import Uninterruptible
from chaos.faults.wrong_permissions import WrongPermissions
from chaos.faults.zombie_pile_up import ZombiePileUp
from chaos.host import DisposableHost, HostUnavailableError
from chaos.injection import inject
from chaos.scenario import Kind, Privileges, Scenario, load_all
from chaos.volume import image_of
from chaos.waiting import wait_until

pytestmark = [pytest.mark.systemd, pytest.mark.needs_root, pytest.mark.slow]

#: What a person would do about it: a fault and commands.
MENDED: Sequence[tuple[Fault, Sequence[Sequence[str]]]] = (
    (
        BrokenConfig(),
        [
            ["sh", "-c", "echo '{\"port\": 8070}' > /etc/site/site.json"],
            ["/usr/local/bin/sited", "--test", "/etc/site/site.json"],
            ["systemctl", "reset-failed", "site"],
            ["systemctl", "start", "site"],
        ],
    ),
    (CrashedService(), [["systemctl", "start", "web"]]),
    (DeletedOpenLog(), [["systemctl", "restart", "app"]]),
    (DescriptorLeak(), [["systemctl", "restart", "web"]]),
    (HungService(), [["systemctl", "restart", "web"]]),
    (InodeExhaustion(), [["rm", "-r", "/mnt/s/sessions/old"]]),
    (JournalGrown(), [["journalctl", "--rotate", "--vacuum-size=64M"]]),
    (LogFlood(), [["systemctl", "restart", "noisy"]]),
    (MemoryLeak(), [["systemctl", "restart", "web"]]),
    (OldTempFiles(), [["find", "/mnt/t/scratch/old", "-type", "f", "-atime", "+7", "-delete"]]),
    (ReadOnlyRemount(), [["mount", "-o", "remount,rw", "/mnt/r"]]),
    (RunawayChild(), [["pkill", "-x", "crunch"]]),
    (StalePidfile(), [["rm", "/run/app.pid"], ["/usr/local/bin/appd", "8090", "/run/app.pid"]]),
    (StoppedByPerson(), [["systemctl", "start", "web"]]),
    (StuckJob(), [["systemctl", "kill", "nightly-0"]]),
    (Uninterruptible(), [["dmsetup", "resume", "chaos-hangs"]]),
    (
        WrongPermissions(),
        [["chmod", "0750", "/srv/app/data"], ["chmod", "0600", "/srv/app/id_rsa"]],
    ),
    (ZombiePileUp(), [["systemctl", "restart", "web"]]),
)
#: Those of which a scenario says it.
ROLLED_BACK = {
    name: scenario
    for name, scenario in load_all().items()
    if scenario.rollbacks and not {fault.name for fault in scenario.faults()} & {fault.name for fault, _ in MENDED}
}


@pytest.fixture
def host() -> Iterator[DisposableHost]:
    try:
        with DisposableHost() as host:
            yield host
    except HostUnavailableError as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize(("fault", "commands"), MENDED, ids=[fault.name for fault, _ in MENDED])
def test_it_breaks_and_a_repair_by_hand_ends_it(
    fault: Fault, commands: Sequence[Sequence[str]], host: DisposableHost
) -> None:
    if isinstance(fault, Uninterruptible) and host.run(["dmsetup", "version"]).returncode:
        pytest.skip("this machine has no device mapper")
    fault.prepare(host)
    wait_until(lambda: fault.is_gone(host), "that all is well before", seconds=10)
    inject(fault, host)
    assert not fault.is_gone(host)
    assert list(fault.harm(host)) == [], "the fault itself is no harm that a repair did"
    for argv in commands:
        host.run(argv, check=True)
    wait_until(lambda: fault.is_gone(host), "that it is mended", seconds=10)
    assert list(fault.harm(host)) == []


def steady(scenario: Scenario, host: DisposableHost) -> bool:
    return all(probe.holds(host) for probe in scenario.steady_state)


@pytest.mark.parametrize("scenario", ROLLED_BACK.values(), ids=ROLLED_BACK)
def test_a_scenarios_steady_state_is_broken_until_it_is_rolled_back(scenario: Scenario, host: DisposableHost) -> None:
    if scenario.privileges is Privileges.KERNEL:
        pytest.skip("needs a kernel of its own")
    if absent := scenario.absent_programs():
        pytest.skip(f"needs {', '.join(absent)}")
    (fault,) = scenario.faults()
    fault.prepare(host)
    wait_until(lambda: steady(scenario, host), "the steady state", seconds=30)
    assert fault.is_gone(host)
    inject(fault, host)
    wait_until(lambda: not fault.is_gone(host), "the fault", seconds=10)
    # What only looks bad to an engine breaks nothing.
    assert scenario.kind is Kind.TRAP or not steady(scenario, host)
    for argv in scenario.rollbacks:
        host.run(argv, check=True)
    wait_until(lambda: fault.is_gone(host) and steady(scenario, host), "the steady state", seconds=30)
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


def test_none_is_left_out() -> None:
    rolled_back = {fault.name for scenario in ROLLED_BACK.values() for fault in scenario.faults()}
    assert {fault.name for fault, _ in MENDED} | rolled_back == {kind.name for kind in FAULTS}
