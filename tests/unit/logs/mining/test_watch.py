"""One source over weeks."""

from __future__ import annotations

import json
from datetime import UTC

import pytest

from zen_agents.logs.mining import watch
from zen_agents.logs.mining.rates import Event
from zen_agents.logs.mining.watch import TemplateWatch

HOUR, WEEK, MONDAY = 3600, 604800, 4 * 86400


def lived(hours: int) -> TemplateWatch:
    source = TemplateWatch(MONDAY, UTC)
    for hour in range(hours):
        at = MONDAY + hour * HOUR
        assert source.learn(b"\n".join(b"took %d ms" % (hour + n) for n in range(20)) + b"\nbackup done", at) == []
        assert source.advance(at) == []
    return source


def test_new_templates_are_told_once_it_has_learned() -> None:
    source = lived(168)
    (new,) = source.learn(b"took 7 ms\nsegfault at 0x7f in libc.so.6\nsegfault at 0x80 in libc.so.6", MONDAY + WEEK)
    assert new.text == "segfault at <hex> in libc.so.<num>" and new.lines == 2


def test_a_template_that_bursts_and_one_that_vanished_are_told_after_a_restart_as_well() -> None:
    source = lived(3 * 168)
    at = MONDAY + 3 * WEEK
    source = TemplateWatch.restored(json.loads(json.dumps(source.saved())), at, UTC)
    source.learn(b"took 1 ms\n" * 500, at)
    found = source.advance(at)
    assert [(change.template.text, change.change.event) for change in found] == [("took <num> ms", Event.BURST)]
    for hour in range(1, 12):
        source.learn(b"took 1 ms\n" * 20, at + hour * HOUR)
        found += source.advance(at + hour * HOUR)
    assert [(change.template.text, change.change.event) for change in found[1:]] == [
        ("took <num> ms", Event.BURST_OVER), ("backup done", Event.VANISHED),
    ]  # fmt: skip


def test_the_rates_of_no_more_than_so_many_are_kept_those_of_the_most_frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "MOST_WATCHED", 3)
    source = TemplateWatch(MONDAY, UTC)
    for number, word in enumerate((b"aa", b"bb", b"cc", b"dd", b"ee")):
        source.learn((word + b"\n") * (100 + number), MONDAY)
        source.advance(MONDAY)
    assert sorted(row[0] for row in source.saved()["rates"]) == ["aa", "bb", "cc"]
    source.learn(b"ee\n" * 200, MONDAY + 1)
    source.advance(MONDAY + 1)
    assert sorted(row[0] for row in source.saved()["rates"]) == ["bb", "cc", "ee"]


@pytest.mark.parametrize("saved", [{}, {"templates": 3}, {"templates": {}, "tells_from": 0, "rates": [["x", 1, {}], 7]}])
def test_what_was_not_saved_by_it_is_left_out(saved: dict[str, object]) -> None:
    source = TemplateWatch.restored(saved, MONDAY, UTC)
    assert len(source.miner) == 0 and source.advance(MONDAY) == []
