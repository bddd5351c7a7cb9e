"""Plays one rule test: the engine's own turns, guards, limits and escalation, by the hour in milliseconds.

Real are the agents, rules, conditions, `decide`, every guard, the executor, the verification and a store in memory. Written
are what the checks see, how actions end, and the time. Jitter is that of one fixed seed: the same file plays the same.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.null_control import NullControl
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.agents.base import BaseAgent
from zen_agents.dataclass import dataclass
from zen_agents.engine.parts import Parts
from zen_agents.engine.recorder import Recorder
from zen_agents.engine.tick import AgentTick
from zen_agents.model.entry import EntryKind
from zen_agents.model.incident import Incident
from zen_agents.rehearsal.facts import Fact, Facts
from zen_agents.rehearsal.rule_tests import RuleTest
from zen_agents.rehearsal.series import read_series
from zen_agents.rehearsal.stage import LONG_AFTER_BOOT
from zen_agents.rehearsal.timeline import SameThread, Timeline
from zen_agents.rehearsal.written_answers import WrittenAnswers, steps
from zen_agents.rehearsal.written_world import Told, WrittenHost, WrittenSampler, keep_told, written_actions
from zen_agents.settings.loader import Loaded
from zen_agents.settings.policy import flap_limit, safe_mode_triggers, to_policy
from zen_agents.wiring.agents import agent_context, build_agents
from zen_agents.wiring.parts import World, build_parts, catalog_actions

#: Nothing is there: neither this machine's state nor its emergency stop has a word in a test.
_NOWHERE = Path("/nonexistent/zen-agents-rule-test")
#: No two turns are closer (seconds), as in a running engine.
SHORTEST_STEP = 0.05
_HOST_NAME = "test"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that came of a test. Times are seconds from its start."""

    at: float
    #: decision, action, alert, incident, approval, or answer: what a person said.
    kind: str
    rule: str
    target: str
    #: The decision's outcome, the message's kind, the incident's state; for an action "act".
    word: str
    reason: str = ""
    action: str = ""
    severity: str = ""
    detail: str = ""
    #: Everything else by which the target may be called: `nginx.service`.
    touches: frozenset[str] = frozenset()
    guards: Sequence[Mapping[str, Any]] = ()
    #: Of an answer: its position in the test.
    number: int = 0


@dataclass(slots=True)
class Play:
    """The engine's parts over a written world, ready to be played."""

    parts: Parts
    ticks: Sequence[AgentTick]
    clock: Timeline
    told: Told
    store: SqliteStore
    began: float
    answers: WrittenAnswers
    #: Incident states as they changed.
    states: list[Event] = field(default_factory=list)


async def play(test: RuleTest, loaded: Loaded) -> Sequence[Event]:
    """Play a test to the end of its series, and a sample longer than its last expectation; return what came of it."""
    stage = _set(test, loaded)
    try:
        await _run(stage, _length(test))
        return _events(stage, test)
    finally:
        stage.store.close()


def _length(test: RuleTest) -> float:
    every = test.sample_every.total_seconds()
    samples = max([len(read_series(series)) for series in test.inputs.values()], default=0)
    return max(samples * every, test.last_at.total_seconds() + every)


def _set(test: RuleTest, loaded: Loaded) -> Play:
    settings, clock = loaded.require(), Timeline(test.begins, LONG_AFTER_BOOT)
    series = {name: read_series(text) for name, text in test.inputs.items()}
    every, began = test.sample_every.total_seconds(), clock.now().steady

    def facts() -> Facts:
        index = int((clock.now().steady - began) / every + 1e-6)
        return Facts(clock.now().wall, {name: _at(values, index) for name, values in series.items()})

    host, told, store = WrittenHost(facts), Told(), SqliteStore.snapshot(None)
    world = World(
        host=host, store=store, clock=clock, notifier=told, events=told,
        flag=EmergencyFlag(_NOWHERE, host_flag=_NOWHERE / "flag"), control=lambda _: NullControl(host), action_log=told,
        thread=SameThread,
    )  # fmt: skip
    agents = build_agents(settings, agent_context(loaded, host, _NOWHERE, _HOST_NAME))
    for agent in agents:
        keep_told(agent, facts())
    parts = build_parts(
        world, to_policy(settings, loaded, agents), triggers=safe_mode_triggers(settings), host_name=_HOST_NAME,
        actions=written_actions(catalog_actions(), test.action_results, clock),
    )  # fmt: skip
    parts.sampler, parts.flapping = WrittenSampler(host, clock, facts), flap_limit(settings)
    parts.random = random.Random(0)  # noqa: S311 # nosec B311 - nothing is kept secret by it
    recorder = Recorder(store, lambda: 0, lambda: None)
    ticks = [AgentTick(agent, parts, recorder) for agent in agents]
    parts.actionable = len({rule.target for tick in ticks for rule in tick.watchlist.rules.values() if rule.ladder})
    answers = WrittenAnswers(test.approvals, parts, began, lambda incident: _look_soon(ticks, incident))
    return Play(parts, ticks, clock, told, store, began, answers)


def _look_soon(ticks: Sequence[AgentTick], incident: Incident) -> None:
    for tick in ticks:
        if tick.agent.name == incident.agent:
            tick.look_soon(incident.key)


def _at(values: Sequence[Fact], index: int) -> Fact:
    return values[min(index, len(values) - 1)]


async def _run(stage: Play, seconds: float) -> None:
    """Let time pass, with a turn whenever one is due, and let each action end when it should."""
    clock, end = stage.clock, stage.clock.now().steady + seconds
    watched = [tick.watchlist for tick in stage.ticks]
    checks = [check for each in watched for check in each.checks.values()]
    await stage.parts.causes.renew(checks, [rule for each in watched for rule in each.rules.values()])
    while True:
        clock.wake()
        await _settle(stage)
        await stage.answers.give()
        for tick in stage.ticks:
            if tick.next_at() <= clock.now().steady:
                await tick.run()
        await _settle(stage)
        _note_states(stage)
        now = clock.now().steady
        due = min(
            clock.next_at,
            max(stage.answers.next_at(), now + SHORTEST_STEP),
            max(min(tick.next_at() for tick in stage.ticks), now + SHORTEST_STEP),
        )
        if due > end:
            return
        clock.advance(due - now)


async def _settle(stage: Play) -> None:
    """Let what was started go on until it waits for time to pass."""
    while stage.parts.executor.running > stage.clock.waiting:  # noqa: ASYNC110 - a turn of the loop, not a wait
        await asyncio.sleep(0)


def _note_states(stage: Play) -> None:
    """Keep each change of an incident's state; the store has only the last."""
    at, known = stage.clock.now().steady - stage.began, {(each.rule, each.target): each.word for each in stage.states}
    live = {(each.rule, each.target): each for each in stage.parts.book}
    for key, incident in live.items():
        if known.get(key) != incident.state.value:
            stage.states.append(Event(at, "incident", *key, incident.state.value, detail=incident.detail))
    for key, word in known.items():
        if key not in live and word not in ("none", "resolved"):
            # One that was only suspected was never an incident that could be resolved.
            stage.states.append(Event(at, "incident", *key, "none" if word == "suspected" else "resolved"))


def _events(stage: Play, test: RuleTest) -> Sequence[Event]:
    """Return what the engine itself wrote down and told, in the order in which it happened."""
    stage.store.commit()
    found = [*_decisions(stage), *_actions(stage), *stage.states, *_approvals(stage), *_answers(stage, test)]
    for message in stage.told.messages:
        at, severity = message.at.steady - stage.began, message.severity.value
        found.append(Event(at, "alert", message.rule, message.target, message.kind.value,
                           severity=severity, detail=message.summary))  # fmt: skip
    return sorted(found, key=lambda event: event.at)


def _decisions(stage: Play) -> list[Event]:
    found = []
    since = 0
    while entries := stage.store.entries(since=since, kinds=[EntryKind.DECISION]):
        for chained in entries:
            since, body = chained.seq, chained.entry.body
            plan = body.get("plan") or {}
            found.append(Event(
                chained.entry.at.steady - stage.began, "decision", body["rule"], body["target"], body["outcome"],
                body["reason"], plan.get("action") or body.get("action", ""), detail=body["detail"] or body["seen"],
                touches=_names(plan), guards=body.get("guards", ()),
            ))  # fmt: skip
    return found


def _actions(stage: Play) -> list[Event]:
    return [
        Event(row.reserved_at.steady - stage.began, "action", row.rule, row.target, "act", "", row.action,
              detail=row.kind.value, touches=_names(row.plan))
        for row in reversed(stage.store.actions(limit=100_000))
    ]  # fmt: skip


def _approvals(stage: Play) -> list[Event]:
    return [
        Event(step.at - stage.began, "approval", step.rule, step.target, step.state, action=step.action, detail=step.detail)
        for step in steps(stage.store)
    ]


def _answers(stage: Play, test: RuleTest) -> list[Event]:
    written = [(each, test.approvals[each.number]) for each in stage.answers.answered]
    return [
        Event(given.at - stage.began, "answer", answer.rule or "", answer.by, answer.decision, detail=given.refused,
              number=given.number)
        for given, answer in written
    ]  # fmt: skip


def _names(plan: Mapping[str, Any]) -> frozenset[str]:
    """Return what a plan touches, as the ledger and the actions each write it."""
    touched = plan.get("touches", ())
    return frozenset(str(each["name"] if isinstance(each, Mapping) else each.partition(":")[2]) for each in touched)


def declared(loaded: Loaded) -> Sequence[BaseAgent]:
    """Return the agents of a configuration as a test would have them."""
    host = WrittenHost(lambda: Facts(datetime(2026, 1, 1, tzinfo=UTC), {}))
    return build_agents(loaded.require(), agent_context(loaded, host, _NOWHERE, _HOST_NAME))
