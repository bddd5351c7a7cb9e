"""A source that is far behind is caught up by a worker: nothing is lost or counted twice, and it is told how far it is."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from chaos.simulation.host import SimulatedHost
from tests.support.asking import ask
from tests.support.engine_process import wait_for
from tests.unit.adapters.test_linux_logs_journal import Journal
from zen_agents.adapters import linux_logs_catch_up
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.adapters.linux_logs_journal import new_entries
from zen_agents.checks.log_catch_up import Written
from zen_agents.checks.log_source import LogSourceCheck
from zen_agents.clock import Instant
from zen_agents.logs.detection.absence import AbsenceRule
from zen_agents.logs.detection.counting import CountRule
from zen_agents.logs.detection.sequence import SequenceRule
from zen_agents.logs.formats.plain import Plain
from zen_agents.logs.formats.syslog import Syslog
from zen_agents.logs.watching.rule import PatternRule, Step
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host_logs import LogRequest

RULES = (
    PatternRule("hit", (Step(r"hit (?P<n>\d+)", {"level": "error"}),), CountRule(1, 3600.0, ("n",))),
    PatternRule("trace", (Step("KeyError"),), CountRule(2, 3600.0)),
    PatternRule("order", (Step("begin"), Step("end")), SequenceRule(2, 3600.0)),
    PatternRule("beat", (Step("heartbeat"),), AbsenceRule(600.0)),
)
TRACE = "2027-01-15T07:59:00Z ERROR hit 7\nTraceback (most recent call last):\n  File\nKeyError: 'hit 7'\n"
TIMES = 10_000
PLAIN = Written(Plain.name)


def child_processes(module: str) -> Sequence[int]:
    """Return the pids of those that this process started to run a module."""
    children = (pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split())
    return [int(pid) for pid in children if module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.fixture(autouse=True)
def _near(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let little be far behind."""
    monkeypatch.setattr("zen_agents.checks.log_source.FAR_BEHIND", 1 << 14)


class Source:
    """One source on a real host, looked at until something is so."""

    def __init__(self, tmp_path: Path) -> None:
        self.path = tmp_path / "app.log"
        self.path.write_text("")
        self.request = LogRequest(str(self.path), most_bytes=32 << 10, most_behind=1 << 30)
        self.host, self.seconds = LinuxHost(tmp_path / "state"), 0.0
        self.check = self.made()
        self.look()

    def made(self) -> LogSourceCheck:
        return LogSourceCheck(
            "app", request=self.request, form=Plain(), zone=UTC, rules=RULES, every_seconds=1.0, multiline=True,
            written=PLAIN,
        )  # fmt: skip

    def look(self) -> dict[str, Observation]:
        self.seconds += 1.0
        now = Instant(datetime.fromtimestamp(1_800_000_000 + self.seconds, UTC), self.seconds)
        return {found.name: found for found in self.check.observe(self.host.look(), now)}

    def look_until(self, is_so: Callable[[dict[str, Observation]], object]) -> dict[str, Observation]:
        """Return the first look of which this is so; the worker reads on meanwhile."""
        return wait_for(lambda: found if is_so(found := self.look()) else None, "what is looked for")

    def caught_up(self) -> dict[str, Observation]:
        return self.look_until(lambda found: found["log_source.app"].value == 0)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Source]:
    made = Source(tmp_path)
    yield made
    made.host.logs.close()


def test_a_worker_reads_on_and_what_it_finds_comes_in_with_how_far_it_is(source: Source) -> None:
    source.path.write_text(TRACE * TIMES + "begin\nheartbeat\n")
    first = source.look()["log_source.app"]
    assert first.value is not None and first.value > 1 << 14
    told = [source.look()["log_source.app"].detail]
    found = source.caught_up()
    assert "a worker reads on" in told[0]
    assert "are not read yet" in told[0]
    assert (found["pattern.hit"].value, found["pattern.trace"].value) == (TIMES, TIMES)
    assert found["pattern.trace"].status is Status.PROBLEM
    assert found["pattern.beat"].status is Status.OK
    with source.path.open("a") as log:
        log.write("end\n2027-01-15T08:00:00Z ERROR hit 8\n")
    found = source.look()
    assert found["pattern.order"].status is Status.PROBLEM, "its first step was seen by the worker"
    assert found["pattern.hit"].value == TIMES + 1


def test_a_worker_reads_the_journal_on_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, now = Journal(tmp_path), datetime.now(UTC)
    monkeypatch.setattr(new_entries, "__defaults__", (str(journal.program),))
    host, steady = LinuxHost(tmp_path / "state"), count(1.0)
    check = LogSourceCheck(
        "app", request=LogRequest(most_bytes=32 << 10), form=Syslog(), zone=UTC, rules=RULES[1:2], every_seconds=1.0,
        multiline=True, written=Written(Syslog.name),
    )  # fmt: skip

    def look() -> dict[str, Observation]:
        return {found.name: found for found in check.observe(host.look(), Instant(now, next(steady)))}

    journal.write("all is well", at=now.timestamp() - 4000)
    look()
    for number in range(1500):
        journal.write(f"request {number} failed\nKeyError: {number}", at=now.timestamp() - 3000 + number)
    said = set[str]()

    def is_through() -> bool:
        found = look()
        said.add(found["log_source.app"].detail.partition("a worker")[1])
        return found["pattern.trace"].value == 1500

    wait_for(is_through, "all of the journal")
    host.logs.close()
    assert "a worker" in said


def test_findings_come_in_before_it_is_through(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linux_logs_catch_up.CatchUps.__init__, "__defaults__", (0.01,))
    source.path.write_text(TRACE * TIMES)
    between = source.look_until(lambda found: "has read" in found["log_source.app"].detail and found["log_source.app"].value)
    assert 0 < (between["pattern.hit"].value or 0) < TIMES
    assert source.caught_up()["pattern.hit"].value == TIMES


def test_an_engine_that_ends_meanwhile_goes_on_from_before_and_counts_nothing_twice(source: Source) -> None:
    source.path.write_text(TRACE * TIMES)
    source.look()
    assert "a worker reads on" in source.look()["log_source.app"].detail
    kept = json.dumps(source.check.memory())
    source.host.logs.close()
    source.host, source.check = LinuxHost(source.path.parent / "state"), source.made()
    source.check.recall(json.loads(kept))
    found = source.caught_up()
    assert (found["pattern.hit"].value, found["pattern.trace"].value) == (TIMES, TIMES)


def test_a_rotation_meanwhile_loses_nothing(source: Source) -> None:
    source.path.write_text(TRACE * TIMES)
    source.look()
    source.path.rename(f"{source.path}.1")
    source.path.write_text("2027-01-15T07:59:00Z ERROR hit 9\n")
    assert source.caught_up()["pattern.hit"].value == TIMES + 1


def test_a_worker_that_fails_is_made_up_for_and_told_of(
    source: Source, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(linux_logs_catch_up, "_MOST_MEMORY", 8 << 20)
    source.path.write_text(TRACE * TIMES)
    found = source.caught_up()
    assert (found["pattern.hit"].value, found["pattern.trace"].value) == (TIMES, TIMES)
    assert "failed, and the check reads by itself: the worker ended with" in caplog.text


def test_where_no_worker_can_run_the_check_reads_by_itself() -> None:
    host = SimulatedHost()
    host.files.append("/var/log/app.log", TRACE * TIMES)
    request = LogRequest("/var/log/app.log", from_start=True, most_bytes=32 << 10)
    check = LogSourceCheck("app", request=request, form=Plain(), zone=UTC, rules=RULES, every_seconds=1.0, written=PLAIN)
    assert 0 < (ask(check, host)["pattern.hit"].value or 0) < TIMES
    assert "worker" not in ask(check, host)["log_source.app"].detail


def test_a_worker_stands_back_and_has_a_bound_on_its_memory(source: Source) -> None:
    source.path.write_text(TRACE * TIMES)
    source.look()
    (worker,) = child_processes("zen_agents.workers.log_catch_up")
    assert os.getpriority(os.PRIO_PROCESS, worker) >= 10
    assert resource.prlimit(worker, resource.RLIMIT_AS)[0] == 512 << 20
    source.caught_up()
