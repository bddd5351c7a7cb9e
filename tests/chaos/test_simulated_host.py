"""The simulated host behaves like a host, and the same way every time."""

from __future__ import annotations

import threading

import pytest

from chaos.simulation.host import SimulatedHost
from zen_agents.errors import ActionFailedError, HostError, RefusedError, StalePlanError, UnsafePathError
from zen_agents.ports.events import Wake, Watch
from zen_agents.ports.host_commands import Command, CommandResult
from zen_agents.ports.host_probes import HttpRequest


@pytest.fixture
def host() -> SimulatedHost:
    made = SimulatedHost()
    made.add_service("web", unit="web.service", port=8080, start_seconds=2.0, pidfile="/run/web.pid")
    return made


async def test_a_service_answers_once_it_has_started(host: SimulatedHost) -> None:
    host.start("web")
    starting = host.look().unit("web")
    assert starting is not None
    assert (starting.active_state, starting.busy) == ("activating", True)
    assert (await host.look().tcp("localhost", 8080, 1)).error == "refused"
    host.advance(2)
    assert (await host.look().http(HttpRequest("http://localhost:8080/"), 1)).ok
    found = host.look().pidfile_process("/run/web.pid")
    assert found is not None
    assert found.pid == host.services["web"].pid


async def test_a_service_that_hangs_lives_and_answers_nobody(host: SimulatedHost) -> None:
    host.start("web")
    host.advance(5)
    host.services["web"].hangs = True
    met = await host.look().tcp("localhost", 8080, 3)
    assert (met.error, met.seconds) == ("timeout", 3)
    assert host.look().process(host.services["web"].pid)


def test_a_crash_wakes_and_fails_the_unit(host: SimulatedHost) -> None:
    woken: list[Wake] = []
    host.start("web")
    process = host.look().process(host.services["web"].pid)
    assert process is not None
    host.events.open(woken.append)
    host.events.watch([Watch("process", "web", process.pid, process.start_time), Watch("unit", "web.service")])
    host.crash("web")
    assert [wake.subject for wake in woken] == [f"process:{process.fingerprint}", "unit:web.service"]
    unit = host.look().unit("web.service")
    assert unit is not None
    assert (unit.active_state, unit.result, unit.main_pid) == ("failed", "signal", 0)


def test_a_crash_loop_crashes_in_time_and_hits_the_start_limit(host: SimulatedHost) -> None:
    host.services["web"].crashes_after_seconds = 1.0
    for _ in range(5):
        assert host.start("web")
        host.advance(1)
        assert host.services["web"].active_state == "failed"
    assert not host.start("web")
    assert host.services["web"].result == "start-limit-hit"
    host.advance(10)
    assert host.start("web")


async def test_systemctl_restarts_what_it_knows(host: SimulatedHost) -> None:
    control = host.control()
    before = host.services["web"].pid
    result = await control.run(Command(("/usr/bin/systemctl", "--no-ask-password", "restart", "--", "web.service")))
    assert (result.exit_code, host.services["web"].pid != before) == (0, True)
    assert (await control.run(Command(("systemctl", "restart", "other.service")))).exit_code == 5
    host.services["web"].refuses_to_start = True
    assert (await control.run(Command(("systemctl", "restart", "web.service")))).exit_code == 1
    assert (await control.run(Command(("unknown",)))).exit_code == 127
    host.programs["unknown"] = lambda command: CommandResult(0, "done", False, 0.1)
    assert (await control.run(Command(("unknown",)))).output == "done"
    assert host.changes[0] == "run /usr/bin/systemctl --no-ask-password restart -- web.service"


async def test_a_service_of_a_command_is_started_and_stopped(host: SimulatedHost) -> None:
    host.add_service("job", command=("/opt/job",), ignores_term=True)
    process = await host.control().start_service("job", Command(("/opt/job",)))
    assert host.look().service_process("job") == process
    before = host.clock.now().steady
    assert await host.control().stop_process(process, timeout_seconds=7)
    assert host.clock.now().steady == before + 7
    with pytest.raises(StalePlanError):
        host.control().signal(process, 9)
    host.services["job"].refuses_to_start = True
    with pytest.raises(ActionFailedError):
        await host.control().start_service("job", Command(("/opt/job",)))


async def test_the_emergency_stop_refuses_every_change(host: SimulatedHost) -> None:
    control = host.control()
    control.stopped = True
    with pytest.raises(RefusedError):
        await control.run(Command(("systemctl", "stop", "web.service")))
    with pytest.raises(RefusedError):
        control.open_directory("/")
    assert host.changes == []


def test_a_fault_lasts_as_long_as_it_was_told_to(host: SimulatedHost) -> None:
    host.faults.fail("memory", "no /proc", times=2)
    for _ in range(2):
        view = host.look()
        for _ in range(2):
            with pytest.raises(HostError, match="no /proc"):
                view.memory()
    assert host.look().memory() == host.memory
    host.faults.answer("load", ("garbage",))
    assert host.look().load() == ("garbage",)
    host.faults.heal()
    assert host.look().load() == host.load


def test_a_hang_blocks_its_thread_until_released(host: SimulatedHost) -> None:
    released = host.faults.hang("disk_use")
    failed: list[HostError] = []

    def ask() -> None:
        try:
            host.look().disk_use("/")
        except HostError as error:
            failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert failed == []
    released.set()
    thread.join(20)
    assert len(failed) == 1


def test_a_disk_fills_by_itself_and_by_its_files(host: SimulatedHost) -> None:
    disk = host.files.add_disk("/srv", total_bytes=1000)
    host.files.add_directory("/srv")
    host.files.add_file("/srv/a", size=100)
    assert host.look().disk_use("/srv").free_bytes == 900
    host.files.fill("/srv", 95)
    assert host.look().disk_use("/srv").free_bytes == 50
    disk.grows_per_second = 10 / host.clock.now().steady
    assert host.look().disk_use("/srv").free_bytes == 40


def test_cpu_use_is_what_it_was_told_to_be(host: SimulatedHost) -> None:
    before = host.look().cpu_times()
    host.use_cpu(75)
    host.advance(10)
    after = host.look().cpu_times()
    assert (after.busy - before.busy) / (after.busy - before.busy + after.idle - before.idle) == pytest.approx(0.75)


def test_files_are_changed_only_as_they_were_seen(host: SimulatedHost) -> None:
    seen = host.files.add_file("/tmp/app/old", "x" * 10)
    host.files.add_link("/tmp/app/link", "/etc")
    with host.control().open_directory("/tmp/app") as directory:
        link = next(entry for entry in directory.entries() if entry.kind == "link")
        with pytest.raises(UnsafePathError):
            directory.remove(link)
        with pytest.raises(UnsafePathError), directory.enter("link"):
            pass
        assert directory.copy_out(seen, "copy", compress=True) == 10
        directory.truncate(seen)
        with pytest.raises(StalePlanError):
            directory.remove(seen)
        now = host.look().file("/tmp/app/old")
        assert now is not None
        directory.quarantine(now, action="act-1")
    assert host.look().file("/tmp/app/old") is None
    assert [change.split()[0] for change in host.changes] == ["copy", "truncate", "quarantine"]


def test_the_same_seed_and_steps_give_the_same_run() -> None:
    def run() -> tuple[object, ...]:
        host = SimulatedHost(seed=3)
        host.add_service("web", unit="web.service")
        for _ in range(20):
            host.advance(host.random.uniform(0, 5))
            host.start("web")
            if host.random.random() < 0.5:
                host.crash("web")
        return tuple(host.look().processes()), host.look().unit("web"), host.clock.now()

    assert run() == run()
