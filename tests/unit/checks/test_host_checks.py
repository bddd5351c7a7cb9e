"""CPU, load, memory, stalls, disks, clock and the engine itself."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from chaos.simulation.host import SimulatedHost
from tests.support.asking import ask
from zen_agents.checks.clock_step import ClockCheck
from zen_agents.checks.cpu import CpuCheck
from zen_agents.checks.disk import NOT_FILLING_HOURS, DiskCheck, mount_of, slope
from zen_agents.checks.engine_health import EngineCheck
from zen_agents.checks.load import LoadCheck
from zen_agents.checks.memory import MemoryCheck
from zen_agents.checks.pressure import PressureCheck
from zen_agents.model.observation import Status
from zen_agents.ports.events import Watch
from zen_agents.ports.host_resources import Memory, Pressure

OK, PROBLEM, UNKNOWN = Status.OK, Status.PROBLEM, Status.UNKNOWN
GIB = 1 << 30


def test_the_first_look_at_the_cpu_cannot_tell_and_the_second_can(host: SimulatedHost) -> None:
    check = CpuCheck(every_seconds=15)
    host.use_cpu(90)
    first = ask(check, host)
    host.advance(15)
    second = ask(check, host)
    assert first["cpu.percent"].status is UNKNOWN
    assert second["cpu.percent"].value == pytest.approx(90)
    assert second["cpus"].value == 4


def test_two_looks_at_once_do_not_make_a_percentage_and_do_not_spoil_the_next(host: SimulatedHost) -> None:
    check = CpuCheck(every_seconds=15)
    ask(check, host)
    host.advance(0.01)
    too_soon = ask(check, host)
    host.use_cpu(50)
    host.advance(15)
    later = ask(check, host)
    assert too_soon["cpu.percent"].status is UNKNOWN
    assert later["cpu.percent"].value == pytest.approx(50, abs=0.1)


def test_cpu_counters_that_go_back_are_no_percentage(host: SimulatedHost) -> None:
    check = CpuCheck(every_seconds=15)
    ask(check, host)
    host.faults.answer("cpu_times", replace(host.cpu_times(), busy=0.0))
    assert ask(check, host)["cpu.percent"].status is UNKNOWN


def test_load_is_measured_as_it_is(host: SimulatedHost) -> None:
    host.load = (3.5, 2.5, 1.5)
    found = ask(LoadCheck(every_seconds=15), host)
    assert [found[name].value for name in ("load1", "load5", "load15")] == [3.5, 2.5, 1.5]


def test_used_memory_is_total_less_available(host: SimulatedHost) -> None:
    host.memory = Memory(8 * GIB, 2 * GIB, 4 * GIB, 1 * GIB)
    found = ask(MemoryCheck(every_seconds=15), host)
    assert found["memory.percent"].value == 75
    assert found["memory.available"].value == 2 * GIB
    assert found["swap.percent"].value == 75


def test_a_host_without_swap_space_uses_none_of_it(host: SimulatedHost) -> None:
    host.memory = Memory(8 * GIB, 2 * GIB, 0, 0)
    assert ask(MemoryCheck(every_seconds=15), host)["swap.percent"].value == 0


@pytest.mark.parametrize("total, available", [(0, 0), (-1, 0), (8, 9), (8, -1)])
def test_memory_that_cannot_be_is_unknown(host: SimulatedHost, total: int, available: int) -> None:
    host.memory = Memory(total, available, 0, 0)
    assert ask(MemoryCheck(every_seconds=15), host)["memory.percent"].status is UNKNOWN


def test_a_kernel_without_stall_information_cannot_tell_and_is_not_watched(host: SimulatedHost) -> None:
    check = PressureCheck(every_seconds=15, wake_on=["memory", "io"])
    host.pressure["memory"] = Pressure(1, 2, 3, 4, 5, 6)
    del host.pressure["io"]
    found = ask(check, host)
    assert (found["pressure.memory.some60"].value, found["pressure.memory.full60"].value) == (2, 5)
    assert found["pressure.io.full60"].status is UNKNOWN
    assert check.watches() == (Watch("pressure", "memory"),)


def test_a_disk_tells_bytes_inodes_and_whether_it_is_read_only(host: SimulatedHost) -> None:
    disk = host.files.add_disk("/srv", total_bytes=100 * GIB, read_only=True)
    host.files.fill("/srv", 91)
    disk.foreign_inodes = 500_000
    found = ask(DiskCheck(path="/srv", every_seconds=60), host)
    assert found["disk.percent"].value == pytest.approx(91)
    assert found["disk.inodes_percent"].value == pytest.approx(50)
    assert found["disk.free"].value == pytest.approx(9 * GIB)
    assert found["disk.percent"].target == "disk:/srv"
    assert found["disk.percent"].facts["read_only"] == "yes"


def test_a_file_system_without_a_fixed_number_of_inodes_never_runs_out_of_them(host: SimulatedHost) -> None:
    host.files.add_disk("/srv", total_bytes=GIB).total_inodes = 0
    assert ask(DiskCheck(path="/srv", every_seconds=60), host)["disk.inodes_percent"].value == 0


def test_the_time_to_full_needs_ten_minutes_of_looks(host: SimulatedHost) -> None:
    check = DiskCheck(path="/", every_seconds=60)
    seen = []
    for _ in range(12):
        seen.append(ask(check, host)["disk.hours_to_full"].status)
        host.advance(60)
    assert seen == [UNKNOWN] * 10 + [OK] * 2


def test_a_disk_that_fills_says_when_it_will_be_full(host: SimulatedHost) -> None:
    disk = host.files.add_disk("/srv", total_bytes=100 * GIB)
    host.files.fill("/srv", 40)
    check = DiskCheck(path="/srv", every_seconds=60)
    for _ in range(40):
        disk.foreign_bytes += GIB // 60  # one GiB an hour
        found = ask(check, host)["disk.hours_to_full"]
        host.advance(60)
    free_hours = (100 * GIB - disk.foreign_bytes) / GIB
    assert found.value == pytest.approx(free_hours, rel=0.02)


def test_a_disk_that_does_not_fill_is_never_nearly_full(host: SimulatedHost) -> None:
    check = DiskCheck(path="/", every_seconds=60)
    for _ in range(15):
        found = ask(check, host)["disk.hours_to_full"]
        host.advance(60)
    assert found.value == NOT_FILLING_HOURS


def test_a_disk_of_another_size_starts_a_new_slope(host: SimulatedHost) -> None:
    disk = host.files.add_disk("/srv", total_bytes=100 * GIB)
    check = DiskCheck(path="/srv", every_seconds=60)
    for _ in range(15):
        ask(check, host)
        host.advance(60)
    disk.total_bytes = 50 * GIB
    assert ask(check, host)["disk.hours_to_full"].status is UNKNOWN


def test_a_disk_without_any_room_is_no_data(host: SimulatedHost) -> None:
    host.files.add_disk("/proc", total_bytes=0)
    assert {found.status for found in ask(DiskCheck(path="/proc", every_seconds=60), host).values()} == {UNKNOWN}


def test_a_path_belongs_to_the_longest_mount_that_holds_it(host: SimulatedHost) -> None:
    host.files.add_disk("/srv", total_bytes=1)
    host.files.add_disk("/srv/data", total_bytes=1)
    mounts = host.files.mounts()
    paths = ("/srv/data/x", "/srv/database", "/etc")
    assert [mount.path for path in paths if (mount := mount_of(path, mounts))] == ["/srv/data", "/srv", "/"]


def test_the_slope_of_a_line_is_its_slope_and_of_one_point_nothing() -> None:
    assert slope([(x, 3.0 * x + 7) for x in range(10)]) == pytest.approx(3.0)
    assert slope([(1.0, 5.0), (1.0, 9.0)]) == 0.0


@pytest.mark.parametrize("jump", [86_400.0, -86_400.0, 31.0])
def test_setting_the_clock_shows_once(host: SimulatedHost, jump: float) -> None:
    check = ClockCheck(every_seconds=15)
    seen = [ask(check, host)["clock.step_seconds"]]
    host.advance(15)
    host.clock.jump_wall(jump)
    seen.append(ask(check, host)["clock.step_seconds"])
    host.advance(15)
    seen.append(ask(check, host)["clock.step_seconds"])
    assert [found.status for found in seen] == [UNKNOWN, OK, OK]
    assert seen[1].value == pytest.approx(jump)
    assert seen[2].value == 0


class Feeling:
    def __init__(self, *, lag: float = 0.0, writable: bool = True) -> None:
        self.lag, self.writable = lag, writable

    def loop_lag_seconds(self) -> float:
        return self.lag

    def store_writable(self) -> bool:
        return self.writable


def test_the_engine_tells_its_weight_its_cpu_and_its_lag(host: SimulatedHost) -> None:
    pid = host.add_process("python3").process.pid
    check = EngineCheck(every_seconds=15, vitals=Feeling(lag=0.25), pid=pid)
    first = ask(check, host)
    host.advance(10)
    host.change_process(pid, cpu_seconds=0.5, resident_bytes=45 << 20)
    second = ask(check, host)
    assert first["engine.cpu_percent"].status is UNKNOWN
    assert second["engine.cpu_percent"].value == pytest.approx(5)
    assert second["engine.rss"].value == 45 << 20
    assert second["engine.loop_lag"].value == 0.25
    assert second["engine.store_writable"].status is OK


def test_a_state_that_cannot_be_written_is_a_problem(host: SimulatedHost) -> None:
    check = EngineCheck(every_seconds=15, vitals=Feeling(writable=False), pid=os.getpid())
    assert ask(check, host)["engine.store_writable"].status is PROBLEM
