"""Studies of a real log through a real host: what a killed engine had not kept is read again, and counts once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.checks.log_latency import LogLatencyCheck
from zen_agents.checks.log_study import LogStudyCheck
from zen_agents.checks.log_templates import LogTemplatesCheck
from zen_agents.clock import Instant
from zen_agents.logs.formats.logfmt import Logfmt
from zen_agents.logs.formats.plain import Plain
from zen_agents.logs.watching.latency import LatencyRule, Limits
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host_logs import LogRequest

BEGAN = 1_800_000_000


class Studied:
    """A log, and a check that studies it; `restart` goes on in a new engine from what was kept."""

    def __init__(self, path: Path, make: Callable[[LogRequest], LogStudyCheck], most_bytes: int = 1 << 20) -> None:
        self.path, self._make, self._seconds = path, make, 0.0
        self._request = LogRequest(str(path), most_bytes=most_bytes, most_behind=8 << 20)
        self.restart(kept=None)

    def restart(self, kept: str | None) -> None:
        self._host = LinuxHost(self.path.parent.parent / "state")
        self.check = self._make(self._request)
        if kept is not None:
            self.check.recall(json.loads(kept))

    def look(self, after: float = 10.0) -> dict[str, Observation]:
        self._seconds += after
        now = Instant(datetime.fromtimestamp(BEGAN + self._seconds, UTC), self._seconds)
        return {found.name: found for found in self.check.observe(self._host.look(), now)}

    def write(self, *lines: str) -> None:
        with self.path.open("a") as log:
            log.writelines(f"{line}\n" for line in lines)


def templates(request: LogRequest) -> LogStudyCheck:
    return LogTemplatesCheck("app", request=request, form=Plain(), zone=UTC, learn_seconds=15.0, every_seconds=5.0)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "log").mkdir()
    path = tmp_path / "log" / "app.log"
    path.touch()
    return path


def test_a_new_kind_of_line_is_a_problem_after_a_killed_engine_and_a_rotation_as_well(log: Path) -> None:
    app = Studied(log, templates)
    app.write("before anybody looked")
    app.look()
    app.write("request took 5 ms")
    app.look(after=2.0)
    app.look(after=301.0)
    kept = json.dumps(app.check.memory())
    for _ in range(2):
        app.write("request took 6 ms", "\x1b[2Jout of disks")
        found = app.look()["new_template.app"]
        assert (found.status, found.value, found.target) == (Status.PROBLEM, 1.0, "source:app")
        assert found.facts == {"line 1": "\x1b[2Jout of disks"}
        app.restart(kept)
        log.rename(f"{log}.1")


def test_what_it_learned_from_is_no_news_where_it_is_read_again(log: Path) -> None:
    app = Studied(log, templates)
    app.look()
    kept = json.dumps(app.check.memory())
    app.write("while it learns")
    app.restart(kept)
    assert app.look(after=30.0)["new_template.app"].status is Status.OK
    app.write("after that")
    assert app.look()["new_template.app"].status is Status.PROBLEM


def test_durations_count_once_after_a_killed_engine_as_well(log: Path) -> None:
    rule = LatencyRule(window=600.0, least=3, limits=Limits(p50=0.1), routes={})
    app = Studied(log, lambda request: LogLatencyCheck(
        "app", request=request, form=Logfmt(), zone=UTC, rule=rule, every_seconds=5.0
    ))  # fmt: skip
    app.look()
    kept = json.dumps(app.check.memory())
    for count in (3, 6):
        app.write(*["path=/orders/7 method=GET duration_ms=250 status=200"] * 3)
        found = app.look()["latency.app"]
        assert found.status is Status.PROBLEM
        assert found.detail.endswith(f"100 ms at most ({count} requests)")
        app.restart(kept)


def test_what_is_remembered_is_made_no_more_often_than_every_five_minutes(log: Path) -> None:
    app = Studied(log, templates)
    app.look()
    first = app.check.memory()
    app.write("one")
    app.look()
    assert app.check.memory() is first
    app.look(after=300.0)
    assert app.check.memory() is not first


def test_how_far_behind_it_is_and_what_was_left_out_is_told(log: Path) -> None:
    slow = Studied(log, templates, most_bytes=256 << 10)
    slow.look()
    slow.write(*[f"took {number} ms {'x' * 1000}" for number in range(2000)])
    assert "are not read yet" in slow.look()["new_template.app"].detail
    slow.write(*[f"took {number} ms {'x' * 1000}" for number in range(12_000)])
    assert "were left out, but for samples" in slow.look()["new_template.app"].detail


def test_of_a_log_that_cannot_be_read_nothing_is_known(log: Path) -> None:
    log.unlink()
    log.mkdir()
    found = Studied(log, templates).look()
    assert [each.status for each in found.values()] == [Status.UNKNOWN] * 3


def test_its_names_are_those_it_observes(log: Path) -> None:
    app = Studied(log, templates)
    assert app.check.observes == tuple(app.look()) == ("new_template.app", "vanished_template.app", "template_burst.app")


@pytest.mark.parametrize("memory", [{}, {"checkpoint": 3, "study": []}, {"study": {"watch": {"templates": 1}}}])
def test_what_cannot_have_been_remembered_is_no_ground_to_fail(log: Path, memory: dict[str, object]) -> None:
    app = Studied(log, templates)
    app.check.recall(memory)
    assert {each.status for each in app.look().values()} == {Status.OK}


def test_a_traceback_is_one_kind_of_line_also_where_a_restart_cuts_it(log: Path) -> None:
    app = Studied(log, lambda request: LogTemplatesCheck(
        "app", request=request, form=Plain(), zone=UTC, learn_seconds=15.0, every_seconds=5.0, multiline=True
    ))  # fmt: skip
    app.look()
    app.write("ERROR request failed", "Traceback (most recent call last):")
    assert app.look(after=301.0)["new_template.app"].status is Status.OK, "more of it may come"
    app.restart(json.dumps(app.check.memory()))
    app.write('  File "app.py", line 3, in get', "KeyError: 'x'", "all is well")
    app.look()
    found = app.look()["new_template.app"]
    assert found.status is Status.PROBLEM
    assert [line.partition(" ")[0] for line in found.facts.values()] == ["ERROR", "all"]


def test_a_statement_over_several_lines_is_one(log: Path) -> None:
    rule = LatencyRule(window=600.0, least=3, limits=Limits(), routes={}, slow_query=1.0)
    app = Studied(log, lambda request: LogLatencyCheck(
        "app", request=request, form=Plain(), zone=UTC, rule=rule, every_seconds=5.0, multiline=True
    ))  # fmt: skip
    app.look()
    app.write("2027-01-15 08:00:00 UTC [7] LOG:  duration: 2500.000 ms  statement: SELECT a -- all of it")
    app.write("\tFROM orders", "\tWHERE id = 7", "2027-01-15 08:00:01 UTC [7] LOG:  checkpoint starting: time")
    app.look()
    assert app.look()["slow_query.app"].detail.endswith("SELECT a FROM orders WHERE id = ?")
