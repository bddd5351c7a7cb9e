"""Processes in uninterruptible sleep: known by getting no CPU time, told with their stack."""

from __future__ import annotations

from chaos.simulation.host import SimulatedHost
from zen_agents.checks.uninterruptible import UninterruptibleCheck
from zen_agents.model.observation import Observation, Status


def looked(check: UninterruptibleCheck, host: SimulatedHost, after: float = 30.0) -> Observation:
    host.advance(after)
    found, count = check.observe(host.look(), host.clock.now())
    assert (count.value == 0) is (found.status is Status.OK)
    return found


def test_a_process_that_gets_no_cpu_time_hangs_and_people_read_where(host: SimulatedHost) -> None:
    check = UninterruptibleCheck(held_for_seconds=60.0, every_seconds=30.0)
    pid = host.add_process("writer").process.pid
    host.change_process(pid, state="D")
    host.stacks[pid] = ("io_schedule", "folio_wait_bit", "ext4_sync_file")
    assert [looked(check, host).status for _ in range(3)] == [Status.OK, Status.OK, Status.PROBLEM]
    found = looked(check, host)
    assert found.detail == (
        f"process {pid} (writer) hangs for 1 min 30 s, in io_schedule < folio_wait_bit < ext4_sync_file. No signal reaches "
        "it: look at the disk or server that it waits for"
    )
    assert found.facts["stack"] == "io_schedule < folio_wait_bit < ext4_sync_file"
    host.change_process(pid, state="S")
    assert looked(check, host).status is Status.OK


def test_a_process_that_is_busy_with_a_disk_and_a_thread_of_the_kernel_do_not_hang(host: SimulatedHost) -> None:
    check = UninterruptibleCheck(held_for_seconds=60.0, every_seconds=30.0)
    busy = host.add_process("busy").process.pid
    host.add_process("kthreadd", pid=2, parent=0)
    thread = host.add_process("kworker", parent=2).process.pid
    host.change_process(thread, state="D")
    for seconds in range(5):
        host.change_process(busy, state="D", cpu_seconds=float(seconds))
        assert looked(check, host).status is Status.OK


def test_a_number_given_anew_begins_anew_and_a_stack_nobody_may_see_is_left_out(host: SimulatedHost) -> None:
    check = UninterruptibleCheck(held_for_seconds=60.0, every_seconds=30.0)
    pid = host.add_process("writer").process.pid
    host.change_process(pid, state="D")
    looked(check, host)
    looked(check, host)
    host.end_process(pid)
    host.add_process("writer", pid=pid)
    host.change_process(pid, state="D")
    assert looked(check, host).status is Status.OK
    looked(check, host)
    host.faults.fail("kernel_stack", times=2)
    assert looked(check, host).detail.startswith(f"process {pid} (writer) hangs for 1 min. No signal")
