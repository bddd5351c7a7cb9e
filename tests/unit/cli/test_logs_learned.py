"""What the engine learned of its logs is shown from the state alone."""

from __future__ import annotations

import pytest

from tests.support.command_line import WrittenState
from zen_agents.clock import SystemClock
from zen_agents.logs.formats.plain import Plain
from zen_agents.logs.watching.templates import TemplateStudy


@pytest.fixture
def learned(state: WrittenState) -> WrittenState:
    """Return a state in which an engine kept what it learned of one source."""
    now = SystemClock().now().wall.timestamp()
    study = TemplateStudy(Plain(), None, 10.0, now - 20, {})
    study.feed(b"took 5 ms\n" * 60, now - 20)
    study.feed(b"the array lost \x1b[31mdrive 7\n", now)
    study.told(now, is_behind=False)
    state.store.save_check_memory("log_analysis", "log_templates.app", {"checkpoint": {}, "study": study.saved()})
    state.store.save_check_memory("log_analysis", "log_latency.app", {"checkpoint": {}, "study": {}})
    state.store.commit()
    return state


def test_kinds_are_shown_with_what_is_told_of_them_first(learned: WrittenState) -> None:
    done = learned("logs", "templates", "--learned")
    rows = [line.split() for line in done.out.splitlines()]
    assert done.code == 0
    assert done.out.startswith("app: 2 kinds of lines\n")
    assert (rows[2][0], "new" in rows[2]) == ("1", True)
    assert rows[3][0] == "60"
    assert "\x1b" not in done.out


def test_one_source_and_at_most_so_many_kinds_may_be_asked_for(learned: WrittenState) -> None:
    (source,) = learned("logs", "templates", "--learned", "app", "--limit", "1", "-o", "json").json()["items"]
    assert (source["source"], source["known"], source["learns_for_seconds"]) == ("app", 2, 0.0)
    assert [(each["told"], each["lines"]) for each in source["kinds"]] == [("new", 1)]
    done = learned("logs", "templates", "--learned", "web")
    assert (done.code, "nothing is learned of web" in done.err) == (2, True)


def test_where_nothing_is_learned_it_says_what_to_write(state: WrittenState) -> None:
    done = state("logs", "templates", "--learned")
    assert (done.code, "templates: {}" in done.err) == (1, True)
    assert "goes with `templates`" in state("logs", "scan", "--learned").err
