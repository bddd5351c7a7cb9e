"""Following a real log through every way to rotate it: each line counts once, whatever is killed in between."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.checks.log_source import LogSourceCheck
from zen_agents.clock import Instant
from zen_agents.logs.detection.absence import AbsenceRule
from zen_agents.logs.detection.counting import CountRule
from zen_agents.logs.formats.plain import Plain
from zen_agents.logs.watching.rule import PatternRule, Step
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host_logs import LogRequest

RULE = PatternRule("hit", (Step(r"hit (?P<n>\d+)"),), CountRule(1, 3600.0))


class Follower:
    """A check over a real host, looked at again and again; each look may be the first of a new engine."""

    def __init__(
        self,
        path: Path,
        *,
        rules: Sequence[PatternRule] = (RULE,),
        most_bytes: int = 1 << 20,
        behind: int = 1 << 28,
        step_seconds: float = 1.0,
    ) -> None:
        self.path, self._state = path, path.parent.parent / "state"
        self._request = LogRequest(str(path), most_bytes=most_bytes, most_behind=behind)
        self._rules, self._seconds, self._step = rules, 0.0, step_seconds
        self.restart(kept=None)

    def restart(self, kept: str | None = "") -> None:
        """Go on in a new engine, from what the one before left in the state."""
        kept = json.dumps(self.check.memory()) if kept == "" else kept
        self._host = LinuxHost(self._state)
        self.check = LogSourceCheck(
            "app", request=self._request, form=Plain(), zone=UTC, rules=self._rules, every_seconds=1.0
        )
        if kept is not None:
            self.check.recall(json.loads(kept))

    def look(self) -> dict[str, Observation]:
        self._seconds += self._step
        now = Instant(datetime.fromtimestamp(1_800_000_000 + self._seconds, UTC), self._seconds)
        return {found.name: found for found in self.check.observe(self._host.look(), now)}

    def glance(self, seconds: float = 0.01) -> bool:
        self._seconds += seconds
        now = Instant(datetime.fromtimestamp(1_800_000_000 + self._seconds, UTC), self._seconds)
        return self.check.glance(self._host.look(), now)

    def pass_time(self, seconds: float) -> None:
        self._seconds += seconds

    def lines(self) -> float | None:
        return self.look()["pattern.hit"].value

    def write(self, *numbers: int) -> None:
        with self.path.open("a") as log:
            log.writelines(f"hit {number}\n" for number in numbers)


@pytest.fixture
def follower(tmp_path: Path) -> Follower:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "app.log").write_text("hit 0, before anybody looked\n")
    made = Follower(tmp_path / "log" / "app.log")
    assert made.lines() == 0
    return made


def renamed(path: Path) -> None:
    path.rename(f"{path}.1")
    path.touch()


def copied_and_truncated(path: Path) -> None:
    Path(f"{path}.1").write_bytes(path.read_bytes())
    path.write_bytes(b"")


def compressed(path: Path) -> None:
    Path(f"{path}.1.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.rename(f"{path}.0")
    Path(f"{path}.0").unlink()
    path.touch()


@pytest.mark.parametrize("restarts", [False, True], ids=["one engine", "a new engine each time"])
@pytest.mark.parametrize("rotate", [renamed, copied_and_truncated, compressed])
def test_each_line_counts_once_over_a_rotation(follower: Follower, rotate: Callable[[Path], None], restarts: bool) -> None:
    follower.write(1, 2)
    assert follower.lines() == 2
    follower.write(3)
    if restarts:
        follower.restart()
    rotate(follower.path)
    follower.write(4, 5)
    assert follower.lines() == 5
    if restarts:
        follower.restart()
    follower.write(6)
    assert follower.lines() == 6


def test_what_was_found_but_never_kept_is_found_again_and_counted_once(follower: Follower) -> None:
    follower.write(1)
    follower.look()
    kept = json.dumps(follower.check.memory())
    follower.write(2, 3)
    assert follower.lines() == 3
    follower.restart(kept)
    assert follower.lines() == 3


def test_a_log_that_nobody_wrote_to_is_not_remembered_anew(follower: Follower) -> None:
    follower.write(1)
    follower.look()
    before = follower.check.memory()
    follower.look()
    assert follower.check.memory() is before


def test_a_line_without_its_end_waits_for_it(follower: Follower) -> None:
    with follower.path.open("a") as log:
        log.write("hit 1")
        log.flush()
        assert follower.lines() == 0
        log.write("1\n")
        log.flush()
        assert follower.lines() == 1


def test_a_log_that_is_gone_is_told_and_is_read_when_it_is_back(follower: Follower) -> None:
    follower.path.unlink()
    found = follower.look()["log_source.app"]
    assert (found.status, found.detail.partition(";")[0]) == (Status.PROBLEM, f"{follower.path} is not there")
    follower.write(1)
    assert follower.lines() == 1
    assert follower.look()["log_source.app"].status is Status.OK


def test_of_what_cannot_be_read_nothing_is_known(follower: Follower) -> None:
    follower.path.unlink()
    follower.path.mkdir()
    assert {each.status for each in follower.look().values()} == {Status.UNKNOWN}


def test_how_far_behind_it_is_and_what_was_left_out_is_told(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    slow = Follower(tmp_path / "log" / "app.log", most_bytes=256 << 10, behind=8 << 20)
    slow.path.touch()
    slow.look()
    with slow.path.open("a") as log:
        log.writelines(f"hit {number} {'x' * 1000}\n" for number in range(2000))
    found = slow.look()["log_source.app"]
    assert found.value is not None
    assert found.value > 0
    assert "are not read yet" in found.detail
    with slow.path.open("a") as log:
        log.writelines(f"miss {number} {'x' * 1000}\n" for number in range(12_000))
    skipped = slow.look()["log_source.app"]
    assert skipped.status is Status.PROBLEM
    assert "it grows faster than it is read" in skipped.detail
    # That it has come to the end by then is no ground not to tell anybody; it is over after a while.
    while (later := slow.look()["log_source.app"]).value:
        assert later.status is Status.PROBLEM
    assert later.status is Status.PROBLEM
    assert "were looked at" in later.detail
    slow.pass_time(301.0)
    assert slow.look()["log_source.app"].status is Status.OK


def test_hostile_lines_are_data(follower: Follower) -> None:
    with follower.path.open("ab") as log:
        log.write(b"\x1b[2J\xff\xfe\x00 hit 1\n" + b"A" * (1 << 20) + b"hit 2\n" + b"hit 3 please run rm -rf /\n")
    found = follower.look()["pattern.hit"]
    assert (found.value, found.status) == (2, Status.PROBLEM)
    assert "please run rm -rf /" in found.detail


def test_its_files_wake_it(follower: Follower) -> None:
    assert [(watch.kind, watch.name) for watch in follower.check.watches()] == [("log", str(follower.path))]
    assert follower.check.watches() is follower.check.watches()


@pytest.mark.parametrize(
    "memory", [{}, {"checkpoint": 3, "patterns": []}, {"checkpoint": {"files": 7}, "patterns": {"hit": 1}}]
)
def test_what_cannot_have_been_remembered_is_no_ground_to_fail(follower: Follower, memory: dict[str, object]) -> None:
    follower.check.recall(memory)
    assert follower.look()["log_source.app"].status is Status.OK


def test_lines_of_which_nothing_came_are_remembered_seldom_and_counted_again_after_a_restart(tmp_path: Path) -> None:
    """Writing everything that was counted at each look would cost more than counting it; what is told is written at once."""
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "app.log").touch()
    rule = PatternRule("hit", (Step(r"hit \d+"),), CountRule(4, 3600.0))
    follower = Follower(tmp_path / "log" / "app.log", rules=(rule,), step_seconds=0.25)
    follower.look()
    follower.write(1)
    assert follower.lines() == 1
    first = follower.check.memory()
    follower.write(2)
    assert follower.lines() == 2
    assert follower.check.memory() is first
    follower.restart()
    assert follower.lines() == 2
    follower.write(3, 4)
    assert follower.look()["pattern.hit"].status is Status.PROBLEM
    follower.restart()
    assert follower.look()["pattern.hit"].value == 4
    follower.write(5)
    assert follower.lines() == 5
    follower.pass_time(15)
    assert follower.lines() == 5
    assert json.loads(json.dumps(follower.check.memory()))["patterns"]["hit"]["lines"] == 5


# -- glances between two looks ----------------------------------------------------------------------------------------
THREE = PatternRule("hit", (Step(r"hit (?P<n>\d+)"),), CountRule(3, 3600.0, ("n",)))


def test_a_glance_takes_lines_in_and_asks_for_a_look_only_where_they_are_news(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "app.log").touch()
    follower = Follower(tmp_path / "log" / "app.log", rules=[THREE])
    assert follower.glance(), "nothing was looked at yet"
    assert follower.lines() == 0
    follower.write(1, 2, 1)
    assert not follower.glance()
    follower.write(1)
    assert follower.glance()
    follower.write(3)
    assert not follower.glance(), "it is asked for already"
    assert follower.check.glanced_seconds() > 0
    assert follower.check.glanced_seconds() == 0
    found = follower.look()["pattern.hit"]
    assert (found.status, found.value) == (Status.PROBLEM, 5)


def test_while_something_is_found_a_log_that_is_written_to_is_looked_at_again(follower: Follower) -> None:
    follower.write(1)
    follower.look()
    follower.write(2)
    assert not follower.glance(0.5)
    follower.write(3)
    assert follower.glance(0.6)


def test_what_a_glance_sees_of_the_file_itself_is_told_by_the_look(follower: Follower) -> None:
    follower.write(1)
    follower.look()
    renamed(follower.path)
    follower.write(2)
    assert follower.glance()
    assert "rotated" in follower.look()["log_source.app"].detail


def test_what_was_only_glanced_at_is_found_again_after_a_restart_and_counted_once(follower: Follower) -> None:
    kept = json.dumps(follower.check.memory())
    follower.write(1, 2)
    follower.glance()
    follower.restart(kept)
    follower.glance()
    assert follower.lines() == 2
    follower.check.recall(json.loads(kept))
    assert follower.glance(), "it goes on from what it was given at a look"
    assert follower.lines() == 2


def test_a_silence_says_for_how_long_it_lasts_and_when_the_last_line_came(tmp_path: Path) -> None:
    log = tmp_path / "log" / "app.log"
    log.parent.mkdir()
    log.touch()
    beat = PatternRule("beat", (Step("beat"),), AbsenceRule(600.0))
    follower = Follower(log, rules=(beat,), step_seconds=400.0)
    assert [follower.look()["pattern.beat"].detail for _ in range(3)][-1] == "no line for more than 10 min"
    with log.open("a") as file:
        file.write("2027-01-15T08:20:30Z beat 7\n")
    assert [follower.look()["pattern.beat"].detail for _ in range(4)][-1] == (
        "no line for more than 10 min; the last one, of 2027-01-15 08:20:30 UTC: 2027-01-15T08:20:30Z beat 7"
    )


def test_it_rests_when_a_look_found_nothing_new_and_only_lines_can_change_that(follower: Follower) -> None:
    follower.write(1)
    follower.look()
    assert follower.check.rest_seconds == 0.0, "something is found, which time ends"
    quiet = Follower(follower.path, rules=(replace(RULE, detects=CountRule(5, 60.0)),))
    quiet.look()
    quiet.look()
    assert quiet.check.rest_seconds == 60.0
    quiet.write(2)
    quiet.look()
    assert quiet.check.rest_seconds == 0.0, "it has just grown"
    quiet.look()
    assert quiet.check.rest_seconds == 60.0
    quiet.path.unlink()
    quiet.look()
    assert quiet.check.rest_seconds == 0.0, "it is gone"


def test_what_waits_for_a_line_that_does_not_come_does_not_rest(follower: Follower) -> None:
    waiting = Follower(follower.path, rules=(replace(RULE, detects=AbsenceRule(600.0)),))
    for _ in range(3):
        waiting.look()
    assert waiting.check.rest_seconds == 0.0


def test_the_first_write_after_a_rest_is_worth_a_look_so_that_it_is_remembered(follower: Follower) -> None:
    quiet = Follower(follower.path, rules=(replace(RULE, detects=CountRule(5, 60.0)),))
    quiet.look()
    quiet.look()
    quiet.write(1)
    assert quiet.glance(30.0)


def test_a_pattern_rests_and_watches_for_further_files(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    for name in ("a.log", "b.log"):
        (tmp_path / "log" / name).write_text("line\n")
    follower = Follower(tmp_path / "log" / "*.log")
    follower.look()
    follower.look()
    assert follower.check.rest_seconds == 60.0
    assert [Path(watch.name).name for watch in follower.check.watches()] == ["a.log", "b.log", "*.log"]
