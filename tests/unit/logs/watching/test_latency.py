"""Limits of routes, slow statements and the error budget of one source, over restarts and hostile lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any

import pytest

from zen_agents.logs.formats.json_lines import JsonLines
from zen_agents.logs.formats.plain import Plain
from zen_agents.logs.watching.latency import LatencyRule, LatencyStudy, Limits
from zen_agents.logs.watching.told import MOST_CHARACTERS, MOST_NAMED

NOW = 1_800_000_000.0
RULE = LatencyRule(
    window=600.0,
    least=5,
    limits=Limits(p95=0.5),
    routes={"GET /report/{n}": Limits(p99=30.0)},
    slow_query=1.0,
    objective=0.99,
)


def study(saved: Mapping[str, Any] | None = None, now: float = NOW) -> LatencyStudy:
    return LatencyStudy(RULE, JsonLines(""), UTC, now, saved or {})


def requests(path: str, took: float, *, times: int = 10, status: int = 200) -> bytes:
    line = {"method": "GET", "path": path, "request_time": took, "status": status}
    return f"{json.dumps(line)}\n".encode() * times


def test_an_operation_that_is_too_slow_is_told_with_its_figures_until_it_is_out_of_the_window() -> None:
    source = study()
    source.feed(requests("/orders/17", 0.7) + requests("/fast", 0.1) + requests("/report/3", 20), NOW)
    (slow, *_) = source.told(NOW, is_behind=False)
    assert (slow.is_raised, slow.value) == (True, 1.0)
    (text,) = slow.facts.values()
    assert text.startswith("GET /orders/{n}: p95 7")
    assert text.endswith("ms, 500 ms at most (10 requests)")
    again = study(json.loads(json.dumps(source.saved())), NOW + 60)
    assert again.told(NOW + 60, is_behind=False)[0].facts == slow.facts
    assert not again.told(NOW + 700, is_behind=False)[0].is_raised


def test_of_few_requests_nothing_is_said_and_an_exception_holds_instead_of_the_limit() -> None:
    source = study()
    source.feed(requests("/orders/17", 9, times=4) + requests("/report/3", 31), NOW)
    (slow, *_) = source.told(NOW, is_behind=False)
    assert list(slow.facts) == ["operation 1"]
    assert slow.facts["operation 1"].startswith("GET /report/{n}: p99 3")


def test_a_slow_statement_is_told_by_its_form_without_the_values() -> None:
    rule = LatencyRule(window=600.0, least=1, limits=Limits(), routes={}, slow_query=1.0)
    source = LatencyStudy(rule, Plain(), UTC, NOW, {})
    start = b"2026-11-27 10:00:00.000 UTC [7] LOG:  duration: "
    source.feed(start + b"2500.000 ms  statement: select * from users where mail = 'eve@example.com'\n", NOW)
    source.feed(start + b"500.000 ms  statement: select 1\n", NOW)
    source.feed(b"# Time: 2026\n# Query_time: 3.5  Lock_time: 0\nselect sleep(3);\n# Time: 2026\n", NOW)
    source = LatencyStudy(rule, Plain(), UTC, NOW, json.loads(json.dumps(source.saved())))
    (_, slow, _) = source.told(NOW, is_behind=False)
    assert slow.value == 2
    assert sorted(slow.facts.values()) == [
        "1 times, at most 2.50 s: select * from users where mail = ?", "1 times, at most 3.50 s: select sleep(?)",
    ]  # fmt: skip
    assert not source.told(NOW + 601, is_behind=False)[1].is_raised


def test_errors_that_use_up_the_budget_too_fast_are_told_and_old_ones_are_not_of_now() -> None:
    source = study()
    for minute in range(6):
        source.feed(requests("/a", 0.1, times=10, status=500), NOW + 60 * minute)
    (_, _, budget) = source.told(NOW + 330, is_behind=False)
    assert budget.is_raised
    assert budget.detail == "60 of 60 requests failed within 1 h, and it goes on: 100.0 times what the objective allows"

    late = study()
    stamp = "2027-01-15T02:00:00Z"  # six hours before NOW
    line = json.dumps({"time": stamp, "path": "/a", "status": 500, "request_time": 9})
    for minute in range(6):
        late.feed(f"{line}\n".encode() * 20, NOW + 60 * minute)
    assert [each.is_raised for each in late.told(NOW + 330, is_behind=False)] == [False] * 3


def test_whoever_chooses_paths_fills_no_memory_and_writes_no_page() -> None:
    source = study()
    hostile = [f"/\x1b[31m{'x' * 500}{'abcdefghij'[number % 10]}{number}z/{number}w" for number in range(3000)]
    source.feed(b"".join(requests(path, 9, times=5) for path in hostile), NOW)
    (slow, *_) = source.told(NOW, is_behind=False)
    assert len(slow.facts) <= MOST_NAMED
    assert all(len(text) <= MOST_CHARACTERS for text in slow.facts.values())
    assert len(json.dumps(source.saved())) < 1_000_000


@pytest.mark.parametrize("saved", [{"took": 1, "budget": [], "slow": {}}, {"slow": [["a", 1, "x"], [1.0, 2.0, 3], 7]}])
def test_what_cannot_have_been_saved_is_left_out(saved: dict[str, Any]) -> None:
    assert [each.is_raised for each in study(saved).told(NOW, is_behind=False)] == [False] * 3
