"""Windows are listed in their zone and in UTC, over the days on which clocks are set as well."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.support.command_line import WrittenState
from zen_agents.cli.times import end_of
from zen_agents.errors import UsageError
from zen_agents.ports.store import Brake

BERLIN = ZoneInfo("Europe/Berlin")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def a_config(folder: Path, *windows: dict[str, object]) -> str:
    path = folder / "config.yaml"
    path.write_text(json.dumps({"agents": {"system_health": {}}, "maintenance": list(windows)}), encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def test_the_next_three_openings_and_what_a_person_started(state: WrittenState, tmp_path: Path) -> None:
    now = state.clock.now()
    state.store.set_brake(Brake("maintenance_observe", "window:move", "racks", "alice", now, now.steady + 600))
    state.store.set_brake(Brake("maintenance_observe", "window:old", "racks", "alice", now, now.steady - 1))
    nightly = {"name": "nightly", "start": "01:30", "duration": "1h", "timezone": "Europe/Berlin", "effect": "no_actions"}
    config = a_config(tmp_path, nightly)
    rows = state("maintenance", "list", "-c", config, "-o", "json").json()["items"]

    assert [row["name"] for row in rows] == ["move", "nightly", "nightly", "nightly"]
    assert (rows[0]["state"], rows[0]["where"]) == ("open", "by alice: racks")
    for row in rows[1:]:
        begins = datetime.fromisoformat(row["begins_at"])
        assert (begins.hour, begins.minute) == (1, 30)
        assert begins == datetime.fromisoformat(row["begins_at_utc"])
    people = state("maintenance", "-c", config)
    assert people.code == 0
    assert "Europe/Berlin" in people.out


def test_a_host_without_a_window_says_so(state: WrittenState, tmp_path: Path) -> None:
    done = state("maintenance", "-c", a_config(tmp_path))

    assert (done.code, done.out, done.err) == (0, "", "no window is planned, and none is open\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("start",), "which window"),
        (("start", "disks"), "there is no window without an end"),
        (("start", "disks", "--for", "1h", "--until", "06:00"), "there is no window without an end"),
        (("start", "disks", "--for", "soon"), "is no duration"),
        (("start", "disks", "--until", "25:00"), "is no time"),
        (("start", "disks", "--until", "2001-01-01"), "is past"),
        (("start", "disks", "--until", "06:00", "--timezone", "Europe/Berlinn"), "there is no time zone"),
        (("start", "disks", "--for", "1h", "--timezone", "UTC"), "--for needs none"),
        (("end",), "which window"),
    ],
)
def test_what_is_not_understood_names_what_is(state: WrittenState, words: tuple[str, ...], said: str) -> None:
    done = state("maintenance", *words, "--reason", "x")

    assert (done.code, said in done.err) == (2, True), done.err


@pytest.mark.parametrize(
    ("text", "now", "end"),
    [
        ("06:00", "2026-06-01T10:00:00", "2026-06-02T04:00:00"),
        ("13:00", "2026-06-01T10:00:00", "2026-06-01T11:00:00"),
        # 02:30 comes twice in that night: it lasts to the second.
        ("02:30", "2026-10-24T22:00:00", "2026-10-25T01:30:00"),
        # 02:30 does not come in that night: to where both readings are past.
        ("2026-03-29T02:30", "2026-03-28T22:00:00", "2026-03-29T01:30:00"),
        ("2026-06-01T12:00:00+00:00", "2026-06-01T10:00:00", "2026-06-01T12:00:00"),
    ],
)
def test_until_means_the_last_moment_that_can_be_meant(text: str, now: str, end: str) -> None:
    assert end_of(text, BERLIN, utc(now)) == utc(end)


def test_a_time_that_is_past_is_no_end() -> None:
    with pytest.raises(UsageError, match="it is 2026-06-01 12:00 there now"):
        end_of("2026-06-01T11:00", BERLIN, utc("2026-06-01T10:00:00"))
