"""The plain log: a line is a line, whatever is in it, and whatever the disk does."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zen_agents.adapters import action_log
from zen_agents.adapters.action_log import ActionLogFile
from zen_agents.clock import Instant, SystemClock

NOW = SystemClock().now()


def write(log: ActionLogFile, at: Instant = NOW, **changes: str) -> None:
    columns = {"action": "restart_service", "target": "service:web", "by": "engine", "outcome": "-", "detail": "it is down"}
    log.write(at, "INTENT", "act-1", **(columns | changes))  # type: ignore[arg-type]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(), by=st.text())
def test_every_line_has_nine_columns_and_no_control_characters(tmp_path: Path, text: str, by: str) -> None:
    path = tmp_path / "actions.log"
    path.unlink(missing_ok=True)
    log = ActionLogFile(path)
    write(log, detail=text, by=by)
    write(log, target=text)
    content = path.read_bytes().decode()
    assert [line.count("\t") for line in content.split("\n")] == [8, 8, 0]
    assert all(character.isprintable() for character in content if character not in "\t\n")


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    write(ActionLogFile(tmp_path / "actions.log"))
    assert (tmp_path / "actions.log").stat().st_mode & 0o777 == 0o600


def test_it_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(action_log, "MOST_BYTES", 1000)
    log = ActionLogFile(tmp_path / "actions.log")
    for _ in range(100):
        write(log, detail="x" * 5000)
    assert {path.name for path in tmp_path.iterdir()} <= {"actions.log", "actions.log.1"}
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 4000


def test_a_disk_that_refuses_is_logged_and_nothing_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(ActionLogFile(tmp_path / "gone" / "actions.log"))
    assert "could not be written" in caplog.text


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "actions.log").symlink_to(tmp_path / "victim")
    write(ActionLogFile(tmp_path / "actions.log"))
    assert (tmp_path / "victim").read_text() == "precious"


def test_a_line_that_was_torn_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "actions.log"
    log = ActionLogFile(path)
    write(log)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A file that may not grow takes the beginning of a line, as a disk does that has just become full.
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, hard))
    try:
        write(log)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    write(log)
    lines = path.read_text().splitlines()
    assert [line.count("\t") == 8 for line in lines] == [True, False, True]
    assert path.stat().st_size == sum(len(line) + 1 for line in lines)
