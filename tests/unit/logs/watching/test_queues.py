"""Queues as lines tell of them: those that grow are told, with when they are full; nothing is lost over a restart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from zen_agents.logs.formats.json_lines import JsonLines
from zen_agents.logs.formats.plain import Plain
from zen_agents.logs.watching.queues import MOST_QUEUES, QueueRule, QueueStudy
from zen_agents.logs.watching.told import Told

NOW = 1_800_000_000.0
FIELDS = QueueRule(window=600.0, least=1, limit=1000)
WRITTEN = QueueRule(window=600.0, least=1, match=r"queue (?P<queue>\w+): (?P<depth>\d+)")


def fed(study: QueueStudy, *lines: str, every: float = 15.0) -> Told:
    """Return what is told after lines that come so often (seconds)."""
    for number, line in enumerate(lines):
        study.feed(f"{line}\n".encode(), NOW + number * every)
    (told,) = study.told(NOW + (len(lines) - 1) * every, is_behind=False)
    return told


def grown(name: str, by: int, number: int = 40) -> list[str]:
    return [json.dumps({"queue": name, "queue_depth": 10 + by * each}) for each in range(number)]


def test_a_queue_that_grows_is_told_with_when_it_is_full() -> None:
    told = fed(QueueStudy(FIELDS, JsonLines(), None, {}), *grown("mail", 10))
    assert (told.is_raised, told.value) == (True, 1.0)
    assert told.detail == "mail: 400 entries, 40 more a minute, full (1000) in 15 min"
    assert told.facts == {"queue 1": told.detail}


def test_one_that_wavers_or_shrinks_is_not() -> None:
    wavers = [json.dumps({"queue_length": 100 + 7 * (each % 5)}) for each in range(40)]
    told = fed(QueueStudy(FIELDS, JsonLines(), None, {}), *wavers)
    assert (told.is_raised, told.detail) == (False, "no queue of 1 grows")
    assert not fed(QueueStudy(FIELDS, JsonLines(), None, {}), *reversed(grown("mail", 10))).is_raised


def test_lines_of_text_tell_by_the_groups_of_an_expression_and_each_queue_counts_for_itself() -> None:
    lines = [f"queue {name}: {10 + by * each} waiting" for each in range(40) for name, by in (("a", 1), ("b", 5), ("c", 0))]
    told = fed(QueueStudy(WRITTEN, Plain(), None, {}), "unlike", *lines, every=5.0)
    assert told.value == 2.0
    assert told.detail.startswith("b: 205 entries")
    assert told.detail.endswith("(and 1 more)")


def test_a_short_queue_is_no_news() -> None:
    rule = QueueRule(window=600.0, least=500)
    assert not fed(QueueStudy(rule, JsonLines(), None, {}), *grown("mail", 10)).is_raised


def test_a_full_one_comes_first() -> None:
    rule = QueueRule(window=600.0, least=1, limit=300, match=WRITTEN.match)
    lines = [f"queue {name}: {by * each}" for each in range(40) for name, by in (("slow", 2), ("full", 10))]
    told = fed(QueueStudy(rule, Plain(), None, {}), *lines, every=7.5)
    assert told.detail.startswith("full: 390 entries, ")
    assert ", more than 300" in told.detail


def test_a_restart_loses_nothing() -> None:
    before = QueueStudy(FIELDS, JsonLines(), None, {})
    half = grown("mail", 10)
    fed(before, *half[:20])
    after = QueueStudy(FIELDS, JsonLines(), None, json.loads(json.dumps(before.saved())))
    for number, line in enumerate(half[20:], start=20):
        after.feed(f"{line}\n".encode(), NOW + number * 15.0)
    (told,) = after.told(NOW + 39 * 15.0, is_behind=False)
    assert told.detail == "mail: 400 entries, 40 more a minute, full (1000) in 15 min"


@pytest.mark.parametrize(
    "saved", [{"queues": 3}, {"queues": [["a", 3], [3, {}], "x"]}, {"queues": [["a", {"depths": "x"}]]}]
)
def test_what_cannot_have_been_saved_is_left_out(saved: dict[str, Any]) -> None:
    assert not fed(QueueStudy(FIELDS, JsonLines(), None, saved), "{}").is_raised


def test_whoever_invents_queues_fills_no_memory() -> None:
    study = QueueStudy(WRITTEN, Plain(), None, {})
    told = fed(study, *(f"queue q{number}: 1" for number in range(1000)), every=0.1)
    assert told.detail == f"no queue of {MOST_QUEUES} grows"
    assert len(study.saved()["queues"]) == MOST_QUEUES


@pytest.mark.parametrize("depth", ["-1", "nan", "inf", "1e99", "many", "", "null"])
def test_what_is_no_depth_counts_for_nothing(depth: str) -> None:
    assert fed(QueueStudy(FIELDS, JsonLines(), None, {}), json.dumps({"backlog": depth})).detail == "no queue of 0 grows"
