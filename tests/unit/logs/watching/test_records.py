"""A traceback is one record of its log, wherever it was cut when it was read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.logs.test_joining import AFTER, GO, INDENTED, JAVA, PYTHON
from zen_agents.logs.detection.counting import CountRule
from zen_agents.logs.detection.sequence import SequenceRule
from zen_agents.logs.formats.plain import Plain
from zen_agents.logs.formats.syslog import Syslog
from zen_agents.logs.watching.pattern import Seen
from zen_agents.logs.watching.rule import PatternRule, Step
from zen_agents.logs.watching.source import SourceWatch

NOW = 1_800_000_000.0
LINES = [AFTER, *PYTHON.split("\n"), AFTER, *JAVA.split("\n"), *GO.split("\n"), AFTER, *INDENTED.split("\n"), AFTER]
#: What each of the records above says somewhere below its first line.
RULES = tuple(
    PatternRule(name, (Step(match),), CountRule(1, 3600.0))
    for name, match in {
        "python": r"KeyError|app\.Failed", "java": "NoSuchElement|IllegalState|App.java", "go": r"main\.go|goroutine",
        "indented": "FROM (?P<table>.+)", "failed": "request failed|Traceback", "well": "all is well",
    }.items()
)  # fmt: skip
ONCE = {"python": 1, "java": 1, "go": 1, "indented": 1, "failed": 2, "well": 4}


def watch(
    rules: Sequence[PatternRule] = RULES, saved: Mapping[str, Any] | None = None, *, multiline: bool = True
) -> SourceWatch:
    return SourceWatch(rules, Plain(), UTC, NOW, saved or {}, multiline=multiline)


def counted(watched: SourceWatch) -> dict[str, int]:
    return {name: seen.lines for name, seen in watched.seen().items()}


def fed(lines: Sequence[str], *sizes: int, restarts: bool = True) -> SourceWatch:
    """Return a watch that was fed with so many lines at once, and goes on in another engine after each."""
    watched, at = watch(), 0
    for size in (*sizes, len(lines)):
        if chunk := "".join(f"{line}\n" for line in lines[at : at + size]):
            watched.feed(chunk.encode(), "/var/log/app.log", NOW)
        at += size
        if restarts:
            watched = watch(saved=json.loads(json.dumps(watched.saved())))
    return watched


def test_read_at_once_each_traceback_counts_once() -> None:
    assert counted(fed(LINES)) == ONCE


@pytest.mark.parametrize("at", range(1, len(LINES)))
def test_cut_anywhere_and_over_a_restart_each_counts_once(at: int) -> None:
    assert counted(fed(LINES, at)) == ONCE


@given(st.lists(st.integers(1, 5), max_size=len(LINES)))
@settings(max_examples=40, deadline=None)
def test_however_often_it_is_cut_each_counts_once(sizes: list[int]) -> None:
    assert counted(fed(LINES, *sizes, restarts=False)) == ONCE


@given(st.lists(st.sampled_from(LINES), max_size=40), st.lists(st.integers(1, 7), max_size=20))
@settings(max_examples=60, deadline=None)
def test_whatever_comes_it_counts_the_same_however_it_was_cut(lines: list[str], sizes: list[int]) -> None:
    assert counted(fed(lines, *sizes, restarts=False)) == counted(fed(lines))


def test_line_by_line_each_line_counts_where_that_is_asked() -> None:
    watched = watch(multiline=False)
    watched.feed("".join(f"{line}\n" for line in LINES).encode(), "/var/log/app.log", NOW)
    assert counted(watched)["python"] == 2
    assert counted(watched)["java"] == 4


def last(watched: SourceWatch, name: str) -> Seen:
    return watched.seen()[name]


def test_a_sample_is_the_whole_record_also_what_came_later() -> None:
    lines = PYTHON.split("\n")
    watched = fed(lines, 4)
    shown = last(watched, "failed").last
    assert len(shown) == 1
    assert shown[0].startswith("2026-11-27 12:00:00 ERROR request failed Traceback (most recent call last): File")
    assert shown[0].endswith("raise Failed app.Failed: no row")
    assert "\n" not in shown[0]
    assert len(shown[0]) <= 300


def test_the_first_line_says_when_and_which_level_and_the_last_what() -> None:
    rule = PatternRule("error", (Step(r"KeyError: (?P<key>.*)", {"level": "error"}),), CountRule(1, 3600.0, ("key",)))
    watched = watch([rule])
    text = f"{AFTER}\n{PYTHON}\n".encode()
    watched.feed(text, "/var/log/app.log", NOW)
    assert last(watched, "error").keys == [("'x'",)]


def test_what_a_record_says_below_its_first_line_is_part_of_its_message() -> None:
    rule = PatternRule("in", (Step("", {"message": {"match": "KeyError"}, "level": "error"}),), CountRule(1, 3600.0))
    watched = watch([rule])
    lines = PYTHON.split("\n")
    for piece in (lines[:3], lines[3:]):
        watched.feed("".join(f"{line}\n" for line in piece).encode(), "/var/log/app.log", NOW)
    assert last(watched, "in").lines == 1


def test_the_steps_of_a_sequence_may_lie_in_one_record_that_is_cut() -> None:
    rule = PatternRule("both", (Step("request failed"), Step("KeyError")), SequenceRule(2, 60.0))
    lines, watched = PYTHON.split("\n"), watch([rule])
    for piece in (lines[:2], lines[2:]):
        watched.feed("".join(f"{line}\n" for line in piece).encode(), "/var/log/app.log", NOW)
    assert last(watched, "both").is_raised


def test_two_files_do_not_go_on_with_each_other() -> None:
    watched = watch()
    watched.feed(b"2026-11-27 12:00:00 ERROR request failed\n", "/var/log/a.log", NOW)
    watched.feed(b"Traceback (most recent call last):\n  File\nKeyError: 'x'\n", "/var/log/b.log", NOW)
    assert counted(watched)["failed"] == 2


def test_what_comes_long_afterwards_belongs_to_nothing() -> None:
    watched = watch()
    watched.feed(b"2026-11-27 12:00:00 ERROR request failed\n", "/var/log/a.log", NOW)
    watched.feed(b"  request failed too\n", "/var/log/a.log", NOW + 3600)
    assert counted(watched)["failed"] == 2


def test_a_log_of_indented_lines_is_no_single_record() -> None:
    watched = watch()
    for _ in range(3):
        watched.feed(b"  request failed\n" * 5, "/var/log/a.log", NOW)
    assert counted(watched)["failed"] == 15


def test_an_endless_traceback_is_counted_in_parts_and_kept_in_bounds() -> None:
    watched = watch()
    watched.feed(b"ERROR request failed\n" + b"  at request failed\n" * 5000, "/var/log/a.log", NOW)
    assert 10 <= counted(watched)["failed"] <= 10_000
    assert len(json.dumps(watched.saved())) < 200_000


@pytest.mark.parametrize("saved", [{}, {"open records": 3}, {"open records": [["a", {}, "x", 1], [1, {}, 1.0, []], [2]]}])
def test_what_cannot_have_been_saved_is_left_out(saved: dict[str, Any]) -> None:
    watched = watch(saved=saved)
    watched.feed(b"request failed\n", "a", NOW)
    assert counted(watched)["failed"] == 1


def test_a_multi_line_entry_of_the_journal_is_one_record() -> None:
    rule = PatternRule("hit", (Step("KeyError", {"program": "app"}),), CountRule(1, 3600.0))
    watched = SourceWatch([rule], Syslog(), UTC, NOW, {}, multiline=True)
    head = "<11>2026-11-27T12:00:00.000000+00:00 web app[7]: "
    watched.feed(f"{head}failed\n    Traceback (most recent call last):\n    KeyError: 'x'\n".encode(), "journal", NOW)
    assert last(watched, "hit").lines == 1
