"""`replay`: a configuration on the recorded past, from the command line."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command_line import HOSTILE, Done, WrittenState
from tests.support.state import locked
from zen_agents.engine.recorder import Recorder
from zen_agents.model.observation import BETWEEN, Observation, Status

HOUR = 3600.0
_CPU = "system_health.cpu"


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WrittenState:
    for name in ("ZEN_AGENTS_STATE_DIR", "ZEN_AGENTS_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    return WrittenState(tmp_path / "state")


class Past:
    """What an engine recorded: it lives from `began` on, a look every fifteen seconds."""

    def __init__(self, state: WrittenState, tmp_path: Path) -> None:
        self.state, self.config = state, tmp_path / "new.yaml"
        self.now = state.clock.now()
        self.recorder = Recorder(state.store, lambda: 0, lambda: None)
        self.uploads = tmp_path / "uploads"
        self.write("cpu_threshold: 80")

    def write(self, health: str, rest: str = "") -> None:
        self.config.write_text(
            f"version: 1\n{rest}agents:\n  system_health:\n    {health}\n    paths:\n"
            f"      uploads: {{path: {self.uploads}, kind: directory, mode: '0755', owner: root, group: root,"
            " create: true}\n"
        )

    def live(self, since: float, until: float, cpu: Callable[[float], float] = lambda _: 10.0,
             uploads: Callable[[float], Status] = lambda _: Status.OK) -> None:  # fmt: skip
        """Record from so many seconds ago to so many seconds ago; the functions are given the same."""
        ago = since
        while ago > until:
            at = self.now.after(-ago)
            seen = [
                Observation("cpu.percent", "host", Status.OK, at, cpu(ago)),
                Observation("path.uploads", "path:uploads", uploads(ago), at, None, HOSTILE),
            ]
            self.recorder.observed(seen)
            self.recorder.took("system_health", at, 0.01, 0.01, 2)
            ago -= 15.0

    def alerted(self, ago: float, *, rule: str = _CPU, target: str = "host") -> None:
        at = self.now.after(-ago)
        self.state.decided(f"dec-{int(ago):06d}", at, rule=rule, target=target, outcome="alert", reason="no_action")

    def replay(self, *words: str) -> Done:
        return self.state("replay", "-c", str(self.config), *words)


@pytest.fixture
def past(state: WrittenState, tmp_path: Path) -> Past:
    return Past(state, tmp_path)


def busy(since: float, until: float) -> Callable[[float], float]:
    return lambda ago: 97.0 if until < ago <= since else 10.0


def test_the_same_decisions_are_no_difference_and_end_with_zero(past: Past) -> None:
    past.live(6 * HOUR, 0, busy(3 * HOUR, 2 * HOUR))
    past.alerted(3 * HOUR - 300)
    done = past.replay("--since", "5h")
    assert (done.code, done.err) == (0, "")
    assert "Replay: 0 new, 0 gone, 0 otherwise" in done.out
    assert "that were judged: 0 actions, 1 alert" in done.out
    assert "Cleared with nobody acting:" in done.out
    assert "not judged" in done.out  # memory, load and the rest were never recorded here
    assert "system_health.memory on host" in done.out


def test_a_stricter_and_a_milder_threshold_are_told_and_end_with_ten(past: Past) -> None:
    past.live(6 * HOUR, 0, busy(3 * HOUR, 2 * HOUR))
    new = past.replay("--since", "5h")
    assert new.code == 10
    assert "+ " in new.out
    assert "system_health.cpu on host: would now tell people: no_action" in new.out
    past.alerted(3 * HOUR - 300)
    past.write("cpu_threshold: 99")
    gone = past.replay("--since", "5h", "-o", "json")
    assert gone.code == 10
    (found,) = gone.json()["differences"]
    assert (found["sign"], found["now"], found["then"]["rule"]) == ("-", None, _CPU)
    assert "system_health.cpu on host: would no longer tell people" in past.replay("--since", "5h").out


def test_what_lies_between_two_kept_measurements_counts(past: Past) -> None:
    """A dip of one look in each minute keeps the rule quiet, also where the kept measurements alone were all high."""
    past.live(6 * HOUR, 0, lambda ago: 97.0 if 2 * HOUR < ago <= 3 * HOUR and ago % 60 else 10.0)
    kept = past.state.store.observations("cpu.percent", "host", since=0.0)
    assert all(BETWEEN in one.facts for one in kept[1:])
    assert past.replay("--since", "5h").code == 0


def test_an_action_is_judged_by_what_was_seen_next_and_limits_refuse_the_rest(past: Past) -> None:
    def uploads(ago: float) -> Status:
        return Status.PROBLEM if any(at < ago <= at + 60 for at in (2 * HOUR, 1.5 * HOUR, HOUR)) else Status.OK

    past.live(3 * HOUR, 0, uploads=uploads)
    body = past.replay("--since", "150m", "-o", "json").json()
    acted = [one for one in body["decisions"] if one["outcome"] == "act"]
    assert [(one["action"], one["target"]) for one in acted] == [("create_directory", "path:uploads")] * 3
    assert [one["actions"] for one in body["incidents"]] == [1, 1, 1]
    past.write("cpu_threshold: 80", "limits: {max_auto_repairs_per_hour: 1, max_housekeeping_per_hour: 1}\n")
    limited = past.replay("--since", "150m", "-o", "json").json()
    assert limited["refused"].get("rate_limit", 0) >= 1
    assert sum(one["outcome"] == "act" for one in limited["decisions"]) < 3
    past.write("auto_mitigate: false")
    told = past.replay("--since", "150m")
    assert "be refused create_directory: auto_mitigate_off" in told.out
    assert "\x1b" not in told.out


def test_a_gap_is_told_and_never_bridged(past: Past) -> None:
    past.live(6 * HOUR, 3 * HOUR, busy(3 * HOUR + 240, 0))
    past.live(2 * HOUR, 0, busy(2 * HOUR, 2 * HOUR - 240))
    done = past.replay("--since", "4h", "-o", "json")
    (gap,) = done.json()["gaps"]
    assert gap["since"] < gap["until"]
    # Busy for four minutes before it and four behind it: that is no five minutes.
    assert all(one["rule"] != _CPU for one in done.json()["decisions"])
    assert done.json()["judged_seconds"] == pytest.approx(3 * HOUR, abs=200)
    assert "nothing was recorded; what goes on over it is judged anew" in past.replay("--since", "4h").out


def test_a_beginning_before_the_first_record_is_said(past: Past) -> None:
    past.live(2 * HOUR, 0)
    done = past.replay("--since", "7d")
    assert done.code == 0
    assert "not judged: " in done.out
    assert "nothing was recorded" in done.out
    assert past.replay("--since", "7d", "-o", "json").json()["judged_seconds"] == pytest.approx(2 * HOUR, abs=100)


def test_what_cannot_be_replayed_is_refused_with_the_next_step(past: Past, tmp_path: Path) -> None:
    empty = past.replay()
    assert (empty.code, "nothing is recorded here yet" in empty.err) == (2, True)
    past.live(HOUR, 0)
    assert past.replay("--since", "2999-01-01").code == 2
    assert past.replay("--since", "soon").code == 2
    past.config.write_text("version: 1\nagents: {system_health: {cpu_treshold: 5}}\n")
    wrong = past.replay()
    assert (wrong.code, "cpu_threshold" in wrong.err) == (78, True)
    assert past.state("replay", "-c", str(tmp_path / "none.yaml")).code in (2, 78)


def test_nothing_is_written_also_while_an_engine_writes(past: Past) -> None:
    past.live(3 * HOUR, 0, busy(2 * HOUR, HOUR))
    past.state.store.commit()
    path = past.state.path / "state.db"
    before = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in past.state.path.glob("*.db")}
    with locked(path):
        first = past.replay("--since", "2h", "-o", "json")
    past.live(0, -60)
    second = past.replay("--since", "2h", "-o", "json")
    assert first.code == second.code == 10
    assert len(first.json()["differences"]) == len(second.json()["differences"])
    assert before == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in past.state.path.glob("*.db")}


def test_damaged_samples_are_missing_and_no_error(past: Past) -> None:
    past.live(3 * HOUR, 0, busy(2 * HOUR, HOUR))
    damaged = Observation(
        "cpu.percent", "host", Status.OK, past.now.after(-1.5 * HOUR + 1), 97.0, "", "", {BETWEEN: "x:y z"}
    )
    past.state.store.record_observations([damaged])
    assert past.replay("--since", "2h").code == 10
