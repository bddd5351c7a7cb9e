"""`why` says that evidence was taken before a repair in one short line, and shows it where all is asked for."""

from __future__ import annotations

from tests.support.command_line import HOSTILE, WrittenState
from zen_agents.model.entry import Entry, EntryKind

BODY = {
    "before": "act-aaaa11", "host": "load 0.8, memory 6 %", "related": ["2026-11-27T04:08:47+00:00  package install x"],
    "processes": [f"{pid} python S 45 MiB 0 s CPU" for pid in range(10)], "open_files": ["/srv/app/data", HOSTILE],
    "stacks": ["42 web: stopped by a signal"], "descriptors": "2 file", "log": ["one", "two"], "log_source": "web.service",
}  # fmt: skip


def told(state: WrittenState, *words: str) -> str:
    state.incident("inc-aaaa11", state.ago(60), opened_at=state.ago(60))
    state.store.append(Entry(EntryKind.ENGINE, "evidence", state.ago(50), "engine", "inc-aaaa11", "act-aaaa11", BODY))
    state.store.commit()
    text = state("why", "inc-aaaa11", *words).out
    return text[: text.index("Changed on this host")]


def test_what_was_seen_before_a_repair_is_one_short_line(state: WrittenState) -> None:
    (line,) = [line for line in told(state).splitlines() if "evidence" in line]
    assert line.endswith(
        "evidence  before act-aaaa11: load 0.8, memory 6 %; open 2 file; "
        "10 processes, 2 open files, 1 stack, 2 log lines (-v shows them)"
    )


def test_all_of_it_is_shown_where_all_is_asked_for(state: WrittenState) -> None:
    text = told(state, "-v")
    lines = [line.strip() for line in text.splitlines()]
    assert "process   9 python S 45 MiB 0 s CPU" in lines
    assert "open file /srv/app/data" in lines
    assert "stack     42 web: stopped by a signal" in lines
    assert "log line  two" in lines
    assert "\x1b" not in text
    assert "(-v shows them)" not in text
