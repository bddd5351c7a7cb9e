"""`why` shows the lines of a log that an incident rests on, each once, when they were seen."""

from __future__ import annotations

import json

from tests.support.command_line import HOSTILE, WrittenState
from zen_agents.model.observation import Observation, Status, facts_of_lines, lines_in


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
    assert lines_in({"unit": "web.service", "http_status": "500", "line x": "no", "line 2": "yes"}) == [
        ("line", "yes", None)
    ]
    assert lines_in(facts_of_lines(["yes"], [7.5], [("user", "bob")])) == [("line", "yes", 7.5)]


def found(state: WrittenState, name: str, source: str, *lines: tuple[float, str], ago: float = 30.0) -> None:
    """Keep what was observed: lines that say themselves that they were written so long ago, of one address."""
    written = [state.ago(seconds).wall.timestamp() for seconds, _ in lines]
    facts = facts_of_lines([text for _, text in lines], written, [("address", "203.0.113.5")])
    seen = Observation(name, f"source:{source}", Status.PROBLEM, state.ago(ago), 1.0, "found", "", facts)
    state.store.record_observations([seen])


def test_the_timeline_has_the_lines_of_all_sources_in_the_order_in_which_they_were_written(state: WrittenState) -> None:
    incident(state)
    began = state.ago(50)
    state.incident("inc-bbbb22", began, opened_at=began, rule="log_analysis.attacks", target="source:web")
    found(state, "pattern.guessing", "auth", (58, "Failed password from 203.0.113.5"), (52, "Accepted password"))
    found(state, "pattern.attacks", "web", (56, f"203.0.113.5 GET /.env {HOSTILE}"), (55, "198.51.100.7 GET /.env"))
    answer = state("why", "inc-aaaa11", "--utc").out
    assert "\x1b" not in answer
    shown_lines = shown(answer)
    assert shown_lines[0] == "auth: Failed password from 203.0.113.5"
    assert shown_lines[1].startswith("web: 203.0.113.5 GET /.env")
    assert shown_lines[2:] == ["auth: Accepted password"]
    assert "inc-bbbb22  log_analysis.attacks on source:web: the same address 203.0.113.5" in answer
    body = state("why", "inc-aaaa11", "-o", "json").json()
    assert [line["source"] for line in body["lines"]] == ["auth", "web", "auth"]
    assert [(each["incident"], each["shared"]) for each in body["related"]] == [
        ("inc-bbbb22", [{"kind": "address", "value": "203.0.113.5"}])
    ]
    when = [line["at"] for line in body["lines"]]
    assert when == sorted(when)
