"""`why` shows the lines of a log that an incident rests on, each once, when they were seen."""

from __future__ import annotations

import json

from tests.support.command_line import HOSTILE, WrittenState
from zen_agents.model.observation import Observation, Status, lines_in


def seen(state: WrittenState, ago: float, name: str, *lines: str, target: str = "source:auth", kind: str = "line") -> None:
    facts = {f"{kind} {number}": line for number, line in enumerate(lines, start=1)}
    state.store.record_observations([Observation(name, target, Status.PROBLEM, state.ago(ago), 1.0, "found", "", facts)])
    state.store.commit()


def incident(state: WrittenState, rule: str = "log_analysis.guessing") -> None:
    began = state.ago(60)
    state.incident("inc-aaaa11", began, opened_at=began, rule=rule, target="source:auth")


def shown(text: str, kind: str = "line") -> list[str]:
    return [line.partition(f"  {kind:9} ")[2] for line in text.splitlines() if f"  {kind:9} " in line]


def test_the_lines_of_an_incident_are_shown_once_and_of_nothing_else(state: WrittenState) -> None:
    incident(state)
    seen(state, 100, "pattern.guessing", "of an earlier one")
    seen(state, 61, "pattern.guessing", "one", HOSTILE)
    seen(state, 50, "pattern.other", "of another pattern")
    seen(state, 50, "pattern.guessing", "of another source", target="source:web")
    seen(state, 10, "pattern.guessing", "one", "three")
    answer = state("why", "inc-aaaa11").out
    found = shown(answer)
    assert (found[0], found[2], len(found)) == ("one", "three", 3)
    assert "\x1b" not in answer
    body = json.loads(state("why", "inc-aaaa11", "-o", "json").out)
    assert [(line["kind"], line["text"]) for line in body["lines"]][::2] == [("line", "one"), ("line", "three")]


def test_what_several_lines_say_together_is_shown_as_what_it_is(state: WrittenState) -> None:
    incident(state, "log_analysis.latency")
    seen(state, 30, "latency.auth", "GET /a: p95 700 ms, 500 ms at most (9 requests)", kind="operation")
    assert shown(state("incidents", "show", "inc-aaaa11").out, "operation") == [
        "GET /a: p95 700 ms, 500 ms at most (9 requests)"
    ]


def test_of_many_lines_the_last_are_shown_and_all_where_all_is_asked_for(state: WrittenState) -> None:
    incident(state)
    for number in range(4):
        seen(state, 40 - number, "pattern.guessing", *[f"line of {number}, {each}" for each in range(5)])
    text = state("why", "inc-aaaa11").out
    assert shown(text)[0] == "line of 2, 0"
    assert "... 10 older (-v shows them)" in text
    assert len(shown(state("why", "inc-aaaa11", "-v").out)) == 20


def test_facts_that_are_no_lines_are_none() -> None:
    assert lines_in({"unit": "web.service", "http_status": "500", "line x": "no", "line 2": "yes"}) == [("line", "yes")]
