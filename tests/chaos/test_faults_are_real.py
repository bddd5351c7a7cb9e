"""Every fault breaks what it says, and is gone once it is mended by hand: so no engine can pass without a repair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from chaos.faults.base import Fault
from chaos.faults.catalog import FAULTS
from chaos.faults.crashed_service import CrashedService
from chaos.faults.deleted_open_log import DeletedOpenLog
from chaos.faults.hung_service import HungService
from chaos.faults.inode_exhaustion import InodeExhaustion
from chaos.faults.old_temp_files import OldTempFiles
from chaos.faults.stale_pidfile import StalePidfile
from chaos.faults.stopped_by_person import StoppedByPerson
from chaos.faults.wrong_permissions import WrongPermissions
from chaos.host import DisposableHost, HostUnavailableError
from chaos.injection import inject
from chaos.waiting import wait_until

pytestmark = [pytest.mark.systemd, pytest.mark.needs_root, pytest.mark.slow]

#: What a person would do about it: a fault and commands.
MENDED: Sequence[tuple[Fault, Sequence[Sequence[str]]]] = (
    (CrashedService(), [["systemctl", "start", "web"]]),
    (DeletedOpenLog(), [["systemctl", "restart", "app"]]),
    (HungService(), [["systemctl", "restart", "web"]]),
    (InodeExhaustion(), [["rm", "-r", "/mnt/s/sessions/old"]]),
    (OldTempFiles(), [["find", "/mnt/t/scratch/old", "-type", "f", "-atime", "+7", "-delete"]]),
    (StalePidfile(), [["rm", "/run/app.pid"], ["/usr/local/bin/appd", "8090", "/run/app.pid"]]),
    (StoppedByPerson(), [["systemctl", "start", "web"]]),
    (
        WrongPermissions(),
        [["chmod", "0750", "/srv/app/data"], ["chmod", "0600", "/srv/app/id_rsa"]],
    ),
)


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
    fault.prepare(host)
    wait_until(lambda: fault.is_gone(host), "that all is well before", seconds=10)
    inject(fault, host)
    assert not fault.is_gone(host)
    assert list(fault.harm(host)) == [], "the fault itself is no harm that a repair did"
    for argv in commands:
        host.run(argv, check=True)
    wait_until(lambda: fault.is_gone(host), "that it is mended", seconds=10)
    assert list(fault.harm(host)) == []


def test_none_is_left_out() -> None:
    assert {fault.name for fault, _ in MENDED} == {kind.name for kind in FAULTS}
