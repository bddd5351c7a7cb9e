"""Whom the kernel ended for want of memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.simulation.host import SimulatedHost
from tests.support.asking import ask
from zen_agents.adapters.linux_view_kernel import Record
from zen_agents.adapters.linux_view_oom import kills, named
from zen_agents.checks.oom import OomCheck
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status


def oom() -> OomCheck:
    return OomCheck(every_seconds=15, shown_for_seconds=600)


def look(check: OomCheck, host: SimulatedHost) -> Observation:
    return ask(check, host)["oom.kills"]


def test_what_was_counted_before_the_engine_began_is_no_news(host: SimulatedHost) -> None:
    host.oom_victims = ["java (42)"] * 3
    check = oom()
    assert [look(check, host).status for _ in range(3)] == [Status.OK] * 3


def test_each_that_comes_is_told_by_name_and_is_over_after_its_time(host: SimulatedHost) -> None:
    check = oom()
    look(check, host)
    host.oom_victims += ["java (42)", "python3 (43)"]
    found = look(check, host)
    assert (found.status, found.value) == (Status.PROBLEM, 2)
    assert found.detail == "the kernel has ended 2 processes for want of memory: java (42), python3 (43)"
    host.advance(599)
    assert look(check, host).status is Status.PROBLEM
    host.oom_victims += ["cc1 (44)"]
    assert look(check, host).detail == "the kernel has ended a process for want of memory: cc1 (44)"
    host.advance(599)
    assert look(check, host).status is Status.PROBLEM
    host.advance(1)
    assert look(check, host).status is Status.OK


def test_where_the_log_may_not_be_read_it_is_told_without_names(host: SimulatedHost) -> None:
    check = oom()
    look(check, host)
    host.oom_victims += ["java (42)"]
    host.faults.fail("oom_victims", "not permitted")
    found = look(check, host)
    assert found.status is Status.PROBLEM
    assert found.detail.endswith("whom is not known: oom_victims: not permitted")


@pytest.mark.parametrize("text", ["", "oom_kill\n", "oom_kill many\n", "oom_kills 3\n"])
def test_a_kernel_that_does_not_count_cannot_tell(tmp_path: Path, text: str) -> None:
    (tmp_path / "vmstat").write_text(f"nr_free_pages 1\n{text}pgfault 5\n")
    with pytest.raises(HostError):
        kills(str(tmp_path))


def test_this_kernel_s_count_is_read(tmp_path: Path) -> None:
    (tmp_path / "vmstat").write_text("nr_free_pages 1\noom_kill 17\n")
    assert kills(str(tmp_path)) == 17
    assert kills("/proc") >= 0


def test_victims_are_named_in_the_words_of_old_and_new_kernels() -> None:
    said = [
        "Out of memory: Kill process 41 (old one) score 900 or sacrifice child",
        "oom_reaper: reaped process 41 (old one), now anon-rss:0kB",
        "Memory cgroup out of memory: Killed process 42 (java) total-vm:1kB, anon-rss:1kB",
        "Out of memory: Killed process 43 (rm -rf /) total-vm:1kB",
    ]
    log = [Record(3, number, text) for number, text in enumerate(said)]
    assert named(log, 2) == ["java (42)", "rm -rf / (43)"]
    assert named(log, 9) == ["old one (41)", "java (42)", "rm -rf / (43)"]
    assert named(log, 0) == []
