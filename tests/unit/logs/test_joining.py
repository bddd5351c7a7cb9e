"""Lines that belong together are one entry, and nobody's stream of lines is kept without a bound."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.logs.joining import MOST_CHARACTERS, MOST_LINES, Joiner

PYTHON = """\
2026-11-27 12:00:00 ERROR request failed
Traceback (most recent call last):
  File "app.py", line 3, in get
    return rows[key]
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "app.py", line 9, in main
    raise Failed
app.Failed: no row"""
JAVA = """\
Nov 27, 2026 12:00:00 SEVERE: request failed
java.lang.IllegalStateException: no row
\tat com.example.App.get(App.java:3)
\tat com.example.App.main(App.java:9)
Caused by: java.util.NoSuchElementException: x
\t... 2 more"""
GO = """\
panic: runtime error: index out of range [3] with length 3

goroutine 1 [running]:
main.get(...)
\t/srv/app/main.go:8
main.main()
\t/srv/app/main.go:12 +0x1d
exit status 2"""
INDENTED = "2026-11-27 12:00:00 slow query\n    SELECT *\n    FROM orders"
AFTER = "2026-11-27 12:00:01 INFO all is well"


def _joined(lines: list[str], joiner: Joiner | None = None) -> list[str]:
    joiner = joiner or Joiner()
    entries = [joiner.feed(line) for line in lines]
    return [entry for entry in [*entries, joiner.end()] if entry is not None]


@pytest.mark.parametrize("entry", [PYTHON, JAVA, GO, INDENTED], ids=["python", "java", "go", "indented"])
def test_a_traceback_is_one_entry(entry: str) -> None:
    """With the line above it that tells of the failure; what comes after it is another."""
    assert _joined([AFTER, *entry.split("\n"), AFTER, AFTER]) == [AFTER, entry, AFTER, AFTER]


@pytest.mark.parametrize("at", range(1, len(PYTHON.split("\n"))))
def test_an_entry_goes_on_after_a_restart(at: int) -> None:
    """What was saved is plain JSON."""
    lines, joiner = PYTHON.split("\n"), Joiner()
    for line in lines[:at]:
        joiner.feed(line)
    assert _joined(lines[at:], Joiner.restored(json.loads(json.dumps(joiner.saved())))) == [PYTHON]


def test_a_line_that_tells_of_no_failure_is_no_part_of_the_traceback_below_it() -> None:
    """Two programs may write to one file."""
    traceback = PYTHON.split("\n")[1:5]
    assert _joined([AFTER, *traceback]) == [AFTER, "\n".join(traceback)]


@pytest.mark.parametrize("saved", [{}, {"lines": 3}, {"lines": [1], "stage": ""}, {"lines": ["a"], "stage": None}])
def test_what_is_not_what_was_saved_is_a_new_beginning(saved: dict[str, object]) -> None:
    """A state file is checked, not trusted."""
    assert _joined(["b"], Joiner.restored(saved)) == ["b"]


def test_an_entry_without_end_is_cut() -> None:
    """So many lines, or so many characters, are one entry; nothing is lost."""
    lines = ["first", *[" more"] * (MOST_LINES * 2)]
    entries = _joined(lines)
    assert max(entry.count("\n") + 1 for entry in entries) == MOST_LINES
    assert "\n".join(entries) == "\n".join(lines)
    assert max(map(len, _joined([" " + "x" * 30_000] * 10))) <= MOST_CHARACTERS


@given(st.lists(st.sampled_from([*PYTHON.split("\n"), *JAVA.split("\n"), *GO.split("\n"), AFTER])))
def test_every_line_is_in_one_entry_in_order(lines: list[str]) -> None:
    """Whatever comes after what; only empty lines at the end of an entry are left out."""
    assert [line for entry in _joined(lines) for line in entry.split("\n") if line] == [line for line in lines if line]
