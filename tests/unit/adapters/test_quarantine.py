from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from zen_agents.adapters.linux_view_files import file_state
from zen_agents.adapters.quarantine import Quarantine
from zen_agents.clock import ManualClock
from zen_agents.errors import HostError, StalePlanError


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 4, tzinfo=UTC))


def keep(quarantine: Quarantine, path: Path, content: bytes) -> str:
    path.write_bytes(content)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return quarantine.keep(descriptor, file_state(str(path), path.stat()), action="test", go_on=lambda: None)
    finally:
        os.close(descriptor)


def test_equal_contents_lie_there_once_until_the_last_is_dropped(tmp_path: Path, clock: ManualClock) -> None:
    quarantine = Quarantine(tmp_path / "q", clock)
    first, second = keep(quarantine, tmp_path / "a", b"same"), keep(quarantine, tmp_path / "b", b"same")
    blob = tmp_path / "q" / quarantine.find(first).sha256
    assert len(list((tmp_path / "q").iterdir())) == 3
    quarantine.drop(first)
    assert blob.exists()
    quarantine.drop(second)
    assert list((tmp_path / "q").iterdir()) == []


def test_what_has_expired_makes_room_and_nothing_else_does(tmp_path: Path, clock: ManualClock) -> None:
    quarantine = Quarantine(tmp_path / "q", clock, keep_seconds=100.0, most_bytes=10)
    old = keep(quarantine, tmp_path / "old", b"12345678")
    with pytest.raises(HostError, match="quarantine_size"):
        keep(quarantine, tmp_path / "new", b"abcdefgh")
    assert quarantine.find(old).size == 8
    clock.advance(101.0)
    new = keep(quarantine, tmp_path / "new", b"abcdefgh")
    assert [kept.id for kept in quarantine.files()] == [new]
    with pytest.raises(StalePlanError):
        quarantine.find(old)


def test_the_wall_clock_does_not_shorten_a_time_to_live(tmp_path: Path, clock: ManualClock) -> None:
    quarantine = Quarantine(tmp_path / "q", clock, keep_seconds=100.0)
    id = keep(quarantine, tmp_path / "a", b"x")
    clock.jump_wall(86400.0)
    assert quarantine.drop_expired() == 0
    assert quarantine.find(id).path == str(tmp_path / "a")


@pytest.mark.parametrize("id", ["", "../../etc/passwd", "q-", "q-0123456789abcdef01234567/../x"])
def test_ids_that_lead_elsewhere_are_none(id: str, tmp_path: Path, clock: ManualClock) -> None:
    with pytest.raises(StalePlanError):
        Quarantine(tmp_path / "q", clock).find(id)


def test_a_card_that_cannot_be_written_keeps_no_content(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantine = Quarantine(tmp_path / "q", clock)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(HostError):
        keep(quarantine, tmp_path / "a", b"x")
    assert quarantine.files() == ()


def test_what_a_crash_left_half_kept_is_dropped_and_nothing_else(tmp_path: Path, clock: ManualClock) -> None:
    quarantine = Quarantine(tmp_path / "q", clock)
    whole = keep(quarantine, tmp_path / "a", b"whole")
    before = sorted((tmp_path / "q").iterdir())
    for name in (".0123456789ab", "f" * 64, ".q-0123456789ab.json.new"):
        (tmp_path / "q" / name).write_bytes(b"half")
    Quarantine(tmp_path / "q", clock).forget_unfinished()
    assert sorted((tmp_path / "q").iterdir()) == before
    with quarantine.opened(whole) as (descriptor, _):
        assert os.read(descriptor, 100) == b"whole"


def test_where_nobody_can_tell_what_is_whole_everything_is_kept(tmp_path: Path, clock: ManualClock) -> None:
    quarantine = Quarantine(tmp_path / "q", clock)
    keep(quarantine, tmp_path / "a", b"whole")
    (tmp_path / "q" / "q-0123456789ab.json").write_text("{}")
    before = sorted((tmp_path / "q").iterdir())
    quarantine.forget_unfinished()
    assert sorted((tmp_path / "q").iterdir()) == before


def test_a_card_that_makes_no_sense_keeps_everything_and_says_which(tmp_path: Path, clock: ManualClock) -> None:
    quarantine = Quarantine(tmp_path / "q", clock, keep_seconds=100.0)
    whole, broken = keep(quarantine, tmp_path / "a", b"whole"), keep(quarantine, tmp_path / "b", b"broken")
    (tmp_path / "q" / f"{broken}.json").write_text('{"likeness": 1}')
    clock.advance(101.0)
    for ask in (quarantine.files, quarantine.drop_expired, lambda: quarantine.find(broken)):
        with pytest.raises(HostError, match=broken):
            ask()
    assert quarantine.find(whole).size == 5


def test_a_file_may_be_kept_twice_under_its_own_times(tmp_path: Path, clock: ManualClock) -> None:
    quarantine = Quarantine(tmp_path / "q", clock, keep_seconds=100.0)
    first = keep(quarantine, tmp_path / "a", b"one")
    quarantine.keep_seconds = 10.0
    second = keep(quarantine, tmp_path / "a", b"two")
    clock.advance(11.0)
    assert quarantine.drop_expired() == 1
    assert [kept.id for kept in quarantine.files()] == [first]
    with pytest.raises(StalePlanError):
        quarantine.find(second)
