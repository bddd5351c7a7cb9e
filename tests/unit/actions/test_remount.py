"""Read-only file systems: written to again only where the kernel met no error, and told with the reason where it did."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chaos.simulation.host import SimulatedHost
from zen_agents.actions.remount_read_write import RemountReadWrite
from zen_agents.checks.mount import MountCheck
from zen_agents.errors import ActionFailedError, HostError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Plan
from zen_agents.model.observation import Status
from zen_agents.ports.host_commands import Command, CommandResult

PATH, ERROR = "/srv/data", "EXT4-fs error (device sdb1): ext4_lookup: deleted inode referenced: 12"


@pytest.fixture
def host() -> SimulatedHost:
    host = SimulatedHost()
    host.files.add_disk(PATH, total_bytes=1 << 30, read_only=True)

    def mount(command: Command) -> CommandResult:
        assert command.argv == ("mount", "-o", "remount,rw", "--", PATH)
        disk = host.files.disks[PATH]
        disk.mount = disk.mount._replace(read_only=False)
        return CommandResult(0, "", False, 0.1)

    host.programs["mount"] = mount
    return host


def plan(host: SimulatedHost) -> Plan:
    return RemountReadWrite().plan(ActionRequest("remount_read_write", "mount:data", {"path": PATH}), host.look())


def state(host: SimulatedHost) -> tuple[Status, str]:
    check = MountCheck("data", path=PATH, every_seconds=30)
    (found,) = check.observe(host.look(), host.clock.now())
    return found.status, found.detail


async def test_where_the_kernel_met_no_error_it_is_written_to_again(host: SimulatedHost) -> None:
    assert state(host)[0] is Status.PROBLEM
    assert state(host)[1].endswith("the kernel's log shows no errors of it")
    made = plan(host)
    assert made.steps[0].startswith("mount -o remount,rw -- /srv/data")
    assert (await RemountReadWrite().execute(made, host.control())).ok
    assert state(host)[0] is Status.OK
    with pytest.raises(StalePlanError, match="can be written to"):
        plan(host)


def _damaged(host: SimulatedHost) -> None:
    host.disk_errors[PATH] = (ERROR,)


def _silent(host: SimulatedHost) -> None:
    host.faults.fail("file_system_errors", times=9)


def _meant(host: SimulatedHost) -> None:
    host.files.add_file("/etc/fstab", f"# comment\n/dev/sdb1 {PATH} ext4 ro,noatime 0 2\n")


def _of_a_server(host: SimulatedHost) -> None:
    disk = host.files.disks[PATH]
    disk.mount = disk.mount._replace(kind="nfs4")


def _gone(host: SimulatedHost) -> None:
    del host.files.disks[PATH]


@pytest.mark.parametrize(
    ("meanwhile", "refusal"),
    [
        (_damaged, "writing may damage it further: EXT4-fs error"),
        (_silent, "file_system_errors"),
        (_meant, "/etc/fstab says that /srv/data is read-only"),
        (_of_a_server, "not in the kernel's log"),
        (_gone, "nothing is mounted at /srv/data"),
    ],
)
async def test_it_stays_read_only_where_writing_may_do_harm_or_nobody_can_tell(
    meanwhile: Callable[[SimulatedHost], None], refusal: str, host: SimulatedHost
) -> None:
    made = plan(host)
    meanwhile(host)
    with pytest.raises((RefusedError, HostError), match=refusal):
        plan(host)
    with pytest.raises((RefusedError, HostError), match=refusal):
        await RemountReadWrite().execute(made, host.control())
    assert host.changes == []


async def test_a_mount_that_refuses_and_another_disk_there_are_told(host: SimulatedHost) -> None:
    made = plan(host)
    host.programs["mount"] = lambda _: CommandResult(
        32, "cannot remount /dev/sdb1 read-write, is write-protected.", False, 0
    )
    with pytest.raises(ActionFailedError, match="stays read-only: cannot remount"):
        await RemountReadWrite().execute(made, host.control())
    disk = host.files.disks[PATH]
    disk.mount = disk.mount._replace(source="/dev/sdz1", device=77)
    with pytest.raises(StalePlanError, match="another file system"):
        await RemountReadWrite().execute(made, host.control())


def test_people_read_why_it_is_left_alone(host: SimulatedHost) -> None:
    _damaged(host)
    assert state(host)[1].endswith(f"the kernel met errors, so its structure may be damaged: {ERROR}")
    _silent(host)
    assert "whether the kernel met errors is not known" in state(host)[1]
    _gone(host)
    assert state(host) == (Status.PROBLEM, "nothing is mounted at /srv/data")
