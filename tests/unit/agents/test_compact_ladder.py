"""Ladders of thousands of entries: kept by name, and in every way the rungs that they stand for."""

from __future__ import annotations

import sys
from typing import Any

from zen_agents.agents.base import AgentContext
from zen_agents.agents.system_health.agent import SystemHealthAgent
from zen_agents.agents.system_health.compact_ladder import CompactLadder, Ladders
from zen_agents.agents.system_health.remedies import Remedies
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.rules.rule import Rung

PATH = {"kind": "directory", "mode": "0755", "owner": "root", "group": "root", "create": True}


def settings(**values: Any) -> SystemHealthSettings:
    paths = {f"p{number}": {"path": f"/srv/{number}", **PATH} for number in range(3)}
    return SystemHealthSettings.model_validate({"paths": paths, **values})


def requests(remedies: Remedies, *pairs: tuple[str, str]) -> tuple[Any, ...]:
    found = tuple(remedies.of(*pair) for pair in pairs)
    assert None not in found
    return found


def test_the_rungs_are_those_that_were_kept_and_again_after_another_was_looked_at() -> None:
    remedies = Remedies(settings())
    ladders = Ladders(remedies)
    first, other = (
        (
            Rung(requests(remedies, ("create_directory", target), ("restore_permissions", target)), attempts=2),
            Rung(requests(remedies, ("restore_permissions", "path:p2")), settle_seconds=3.0),
        )
        for target in ("path:p0", "path:p1")
    )
    kept, beside = ladders.keep(first, "path:p0"), ladders.keep(other, "path:p1")
    for _ in range(2):
        assert (tuple(kept), kept[-1], kept[:1]) == (first, first[-1], first[:1])
        assert (len(beside), beside[0], beside == other) == (2, other[0], True)
    assert kept != beside


def test_entries_share_everything_but_their_target() -> None:
    rules = [rule for rule in SystemHealthAgent(settings(), AgentContext("h")).rules() if rule.target.startswith("path:")]
    ladders = [rule.ladder for rule in rules]
    assert all(isinstance(ladder, CompactLadder) for ladder in ladders)
    assert len({id(ladder.steps) for ladder in ladders if isinstance(ladder, CompactLadder)}) == 1
    assert [ladder[0].alternatives[0].params["path"] for ladder in ladders] == ["/srv/0", "/srv/1", "/srv/2"]


def test_a_rule_without_an_action_has_no_rung() -> None:
    ladders = Ladders(Remedies(settings()))
    assert ladders.keep((), "path:p0") == ()


def test_the_scope_is_a_set_of_names_and_each_has_its_request() -> None:
    remedies = Remedies(settings(caches={"pip": {"path": "/srv/pip", "above": "2GiB", "down_to": "1GiB"}}))
    assert ("create_directory", "path:p1") in remedies
    assert ("create_directory", "path:p9") not in remedies
    word: object = "path:p1"
    assert word not in remedies
    assert {(request.action, request.target) for request in remedies.requests()} == set(remedies)
    assert len(remedies) == len(list(remedies.requests())) == 7
    made = remedies.of("create_directory", "path:p1")
    restored = remedies.of("restore_permissions", "path:p1")
    assert made is not None
    assert restored is not None
    assert made.params == {"path": "/srv/1", "mode": "0755", "owner": "root", "group": "root"}
    assert restored.params == {**made.params, "kind": "directory"}
    assert remedies.of("clear_cache", "path:p1") is None


def test_checks_rules_and_remedies_use_the_same_words() -> None:
    agent = SystemHealthAgent(settings(), AgentContext("h"))
    check = next(check for check in agent.checks() if check.name == "path.p1")
    rule = next(rule for rule in agent.rules() if rule.target == "path:p1")
    (pair,) = rule.condition.names
    assert pair[0] is check.name
    assert rule.target is check.target is pair[1] is sys.intern("path:p1")
