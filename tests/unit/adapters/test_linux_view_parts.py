"""What the real host's view makes of /proc, cgroups and systemctl, also when they hold nonsense."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.engine_process import wait_for
from zen_agents.adapters import linux_view_files
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.adapters.linux_view_files import look_at_file, parse_mount
from zen_agents.adapters.linux_view_processes import ProcessReader, parse_stat, split_command_line
from zen_agents.adapters.linux_view_units import span_seconds, unit_name
from zen_agents.errors import HostError
from zen_agents.ports.host_processes import Process

GIB = 1 << 30


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A /proc with what every Linux has."""
    root = tmp_path / "proc"
    (root / "self").mkdir(parents=True)
    (root / "stat").write_text("cpu  100 0 50 1000 20 5 5 40 0 0\ncpu0 1 2 3\n")
    (root / "meminfo").write_text(
        "MemTotal: 8388608 kB\nMemFree: 1 kB\nMemAvailable: 4194304 kB\nSwapTotal: 1024 kB\nSwapFree: 512 kB\n"
    )
    (root / "loadavg").write_text("0.50 0.25 0.10 1/200 999\n")
    (root / "uptime").write_text("123.45 400.00\n")
    return root


@pytest.fixture
def host(proc: Path, tmp_path: Path) -> LinuxHost:
    return LinuxHost(
        tmp_path / "state", proc_root=str(proc), cgroup_root=str(tmp_path / "cgroup"), root=str(tmp_path / "root")
    )


def a_stat(pid: int, name: str = "web", start_time: int = 77, parent: int = 1) -> str:
    return f"{pid} ({name}) S {parent} {pid} {pid} 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 1 0 {start_time} 1000 10 1 1\n"


def a_process(proc: Path, pid: int, *, name: str = "web", start_time: int = 77, argv: str = "/usr/bin/web\0-v\0") -> Path:
    directory = proc / str(pid)
    directory.mkdir()
    (directory / "stat").write_text(a_stat(pid, name, start_time))
    (directory / "cmdline").write_text(argv)
    return directory


# -- /proc ----------------------------------------------------------------------------------------------------------------


def test_cpu_time_counts_what_a_hypervisor_took_as_busy(host: LinuxHost) -> None:
    times = host.look().cpu_times()
    ticks = os.sysconf("SC_CLK_TCK")
    assert (times.busy, times.idle) == (200 / ticks, 1020 / ticks)


def test_load_and_uptime_are_read(host: LinuxHost) -> None:
    assert host.look().load() == (0.5, 0.25, 0.1)
    assert host.look().boot_seconds() == 123.45


@pytest.mark.parametrize("file", ["stat", "meminfo", "loadavg", "uptime"])
@pytest.mark.parametrize("content", ["", "garbage", "cpu  x y z 1 2 3 4\n", "\0\0\0"])
def test_nonsense_is_an_error_and_never_a_number(host: LinuxHost, proc: Path, file: str, content: str) -> None:
    (proc / file).write_text(content)
    view = host.look()
    ask = {"stat": view.cpu_times, "meminfo": view.memory, "loadavg": view.load, "uptime": view.boot_seconds}[file]
    with pytest.raises(HostError):
        ask()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("loadavg", "nan inf 0.1 1/2 3\n"), ("loadavg", "-1 0 0 1/2 3\n"), ("loadavg", "1e9 0 0 1/2 3\n"),
        ("stat", f"cpu  1 2 3 4 5 6 {'9' * 400}\n"), ("stat", "cpu  1 2 3 -4 5 6 7\n"),
        ("meminfo", f"MemTotal: {'9' * 5000} kB\nMemAvailable: 1 kB\nSwapTotal: 1 kB\nSwapFree: 1 kB\n"),
    ],
)  # fmt: skip
def test_a_number_that_no_kernel_prints_is_an_error(host: LinuxHost, proc: Path, file: str, content: str) -> None:
    (proc / file).write_text(content)
    view = host.look()
    with pytest.raises(HostError):
        {"stat": view.cpu_times, "meminfo": view.memory, "loadavg": view.load}[file]()


def test_a_process_with_times_beyond_all_numbers_is_an_error() -> None:
    with pytest.raises(HostError, match="not as expected"):
        parse_stat(a_stat(1).replace("150 50", f"{'9' * 400} 50").encode())


def test_an_account_number_beyond_all_numbers_is_an_error(host: LinuxHost, proc: Path) -> None:
    (a_process(proc, 42) / "status").write_text(f"Name:\tweb\nTgid:\t42\nUid:\t0\t{'9' * 5000}\t0\t0\n")
    view = host.look()
    process = view.process(42)
    assert process is not None
    with pytest.raises(HostError, match="not as expected"):
        view.owner(process)


def test_a_missing_proc_is_an_error(tmp_path: Path) -> None:
    view = LinuxHost(tmp_path, proc_root=str(tmp_path / "nothing")).look()
    for ask in (view.cpu_times, view.memory, view.load, view.mounts, view.processes):
        with pytest.raises(HostError):
            ask()
    assert view.pressure("memory") is None


def test_pressure_without_the_line_full(host: LinuxHost, proc: Path) -> None:
    (proc / "pressure").mkdir()
    (proc / "pressure/cpu").write_text("some avg10=1.50 avg60=2.50 avg300=3.50 total=99\n")
    pressure = host.look().pressure("cpu")
    assert pressure is not None
    assert (pressure.some_10, pressure.some_60, pressure.some_300, pressure.full_60) == (1.5, 2.5, 3.5, 0.0)


# -- processes ------------------------------------------------------------------------------------------------------------


@given(name=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=15))
def test_a_process_name_may_hold_anything(name: str) -> None:
    process = parse_stat(a_stat(42, name).encode())
    assert process is not None
    assert (process.pid, process.name, process.start_time, process.state) == (42, name, 77, "S")
    assert process.cpu_seconds == 200 / os.sysconf("SC_CLK_TCK")


@given(content=st.binary(max_size=200))
def test_a_line_of_nonsense_is_an_error_or_nothing(content: bytes) -> None:
    try:
        process = parse_stat(content)
    except HostError:
        return
    assert process is None or process.pid >= 0


def test_a_thread_that_vanishes_midway_is_none(host: LinuxHost, proc: Path) -> None:
    (proc / "42").mkdir()
    (proc / "43").mkdir()
    (proc / "43/stat").write_text("")
    assert host.look().process(42) is None
    assert host.look().process(43) is None
    assert host.look().processes() == {}


def test_a_command_line_is_remembered_until_the_process_changes(host: LinuxHost, proc: Path) -> None:
    directory = a_process(proc, 42)
    view = host.look()
    process = view.processes()[42]
    assert view.command_line(process) == ("/usr/bin/web", "-v")
    (directory / "cmdline").write_text("/another\0")
    assert host.look().command_line(process) == ("/usr/bin/web", "-v")
    # exec gives the process another name, but not another start time.
    (directory / "stat").write_text(a_stat(42, "another"))
    view = host.look()
    assert view.command_line(view.processes()[42]) == ("/another",)


def test_what_is_remembered_of_a_process_is_never_older_than_its_line(host: LinuxHost, proc: Path) -> None:
    directory = a_process(proc, 42)
    first = host.look().process(42)
    assert host.look().process(42) == first
    (directory / "stat").write_text(a_stat(42, "another"))
    changed = host.look().process(42)
    assert changed is not None and changed.name == "another"
    (directory / "stat").unlink()
    assert host.look().process(42) is None
    (directory / "stat").write_text("42 (cut off")
    with pytest.raises(HostError):
        host.look().process(42)


def test_an_empty_command_line_is_asked_again(host: LinuxHost, proc: Path) -> None:
    directory = a_process(proc, 42, argv="")
    view = host.look()
    process = view.processes()[42]
    assert view.command_line(process) == ()
    (directory / "cmdline").write_text("/usr/bin/web\0")
    assert host.look().command_line(process) == ("/usr/bin/web",)


def test_of_what_has_ended_no_command_line_is_read(host: LinuxHost, proc: Path) -> None:
    directory = a_process(proc, 42)
    process = host.look().processes()[42]
    (directory / "cmdline").unlink()
    (directory / "cmdline").mkdir()
    with pytest.raises(HostError):
        host.look().command_line(process)
    assert host.look().command_line(process._replace(state="Z")) == ()


def test_a_rewritten_title_is_one_argument() -> None:
    assert split_command_line(b"nginx: worker process") == ("nginx: worker process",)
    assert split_command_line(b"a\0\0b\0") == ("a", "", "b")


def test_the_cgroup_of_both_versions(host: LinuxHost, proc: Path) -> None:
    directory = a_process(proc, 42)
    process = host.look().processes()[42]
    (directory / "cgroup").write_text("0::/kubepods.slice/pod1\n")
    assert host.look().cgroup(process) == "/kubepods.slice/pod1"
    (directory / "cgroup").write_text("9:name=systemd:/system.slice/web.service\n4:memory:/docker/abc\n0::/\n")
    assert host.look().cgroup(process) == "/system.slice/web.service"
    (directory / "cgroup").write_text("4:memory:/docker/abc\n3:cpu:/\n")
    assert host.look().cgroup(process) == "/docker/abc"


def test_the_mark_of_a_replaced_program_is_left_out(host: LinuxHost, proc: Path) -> None:
    (a_process(proc, 42) / "exe").symlink_to("/usr/bin/web (deleted)")
    process = host.look().processes()[42]
    assert host.look().executable(process) == "/usr/bin/web"


# -- containers -----------------------------------------------------------------------------------------------------------


def test_without_limits_the_hosts_memory_counts(host: LinuxHost) -> None:
    memory = host.look().memory()
    assert (memory.total, memory.available, memory.swap_total, memory.swap_free) == (8 * GIB, 4 * GIB, 1 << 20, 1 << 19)


def test_a_limit_of_cgroup_v2_counts_and_idle_cache_is_available(host: LinuxHost, tmp_path: Path) -> None:
    _cgroup(
        tmp_path,
        {
            "cgroup.controllers": "cpu memory",
            "memory.max": f"{2 * GIB}\n",
            "memory.current": f"{GIB}\n",
            "memory.stat": f"anon 1\ninactive_file {GIB // 4}\n",
            "memory.swap.max": "0\n",
            "cpu.max": "150000 100000\n",
        },
    )
    memory = host.look().memory()
    assert (memory.total, memory.available) == (2 * GIB, 2 * GIB - (GIB - GIB // 4))
    assert (memory.swap_total, memory.swap_free) == (0, 0)
    assert host.look().cpu_times().count <= 1.5


def test_a_limit_of_cgroup_v1_counts(host: LinuxHost, tmp_path: Path) -> None:
    _cgroup(
        tmp_path,
        {
            "memory/memory.limit_in_bytes": f"{GIB}",
            "memory/memory.usage_in_bytes": f"{GIB // 2}",
            "memory/memory.stat": "inactive_file 5\ntotal_inactive_file 0\n",
            "cpu/cpu.cfs_quota_us": "50000",
            "cpu/cpu.cfs_period_us": "100000",
        },
    )
    assert (host.look().memory().total, host.look().memory().available) == (GIB, GIB // 2)
    assert host.look().cpu_times().count == 0.5


@pytest.mark.parametrize("limit", ["max", "9223372036854771712"])
def test_no_limit_leaves_the_hosts_memory(host: LinuxHost, tmp_path: Path, limit: str) -> None:
    _cgroup(tmp_path, {"cgroup.controllers": "", "memory.max": limit, "cpu.max": "max 100000"})
    assert host.look().memory().total == 8 * GIB


def _cgroup(tmp_path: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = tmp_path / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


# -- mounts ---------------------------------------------------------------------------------------------------------------


def test_a_mount_with_a_space_and_optional_fields() -> None:
    mount = parse_mount(r"36 35 98:0 /mnt1 /mnt/a\040b\134c rw,noatime master:1 shared:2 - ext3 /dev/root\011x rw,errors=ro")
    assert (mount.path, mount.source, mount.kind, mount.read_only) == ("/mnt/a b\\c", "/dev/root\tx", "ext3", False)
    assert mount.device == os.makedev(98, 0)


def test_a_file_system_that_went_read_only_is_told() -> None:
    assert parse_mount("36 35 98:0 / /mnt rw - ext4 /dev/sda ro").read_only
    assert parse_mount("36 35 98:0 / /mnt rw - ext4 /dev/sda rw,errors=remount-ro,emergency_ro").read_only
    assert not parse_mount("36 35 98:0 / /mnt rw - ext4 /dev/sda rw,errors=remount-ro").read_only


def test_of_several_mounts_on_a_path_the_visible_one_counts(host: LinuxHost, proc: Path) -> None:
    line = "36 35 98:{} / /mnt rw - ext4 /dev/sd{} rw\n"
    (proc / "self/mountinfo").write_text(line.format(0, "a") + "37 35 0:5 / / rw - tmpfs t rw\n" + line.format(1, "b"))
    assert [(mount.path, mount.source) for mount in host.look().mounts()] == [("/", "t"), ("/mnt", "/dev/sdb")]


def test_what_is_mounted_later_is_seen_by_the_next_look(host: LinuxHost, proc: Path) -> None:
    line = "36 35 98:0 / {} rw - ext4 /dev/sda rw\n"
    (proc / "self/mountinfo").write_text(line.format("/mnt"))
    before = host.look().mounts()
    assert host.look().mounts() is before
    (proc / "self/mountinfo").write_text(line.format("/srv"))
    assert [mount.path for mount in host.look().mounts()] == ["/srv"]


def test_a_directory_is_listed_once_for_a_look_and_anew_for_the_next(host: LinuxHost, tmp_path: Path) -> None:
    (folder := tmp_path / "folder").mkdir()
    (folder / "one").touch()
    (folder / "two").touch()
    look = host.look()
    first = look.list_directory(str(folder))
    (folder / "three").touch()
    assert look.list_directory(str(folder)) == first
    assert [entry.path for entry in look.list_directory(str(folder), limit=1)] == [first[0].path]
    assert len(host.look().list_directory(str(folder))) == 3


def test_of_a_directory_that_was_cut_or_is_large_nothing_is_remembered(
    host: LinuxHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder := tmp_path / "folder").mkdir()
    (folder / "one").touch()
    look = host.look()
    assert len(look.list_directory(str(folder), limit=1)) == 1
    (folder / "two").touch()
    monkeypatch.setattr(linux_view_files, "_LISTED_ENTRIES", 1)
    assert len(look.list_directory(str(folder))) == 2
    (folder / "three").touch()
    assert len(look.list_directory(str(folder))) == 3


def test_a_mount_on_a_device_that_cannot_be_is_an_error() -> None:
    with pytest.raises(HostError, match="mountinfo"):
        parse_mount(f"22 1 {10**20}:1 / / rw - ext4 /dev/sda1 rw")


@given(line=st.text(max_size=120))
def test_a_mount_of_nonsense_is_an_error(line: str) -> None:
    try:
        parse_mount(line)
    except HostError as error:
        assert "mountinfo" in str(error)


# -- descriptors ----------------------------------------------------------------------------------------------------------


def test_a_deleted_file_that_is_held_open_is_found(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    with path.open("wb") as held:
        held.write(b"x" * 10_000)
        held.flush()
        path.unlink()
        found = [row for row in LinuxHost(tmp_path).look().deleted_open_files() if row[2] == str(path)]
        assert [(row[0].pid, row[1], row[3]) for row in found] == [(os.getpid(), held.fileno(), 10_000)]
    assert not [row for row in LinuxHost(tmp_path).look().deleted_open_files() if row[2] == str(path)]


def test_shared_memory_is_no_deleted_file(tmp_path: Path) -> None:
    descriptor = os.memfd_create("not-a-file")
    try:
        names = [row[2] for row in LinuxHost(tmp_path).look().deleted_open_files() if row[0].pid == os.getpid()]
        assert not [name for name in names if "not-a-file" in name]
    finally:
        os.close(descriptor)


# -- services -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["", "12", "12 34 56", "x y", "12 34\nmore"])
def test_a_torn_record_of_a_service_cannot_be_told(host: LinuxHost, tmp_path: Path, content: str) -> None:
    (tmp_path / "state/services").mkdir(parents=True)
    (tmp_path / "state/services/web").write_text(content)
    with pytest.raises(HostError):
        host.look().service_process("web")


def test_a_record_that_others_could_write_is_not_believed(host: LinuxHost, tmp_path: Path, proc: Path) -> None:
    a_process(proc, 42)
    (tmp_path / "state/services").mkdir(parents=True)
    record = tmp_path / "state/services/web"
    record.write_text("42 77\n")
    record.chmod(0o600)
    found = host.look().service_process("web")
    assert found is not None
    assert found.pid == 42
    record.chmod(0o666)
    with pytest.raises(HostError):
        host.look().service_process("web")


@pytest.mark.parametrize("name", ["", "../state", "a/b", ".hidden", "-x", "a\0b", "a\nb"])
def test_a_service_name_never_becomes_a_path(host: LinuxHost, name: str) -> None:
    with pytest.raises(HostError):
        host.look().service_process(name)


def test_a_zombie_is_in_the_table_but_no_services_process(host: LinuxHost, tmp_path: Path, proc: Path) -> None:
    directory = a_process(proc, 42)
    (directory / "stat").write_text(a_stat(42).replace(" S ", " Z ", 1))
    pidfile = tmp_path / "web.pid"
    pidfile.write_text("42\n")
    assert host.look().processes()[42].state == "Z"
    assert host.look().pidfile_process(str(pidfile)) is None


def test_a_pidfile_in_a_directory_of_others_is_not_believed(host: LinuxHost, tmp_path: Path, proc: Path) -> None:
    (a_process(proc, 42) / "status").write_text("Name:\tweb\nTgid:\t42\nUid:\t0\t0\t0\t0\n")
    open_to_all = tmp_path / "run"
    open_to_all.mkdir()
    pidfile = open_to_all / "web.pid"
    pidfile.write_text("42\n")
    open_to_all.chmod(0o777)
    with pytest.raises(HostError):
        host.look().pidfile_process(str(pidfile))
    open_to_all.chmod(0o1777)
    assert host.look().pidfile_process(str(pidfile))


# -- systemd --------------------------------------------------------------------------------------------------------------

SYSTEMCTL = """#!{python}
import sys, os
open({log!r}, "a").write(" ".join(sys.argv[1:]) + "|" + ",".join(sorted(os.environ)) + "\\n")
if sys.argv[1] == "is-system-running":
    print("degraded"); sys.exit(1)
names = sys.argv[sys.argv.index("--") + 1:]
blocks = []
for name in names:
    if name.startswith("missing"):
        blocks.append(f"Id={{name}}\\nLoadState=not-found\\nActiveState=inactive\\nSubState=dead\\nJob=")
        continue
    blocks.append("\\n".join([
        "Id=real-" + name, "LoadState=loaded", "ActiveState=active", "SubState=running", "Result=success",
        "UnitFileState=enabled", "MainPID=4242", "NRestarts=3", "InvocationID=ab", "StateChangeTimestampMonotonic=777",
        "Job=12", "RequiredBy=a.service b.service", "BoundBy=", "ConsistsOf=b.service", "StartLimitBurst=5",
        "StartLimitIntervalUSec=1min 30s", "Slice=system.slice", "ActiveExitTimestampMonotonic=5",
        "ExecMainExitTimestampMonotonic=9", "Requires=db.service -.mount", "Requisite=", "BindsTo=c.service", "PartOf=",
        "Triggers=d.service"]))
print("\\n\\n".join(blocks))
"""


@pytest.fixture
def systemd_host(tmp_path: Path, proc: Path) -> Iterator[LinuxHost]:
    (tmp_path / "root/run/systemd/system").mkdir(parents=True)
    program = tmp_path / "systemctl"
    program.write_text(SYSTEMCTL.format(python=sys.executable, log=str(tmp_path / "calls")))
    program.chmod(0o755)
    yield LinuxHost(tmp_path, proc_root=str(proc), root=str(tmp_path / "root"), systemctl=str(program))


def test_a_unit_is_told_as_systemctl_shows_it(systemd_host: LinuxHost) -> None:
    unit = systemd_host.look().unit("web")
    assert unit is not None
    assert (unit.id, unit.active_state, unit.main_pid, unit.restarts, unit.changed_us) == (
        "real-web.service",
        "active",
        4242,
        3,
        777,
    )
    assert unit.busy
    assert unit.takes_along == ("a.service", "b.service")
    assert (unit.start_limit_burst, unit.start_limit_interval_seconds) == (5, 90.0)
    assert (unit.left_active_us, unit.main_exit_us, unit.was_stopped) == (5, 9, False)


def test_what_units_need_is_told_and_what_a_socket_starts(systemd_host: LinuxHost, tmp_path: Path) -> None:
    needs = systemd_host.look().unit_needs(["web", "app.socket"])
    hard = [("Requires", "db.service"), ("Requires", "-.mount"), ("BindsTo", "c.service")]
    assert needs == {"real-web.service": hard, "real-app.socket": [*hard, ("Triggers", "d.service")]}
    (call,) = (tmp_path / "calls").read_text().splitlines()
    assert call.split("|")[0].endswith("-- web.service app.socket")
    assert systemd_host.look().unit_needs([]) == {}


def test_all_units_ever_asked_for_come_in_one_call(systemd_host: LinuxHost, tmp_path: Path) -> None:
    first = systemd_host.look()
    for name in ("a", "b.socket", "missing"):
        first.unit(name)
    (tmp_path / "calls").unlink()
    second = systemd_host.look()
    assert second.unit("a.service")
    assert second.unit("b.socket")
    assert second.unit("missing") is None
    (call,) = (tmp_path / "calls").read_text().splitlines()
    assert call.split("|")[0].endswith("-- a.service b.socket missing.service")
    assert "HOME" not in call.split("|")[1]


def test_the_system_state_of_a_degraded_host(systemd_host: LinuxHost) -> None:
    assert systemd_host.look().system_state() == "degraded"


def test_a_systemctl_that_hangs_costs_one_time_out_a_look(tmp_path: Path, proc: Path) -> None:
    (tmp_path / "root/run/systemd/system").mkdir(parents=True)
    program = tmp_path / "systemctl"
    program.write_text(f"#!/bin/sh\necho call >> {tmp_path}/calls\nexec sleep 60\n")
    program.chmod(0o755)
    host = LinuxHost(
        tmp_path, proc_root=str(proc), root=str(tmp_path / "root"), systemctl=str(program), systemctl_timeout_seconds=0.2
    )
    view = host.look()
    for name in ("a", "b", "c"):
        with pytest.raises(HostError):
            view.unit(name)
    assert (tmp_path / "calls").read_text() == "call\n"


@pytest.mark.parametrize("output", ["", "Id=a", "Id=a\n\nId=b", "x" * 100])
def test_an_answer_that_does_not_fit_is_an_error(tmp_path: Path, proc: Path, output: str) -> None:
    (tmp_path / "root/run/systemd/system").mkdir(parents=True)
    program = tmp_path / "systemctl"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{output}\nEND\n")
    program.chmod(0o755)
    host = LinuxHost(tmp_path, proc_root=str(proc), root=str(tmp_path / "root"), systemctl=str(program))
    with pytest.raises(HostError):
        host.look().unit("a")


@pytest.mark.parametrize(
    "name", ["", "-H", "--help", "a b", "a;reboot", "a/b.service", "x" * 300, "a@.service", "a\n.service", "$(id).service"]
)
def test_what_is_no_unit_name_reaches_no_command(systemd_host: LinuxHost, tmp_path: Path, name: str) -> None:
    with pytest.raises(HostError):
        systemd_host.look().unit(name)
    assert not (tmp_path / "calls").exists()


@given(name=st.text(max_size=40))
def test_a_unit_name_is_plain_or_refused(name: str) -> None:
    try:
        full = unit_name(name)
    except HostError:
        return
    assert full.isascii()
    assert not full.startswith("-")
    assert not set(full) & set(" \t\n/;$&|<>'\"")


def test_time_spans_as_systemd_prints_them() -> None:
    assert [span_seconds(text) for text in ("10s", "1min 30s", "500ms", "0", "2h 3us")] == [10, 90, 0.5, 0, 7200.000003]
    assert span_seconds("infinity") == float("inf")
    with pytest.raises(ValueError, match="time span"):
        span_seconds("soon")


# -- who else works here --------------------------------------------------------------------------------------------------

LOCKER = """
import fcntl, struct, sys
held = open(sys.argv[1], "w")
fcntl.lockf(held, fcntl.LOCK_EX)
print("held", flush=True)
input()
"""


def test_a_package_managers_lock_is_seen_and_not_taken(host: LinuxHost, tmp_path: Path) -> None:
    lock = tmp_path / "root/var/lib/dpkg/lock-frontend"
    lock.parent.mkdir(parents=True)
    lock.touch()
    assert host.look().package_transaction() == ""
    with subprocess.Popen([sys.executable, "-c", LOCKER, str(lock)], stdin=-1, stdout=-1) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert host.look().package_transaction() == f"dpkg, pid {child.pid}"
        child.kill()
        child.communicate()
    assert host.look().package_transaction() == ""


def test_a_running_package_manager_without_a_lock_is_seen(host: LinuxHost, proc: Path) -> None:
    a_process(proc, 42, name="dnf")
    assert host.look().package_transaction() == "dnf, pid 42"


@pytest.mark.parametrize("name", ["apt-get", "dpkg"])
def test_who_looks_at_packages_or_is_in_a_container_holds_no_lock_of_this_host(
    host: LinuxHost, tmp_path: Path, name: str
) -> None:
    running = Process(42, 7, 1, name, "S", 0.0, 0, 42)
    assert host.occupation.package_program([running]) == f"{name}, pid 42", "an apt that lets go between two packages"
    lock = tmp_path / "root/var/lib/dpkg/lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    assert host.occupation.package_program([running]) == f"{name}, pid 42"
    lock.with_name("lock-frontend").touch()
    assert host.occupation.package_program([running]) == ""


def test_a_package_manager_that_ended_and_was_not_reaped_holds_nobody_up(host: LinuxHost) -> None:
    ended = Process(42, 7, 1, "dnf", "Z", 0.0, 0, 42)
    assert host.occupation.package_program([ended]) == ""
    assert host.occupation.package_program([ended, ended._replace(pid=43, state="S")]) == "dnf, pid 43"


def test_whoever_begins_right_after_an_answer_is_seen(host: LinuxHost, proc: Path) -> None:
    assert (host.look().package_transaction(), host.look().configuration_run()) == ("", "")
    a_process(proc, 42, name="dnf")
    a_process(proc, 43, name="python3", argv="/usr/bin/python3\0/root/.ansible/tmp/ansible-tmp-1/AnsiballZ_apt.py\0")
    assert (host.look().package_transaction(), host.look().configuration_run()) == ("dnf, pid 42", "ansible, pid 43")


def test_of_who_begins_nothing_is_remembered_before_its_program_runs(host: LinuxHost, proc: Path) -> None:
    assert host.look().configuration_run() == ""
    a_process(proc, 42, name="sh", argv="/bin/sh\0")
    assert host.look().configuration_run() == ""
    shutil.rmtree(proc / "42")
    a_process(proc, 42, name="ruby", argv="/usr/bin/ruby\0/usr/bin/puppet\0apply\0site.pp\0")
    assert host.look().configuration_run() == "puppet apply, pid 42"


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ("/usr/bin/ruby\0/opt/puppetlabs/bin/puppet\0apply\0site.pp\0", "puppet apply, pid 42"),
        ("/usr/bin/python3\0/root/.ansible/tmp/ansible-tmp-1/AnsiballZ_apt.py\0", "ansible, pid 42"),
        ("/usr/bin/python3\0/usr/bin/ansible-pull\0-U\0x\0", "ansible-pull, pid 42"),
        ("/opt/chef/embedded/bin/ruby\0/usr/bin/chef-client\0-o\0role\0", "chef-client, pid 42"),
        ("chef-client worker: ppid=1;start=10:00:00;\0", "chef-client, pid 42"),
        ("/usr/bin/python3\0/usr/bin/salt-call\0state.apply\0", "salt-call, pid 42"),
        ("/usr/bin/chef-client\0--daemonize\0--interval\x001800\0", ""),
        ("/usr/bin/ruby\0/opt/puppetlabs/bin/puppet\0agent\0", ""),
        ("/usr/bin/python3\0/usr/bin/salt-minion\0", ""),
        ("/usr/bin/vim\0/etc/ansible/hosts\0", ""),
        ("", ""),
    ],
)
def test_a_run_counts_and_a_waiting_daemon_does_not(host: LinuxHost, proc: Path, argv: str, expected: str) -> None:
    a_process(proc, 42, argv=argv)
    assert host.look().configuration_run() == expected


def test_a_puppet_run_is_told_by_its_lock_while_its_process_lives(host: LinuxHost, proc: Path, tmp_path: Path) -> None:
    lock = tmp_path / "root/var/lib/puppet/state/agent_catalog_run.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("42")
    assert host.look().configuration_run() == ""
    a_process(proc, 42)
    assert host.look().configuration_run() == "puppet agent, pid 42"
    lock.unlink()
    assert host.look().configuration_run() == ""


def test_a_salt_job_is_told_by_its_file_while_the_minion_lives(host: LinuxHost, proc: Path, tmp_path: Path) -> None:
    jobs = tmp_path / "root/var/cache/salt/minion/proc"
    jobs.mkdir(parents=True)
    job = jobs / "20260104032000000000"
    job.touch()
    assert host.look().configuration_run() == "", "a minion that crashed left it"
    a_process(proc, 42, argv="/usr/bin/python3\0/usr/bin/salt-minion\0")
    assert host.look().configuration_run() == "salt-minion"
    job.unlink()
    assert host.look().configuration_run() == ""


def test_a_scheduled_shutdown_and_a_mark_say_that_the_host_is_leaving(tmp_path: Path) -> None:
    view = LinuxHost(tmp_path, root=str(tmp_path)).look()
    assert view.leaving(["/run/mark"]) == ""
    (tmp_path / "run/systemd/shutdown").mkdir(parents=True)
    (tmp_path / "run/mark").touch()
    assert view.leaving(["/run/other", "/run/mark"]) == "/run/mark says to leave this host alone"
    (tmp_path / "run/systemd/shutdown/scheduled").touch()
    assert view.leaving([]) == "a shutdown is scheduled: /run/systemd/shutdown/scheduled"


def test_cloud_init_is_pending_between_its_mark_and_its_result(tmp_path: Path) -> None:
    run = tmp_path / "run/cloud-init"
    run.mkdir(parents=True)
    host = LinuxHost(tmp_path, root=str(tmp_path))
    assert not host.look().cloud_init_pending()
    (run / "enabled").touch()
    assert host.look().cloud_init_pending()
    (run / "result.json").touch()
    assert not host.look().cloud_init_pending()


# -- the rest -------------------------------------------------------------------------------------------------------------


def test_a_fifo_is_neither_waited_for_nor_read(host: LinuxHost, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    found = host.look().file(str(fifo))
    assert found is not None
    assert found.kind == "fifo"
    with pytest.raises(HostError, match="not a regular file"):
        host.look().read_text(str(fifo))
    with pytest.raises(HostError, match="not a regular file"):
        host.look().pidfile_process(str(fifo))


@pytest.mark.parametrize("content", ["", "uninitialized\n", "../../x", "g" * 32])
def test_a_machine_id_that_is_none_is_empty(tmp_path: Path, content: str) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").write_text(content)
    assert LinuxHost(tmp_path, root=str(tmp_path)).look().machine_id() == ""


def test_what_could_not_be_told_is_not_asked_again_in_one_look(host: LinuxHost, proc: Path) -> None:
    good = (proc / "meminfo").read_text()
    (proc / "meminfo").write_text("")
    view = host.look()
    with pytest.raises(HostError):
        view.memory()
    (proc / "meminfo").write_text(good)
    with pytest.raises(HostError):
        view.memory()
    assert host.look().memory().total == 8 * GIB


def test_a_long_command_line_is_told_and_does_not_stay_in_memory() -> None:
    words = ["x" * 50_000]
    with subprocess.Popen([sys.executable, "-c", "input()", *words], stdin=subprocess.PIPE) as child:
        reader = ProcessReader("/proc")
        process = reader.read(child.pid)
        assert process is not None
        # A process that is just beginning shows nothing yet.
        wait_for(lambda: Path(f"/proc/{child.pid}/cmdline").read_bytes().endswith(b"x\0"))
        tracemalloc.start()
        try:
            is_told = list(reader.command_line(process)[3:]) == words
            assert is_told
            assert tracemalloc.get_traced_memory()[0] < len(words[0]) / 2
        finally:
            tracemalloc.stop()
            child.communicate(b"\n")


# -- files ----------------------------------------------------------------------------------------------------------------
def _touch(path: Path) -> None:
    # By less than a second, and then back in time: whole seconds alone do not show it.
    os.utime(path, ns=(10**18, 10**18 + 5000))


def _swap_for_a_link(path: Path) -> None:
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))


def _replace(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_text("x")
    other.rename(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.chmod(0o640), lambda path: path.write_text("more"), _touch, _replace, _swap_for_a_link,
        lambda path: path.with_suffix(".too").hardlink_to(path), lambda path: path.unlink(), lambda _: None,
    ],
)  # fmt: skip
def test_what_is_remembered_of_a_file_is_never_older_than_its_lstat(
    host: LinuxHost, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    path = tmp_path / "watched"
    path.write_text("x")
    os.utime(path, ns=(10**18, 10**18))
    before = host.look().file(str(path))
    assert before == look_at_file(str(path))

    change(path)

    assert host.look().file(str(path)) == look_at_file(str(path))


def test_a_file_that_stays_as_it_is_is_the_very_same_at_the_next_look(host: LinuxHost, tmp_path: Path) -> None:
    path = tmp_path / "watched"
    path.write_text("x")

    assert host.look().file(str(path)) is host.look().file(str(path))


def test_a_file_that_is_forgotten_to_stay_within_bounds_is_looked_at_anew(
    host: LinuxHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linux_view_files, "_REMEMBERED_FILES", 2)
    for name in "abc":
        (tmp_path / name).write_text(name)
    first, *_ = [host.look().file(str(tmp_path / name)) for name in "abc"]

    again = host.look().file(str(tmp_path / "a"))

    assert again == first
    assert again is not first
