"""What still runs with what an upgrade has replaced."""

from __future__ import annotations

import os
from pathlib import Path

from chaos.simulation.host import SimulatedHost
from tests.support.asking import ask
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.adapters.linux_view_mapped import replaced_files
from zen_agents.checks.upgrade import UpgradeCheck
from zen_agents.model.observation import Observation, Status


def look(host: SimulatedHost) -> Observation:
    return ask(UpgradeCheck(every_seconds=600), host)["upgrades.outdated"]


def running(host: SimulatedHost, unit: str, *files: str) -> int:
    return host.add_process("worker", cgroup=f"/system.slice/{unit}", replaced=files).process.pid


def test_units_are_told_once_with_their_files(host: SimulatedHost) -> None:
    running(host, "web.service", "/usr/lib/libssl.so.3", "/usr/lib/libc.so.6")
    running(host, "web.service", "/usr/lib/libssl.so.3")
    running(host, "other.service")
    pid = running(host, "", "/usr/sbin/tool")
    found = look(host)
    assert (found.status, found.value) == (Status.PROBLEM, 2)
    assert found.detail == f"to be restarted: web.service (libc.so.6 and 1 more), worker ({pid}) (tool)"


def test_where_nothing_was_replaced_all_is_well(host: SimulatedHost) -> None:
    running(host, "web.service")
    assert look(host).status is Status.OK


def test_of_many_some_are_named_and_the_rest_counted(host: SimulatedHost) -> None:
    for number in range(20):
        running(host, f"web-{number:02}.service", "/usr/lib/libc.so.6")
    found = look(host)
    assert found.value == 20
    assert found.detail.endswith("web-07.service (libc.so.6) and 12 more")


def test_whom_nobody_may_look_into_is_not_called_well(host: SimulatedHost) -> None:
    host.faults.fail("replaced_files")
    assert look(host).status is Status.UNKNOWN
    host.faults.fail("replaced_files", times=1)
    running(host, "web.service")
    found = look(host)
    assert (found.status, found.detail) == (
        Status.OK,
        "nothing runs with replaced files; 1 processes of others may not be looked into",
    )


#: As Linux 6 writes them.
_MAPS = """\
55d0c8a00000-55d0c8a01000 r-xp 00001000 00:2b 9001                       /usr/sbin/acmed (deleted)
7f1c2a000000-7f1c2a021000 rw-p 00000000 00:00 0
7f1c2b000000-7f1c2b001000 r--s 00000000 00:2b 9002                       /usr/lib/acme/libacme.so.1 (deleted)
7f1c2b002000-7f1c2b003000 r-xp 00000000 00:2b 9002                       /usr/lib/acme/libacme.so.1 (deleted)
7f1c2b100000-7f1c2b101000 r--p 00000000 00:2b 9003                       /usr/lib/x y/libodd.so (deleted)
7f1c2b200000-7f1c2b201000 r--p 00000000 00:2b 9004                       /usr/lib/libc.so.6
7f1c2b300000-7f1c2b301000 r--s 00000000 00:2b 9005                       /srv/data/table.bin (deleted)
7f1c2b400000-7f1c2b401000 r-xp 00000000 00:2b 9006                       /tmp/snappy-1.1-libsnappyjava.so (deleted)
7f1c2b500000-7f1c2b501000 rwxs 00000000 00:01 9007                       /memfd:doublemapper (deleted)
7f1c2b600000-7f1c2b601000 rw-s 00000000 00:01 9008                       /dev/zero (deleted)
7ffd1e000000-7ffd1e001000 r-xp 00000000 00:00 0                          [vdso]
"""


def test_programs_and_libraries_count_and_what_a_program_makes_for_itself_does_not(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "maps").write_text(_MAPS)
    assert replaced_files(str(tmp_path), 7) == ["/usr/lib/acme/libacme.so.1", "/usr/lib/x y/libodd.so", "/usr/sbin/acmed"]


def test_a_process_that_runs_what_is_there_says_nothing_and_a_number_of_another_nothing(tmp_path: Path) -> None:
    view = LinuxHost(tmp_path).look()
    process = view.process(os.getpid())
    assert process is not None
    assert view.replaced_files(process) == ()
    assert view.replaced_files(process._replace(start_time=1)) == ()


def test_of_a_process_that_is_gone_there_is_nothing() -> None:
    assert replaced_files("/proc", 2**22 + 1) == ()
