"""What every `HostView` keeps to, asked of the real host and of the simulated one."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from chaos.simulation.host import SimulatedHost
from tests.support.engine_process import wait_for
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.errors import HostError, ProcessGoneError, StalePlanError
from zen_agents.ports.host import Host
from zen_agents.ports.host_probes import HttpRequest
from zen_agents.ports.host_processes import Process


class Stage(Protocol):
    """What a test needs done to a host, whichever it is."""

    host: Host
    directory: str

    def start_process(self) -> int: ...
    def end_process(self, pid: int) -> None: ...
    def write(self, name: str, content: str, mode: int = 0o644) -> str: ...
    def make_directory(self, name: str) -> str: ...
    def link(self, name: str, to: str) -> str: ...
    def remove(self, path: str) -> None: ...
    def record_service(self, name: str, process: Process) -> None: ...
    def listen(self) -> tuple[int, int]: ...
    def listen_at(self, name: str) -> str: ...
    def close(self) -> None: ...


class RealStage:
    """The machine that the tests run on; only a temporary directory and children of its own are touched."""

    def __init__(self, directory: Path) -> None:
        self._state = directory / "state"
        self._files = directory / "files"
        self._files.mkdir()
        self.directory = str(self._files)
        self.host = LinuxHost(self._state)
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._sockets: list[socket.socket] = []

    def start_process(self) -> int:
        child = subprocess.Popen([sys.executable, "-c", "print('up', flush=True); input()"], stdin=-1, stdout=-1)
        assert child.stdout is not None
        child.stdout.readline()
        self._children[child.pid] = child
        return child.pid

    def end_process(self, pid: int) -> None:
        child = self._children.pop(pid)
        child.kill()
        child.communicate()

    def write(self, name: str, content: str, mode: int = 0o644) -> str:
        path = self._files / name
        path.write_text(content)
        path.chmod(mode)
        return str(path)

    def make_directory(self, name: str) -> str:
        (self._files / name).mkdir()
        return str(self._files / name)

    def link(self, name: str, to: str) -> str:
        (self._files / name).symlink_to(to)
        return str(self._files / name)

    def remove(self, path: str) -> None:
        Path(path).unlink()

    def record_service(self, name: str, process: Process) -> None:
        services = self._state / "services"
        services.mkdir(parents=True, exist_ok=True)
        record = services / name
        record.write_text(f"{process.pid} {process.start_time}\n")
        record.chmod(0o600)

    def listen(self) -> tuple[int, int]:
        listener = socket.create_server(("127.0.0.1", 0))
        self._sockets.append(listener)
        return listener.getsockname()[1], os.getpid()

    def listen_at(self, name: str) -> str:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self._files / name))
        listener.listen()
        self._sockets.append(listener)
        return str(self._files / name)

    def close(self) -> None:
        for pid in tuple(self._children):
            self.end_process(pid)
        for listener in self._sockets:
            listener.close()


class SimulatedStage:
    """Dictionaries."""

    directory = "/srv/files"

    def __init__(self) -> None:
        self.host = SimulatedHost()
        self.host.files.add_directory(self.directory)
        self._ports = iter(range(8000, 9000))

    def start_process(self) -> int:
        return self.host.add_process("python3", argv=("/usr/bin/python3", "-c", "…")).process.pid

    def end_process(self, pid: int) -> None:
        self.host.end_process(pid)

    def write(self, name: str, content: str, mode: int = 0o644) -> str:
        self.host.advance(0.01)
        return self.host.files.add_file(f"{self.directory}/{name}", content, mode=mode).path

    def make_directory(self, name: str) -> str:
        return self.host.files.add_directory(f"{self.directory}/{name}").path

    def link(self, name: str, to: str) -> str:
        return self.host.files.add_link(f"{self.directory}/{name}", to).path

    def remove(self, path: str) -> None:
        self.host.files.remove(path)

    def record_service(self, name: str, process: Process) -> None:
        self.host.records[name] = process.pid, process.start_time

    def listen(self) -> tuple[int, int]:
        port = next(self._ports)
        self.host.add_service(f"listener{port}", port=port)
        self.host.start(f"listener{port}")
        return port, self.host.services[f"listener{port}"].pid

    def listen_at(self, name: str) -> str:
        self.host.add_service(name, socket=f"{self.directory}/{name}")
        self.host.start(name)
        return f"{self.directory}/{name}"

    def close(self) -> None:
        self.host.faults.heal()


@pytest.fixture(params=["real", "simulated"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    made: Stage = RealStage(tmp_path) if request.param == "real" else SimulatedStage()
    yield made
    made.close()


@pytest.fixture
def process(stage: Stage) -> Process:
    found = stage.host.look().process(stage.start_process())
    assert found is not None
    return found


# -- load and room ------------------------------------------------------------------------------------------------------


def test_numbers_of_the_host_make_sense(stage: Stage) -> None:
    view = stage.host.look()
    memory, times = view.memory(), view.cpu_times()
    assert 0 < memory.available <= memory.total
    assert 0 <= memory.swap_free <= memory.swap_total
    assert times.busy >= 0
    assert times.idle >= 0
    assert times.count > 0
    assert all(figure >= 0 for figure in view.load())
    assert view.boot_seconds() > 0


def test_pressure_is_percentages_or_none(stage: Stage) -> None:
    view = stage.host.look()
    for resource in ("cpu", "memory", "io"):
        pressure = view.pressure(resource)
        assert pressure is None or 0 <= pressure.some_60 <= 100
    with pytest.raises(HostError):
        view.pressure("../../etc/passwd")


def test_the_root_is_mounted_and_has_room(stage: Stage) -> None:
    view = stage.host.look()
    assert "/" in [mount.path for mount in view.mounts()]
    use = view.disk_use("/")
    assert 0 <= use.free_bytes <= use.total_bytes
    assert 0 <= use.free_inodes <= use.total_inodes


def test_the_room_of_nowhere_cannot_be_told(stage: Stage) -> None:
    with pytest.raises(HostError):
        stage.host.look().disk_use("/no/such/place")


# -- files ----------------------------------------------------------------------------------------------------------------


def test_a_file_is_told_as_it_is(stage: Stage) -> None:
    path = stage.write("a.txt", "12345", 0o640)
    found = stage.host.look().file(path)
    assert found is not None
    assert (found.path, found.kind, found.mode, found.size, found.links) == (path, "file", 0o640, 5, 1)


def test_nothing_is_none_and_a_relative_path_an_error(stage: Stage) -> None:
    view = stage.host.look()
    assert view.file(f"{stage.directory}/nothing") is None
    for path in ("relative", "", "/with\0nul"):
        with pytest.raises(HostError):
            view.file(path)


def test_a_link_is_a_link_even_when_it_leads_nowhere(stage: Stage) -> None:
    found = stage.host.look().file(stage.link("dangling", "/no/such/place"))
    assert found is not None
    assert found.kind == "link"


def test_the_fingerprint_changes_with_the_file(stage: Stage) -> None:
    before = stage.host.look().file(stage.write("a.txt", "one"))
    stage.remove(f"{stage.directory}/a.txt")
    stage.write("b.txt", "holds the inode")
    after = stage.host.look().file(stage.write("a.txt", "two"))
    assert before is not None
    assert after is not None
    assert before.fingerprint != after.fingerprint


def test_a_directory_lists_its_direct_entries_only(stage: Stage) -> None:
    stage.write("a.txt", "")
    stage.make_directory("sub")
    stage.write("sub/deep.txt", "")
    stage.link("link", "sub")
    found = {entry.path: entry.kind for entry in stage.host.look().list_directory(stage.directory)}
    assert found == {
        f"{stage.directory}/a.txt": "file",
        f"{stage.directory}/sub": "directory",
        f"{stage.directory}/link": "link",
    }


def test_a_long_directory_is_cut_at_the_limit(stage: Stage) -> None:
    for number in range(5):
        stage.write(f"{number}.txt", "")
    assert len(stage.host.look().list_directory(stage.directory, limit=3)) == 3


def test_no_directory_and_a_link_cannot_be_listed(stage: Stage) -> None:
    stage.make_directory("sub")
    link = stage.link("link", f"{stage.directory}/sub")
    for path in (f"{stage.directory}/nothing", stage.write("a.txt", ""), link):
        with pytest.raises(HostError):
            stage.host.look().list_directory(path)


def test_text_is_cut_at_the_limit(stage: Stage) -> None:
    path = stage.write("a.txt", "x" * 100)
    assert stage.host.look().read_text(path, limit=10) == "x" * 10


def test_text_is_read_of_regular_files_only(stage: Stage) -> None:
    link = stage.link("link", stage.write("a.txt", "secret"))
    for path in (link, stage.make_directory("sub"), f"{stage.directory}/nothing"):
        with pytest.raises(HostError):
            stage.host.look().read_text(path)


# -- processes ------------------------------------------------------------------------------------------------------------


def test_a_process_is_in_the_table_as_it_is_alone(stage: Stage, process: Process) -> None:
    view = stage.host.look()
    assert view.processes()[process.pid].fingerprint == process.fingerprint
    assert process.name.startswith("python")
    assert view.command_line(process)[1] == "-c"
    assert "python" in view.executable(process)
    assert view.owner(process) == os.geteuid() or isinstance(stage, SimulatedStage)
    assert view.cgroup(process).startswith("/")
    used, limit = view.descriptors(process)
    assert 0 < used <= limit
    assert -20 <= view.niceness(process) <= 19
    assert wait_for(lambda: stage.host.look().sleeps(process), "the process to sleep once") > 0
    granted = view.memory_limit(process)
    assert granted is None or granted > 0


def test_a_process_that_is_gone_is_none_and_answers_nothing(stage: Stage, process: Process) -> None:
    stage.end_process(process.pid)
    view = stage.host.look()
    assert view.process(process.pid) is None
    assert process.pid not in view.processes()
    assert view.command_line(process) == ()
    assert view.executable(process) == ""
    for ask in (view.owner, view.cgroup, view.niceness, view.sleeps, view.memory_limit):
        with pytest.raises(ProcessGoneError):
            ask(process)
    with pytest.raises(HostError):
        view.descriptors(process)


def test_another_start_time_is_another_process(stage: Stage, process: Process) -> None:
    stranger = Process(process.pid, process.start_time - 1, 1, process.name, "S", 0.0, 0, 0)
    view = stage.host.look()
    assert view.command_line(stranger) == ()
    with pytest.raises(HostError):
        view.owner(stranger)


def test_a_look_does_not_change_and_the_next_one_does(stage: Stage, process: Process) -> None:
    path = stage.write("a.txt", "")
    view = stage.host.look()
    assert view.process(process.pid)
    assert view.file(path)
    stage.end_process(process.pid)
    stage.remove(path)
    assert view.process(process.pid)
    assert view.file(path)
    assert stage.host.look().process(process.pid) is None
    assert stage.host.look().file(path) is None


def test_listeners_are_found_by_port(stage: Stage) -> None:
    port, pid = stage.listen()
    assert stage.host.look().listeners(port) == [pid]
    assert list(stage.host.look().listeners(1)) == []


# -- services -------------------------------------------------------------------------------------------------------------


def test_a_recorded_service_is_found_while_it_is_the_same_process(stage: Stage, process: Process) -> None:
    assert stage.host.look().service_process("web") is None
    stage.record_service("web", process)
    found = stage.host.look().service_process("web")
    assert found is not None
    assert found.fingerprint == process.fingerprint
    stage.end_process(process.pid)
    assert stage.host.look().service_process("web") is None


def test_a_record_with_another_start_time_names_nobody(stage: Stage, process: Process) -> None:
    stage.record_service("web", Process(process.pid, process.start_time + 1, 1, "", "S", 0.0, 0, 0))
    assert stage.host.look().service_process("web") is None


def test_a_pidfile_that_only_its_owner_writes_is_believed(stage: Stage, process: Process) -> None:
    path = stage.write("web.pid", f"{process.pid}\n")
    found = stage.host.look().pidfile_process(path)
    assert found is not None
    assert found.fingerprint == process.fingerprint
    stage.end_process(process.pid)
    assert stage.host.look().pidfile_process(path) is None


def test_a_pidfile_that_others_may_write_needs_account_and_program(stage: Stage, process: Process) -> None:
    path = stage.write("web.pid", f"{process.pid}\n", 0o666)
    view = stage.host.look()
    user, program = str(view.owner(process)), view.executable(process)
    for given in ({}, {"user": user}, {"executable": program}):
        with pytest.raises(HostError):
            view.pidfile_process(path, **given)
    assert view.pidfile_process(path, user=user, executable=program)
    assert view.pidfile_process(path, user=user, executable="/usr/sbin/another") is None
    assert view.pidfile_process(path, user="65533", executable=program) is None


@pytest.mark.parametrize("content", ["", "garbage", "-1", "12; rm -rf /"])
def test_a_pidfile_with_nonsense_cannot_be_told(stage: Stage, content: str) -> None:
    with pytest.raises(HostError):
        stage.host.look().pidfile_process(stage.write("web.pid", content))


def test_no_pidfile_names_nobody(stage: Stage) -> None:
    assert stage.host.look().pidfile_process(f"{stage.directory}/none.pid") is None


# -- the rest -------------------------------------------------------------------------------------------------------------


def test_accounts_go_by_name_and_number(stage: Stage) -> None:
    view = stage.host.look()
    for ask in (view.user_id, view.group_id):
        assert ask("root") == 0
        assert ask("4711") == 4711
        for name in ("no-such-account", "", "-1", "99999999999"):
            with pytest.raises(HostError):
                ask(name)


def test_an_unknown_unit_is_none(stage: Stage) -> None:
    assert stage.host.look().unit("no-such-unit-anywhere.service") is None


def test_who_else_works_here_can_be_told(stage: Stage) -> None:
    view = stage.host.look()
    assert isinstance(view.package_transaction(), str)
    assert isinstance(view.configuration_run(), str)
    assert isinstance(view.cloud_init_pending(), bool)
    assert len(view.machine_id()) in (0, 32)


async def test_a_port_answers_or_refuses(stage: Stage) -> None:
    port, _ = stage.listen()
    view = stage.host.look()
    met = await view.tcp("127.0.0.1", port, 5.0)
    assert (met.ok, met.error) == (True, "")
    refused = await view.tcp("127.0.0.1", 1, 5.0)
    assert (refused.ok, refused.error) == (False, "refused")


async def test_a_unix_socket_answers_or_refuses(stage: Stage) -> None:
    path, view = stage.listen_at("daemon.sock"), stage.host.look()
    met = await view.unix_socket(path, 5.0)
    assert (met.ok, met.error) == (True, "")
    refused = [await view.unix_socket(f"{path}.none", 5.0)]
    refused += [await view.http(HttpRequest("http://localhost/", unix=f"{path}.none"), 5.0)]
    assert [(each.ok, each.error) for each in refused] == [(False, "refused"), (False, "refused")]


async def test_what_is_no_url_is_an_error_not_an_answer(stage: Stage) -> None:
    for url in ("file:///etc/passwd", "web", "http://"):
        with pytest.raises(HostError):
            await stage.host.look().http(HttpRequest(url), 5.0)


def test_probes_run_on_any_loop(stage: Stage) -> None:
    port, _ = stage.listen()
    for _ in range(2):
        assert asyncio.run(_answers(stage, port))


async def _answers(stage: Stage, port: int) -> bool:
    return (await stage.host.look().tcp("localhost", port, 5.0)).ok


def test_modes_hold_all_twelve_bits(stage: Stage) -> None:
    found = stage.host.look().file(stage.write("a.txt", "", 0o4755))
    assert found is not None
    assert found.mode == 0o755 | stat.S_ISUID


# -- contents -------------------------------------------------------------------------------------------------------------
def test_a_content_is_all_that_a_plain_file_holds(stage: Stage) -> None:
    path = stage.write("small", "declared\n")
    assert stage.host.look().content(path) == b"declared\n"
    assert stage.host.look().content(f"{path}.gone") is None
    stage.link("link", path)
    for other in (stage.directory, f"{stage.directory}/link"):
        with pytest.raises(HostError):
            stage.host.look().content(other)


def test_the_end_of_a_content_is_whole_lines(stage: Stage) -> None:
    path = stage.write("log", "one\ntwo\nthree\n")
    view = stage.host.look()
    assert view.content_end(path, 100) == b"one\ntwo\nthree\n"
    assert view.content_end(path, 12) == b"two\nthree\n" == view.content_end(path, 13)
    assert view.content_end(f"{path}.gone", 12) is None
    with pytest.raises(HostError):
        view.content_end(stage.directory, 12)


def test_what_is_not_kept_has_no_content(stage: Stage) -> None:
    with pytest.raises(StalePlanError):
        stage.host.look().kept_content("q-0123456789abcdef01234567")


def test_a_kernel_setting_that_is_not_there_is_none(stage: Stage) -> None:
    assert stage.host.look().kernel_setting("net.no_such.setting") is None
