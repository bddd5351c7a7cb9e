"""What would be done right now: one look, the real rules, the real guards, and no way to do anything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any

from zen_agents.agents.base import BaseAgent
from zen_agents.checks.base import Check
from zen_agents.clock import Instant, ManualClock
from zen_agents.dataclass import dataclass
from zen_agents.engine.judged import Judged, judged_body
from zen_agents.engine.judging import AsOf
from zen_agents.engine.parts import Parts
from zen_agents.model.duration import duration
from zen_agents.model.ids import INCIDENT, new_id
from zen_agents.model.incident import Incident
from zen_agents.model.observation import Finding, Observation, Status
from zen_agents.model.reason import Reason
from zen_agents.model.redaction import Redaction
from zen_agents.model.verdict import Ruling
from zen_agents.rehearsal.facts import Facts
from zen_agents.rules.decide import alternatives, decide
from zen_agents.rules.hysteresis import fold
from zen_agents.rules.rule import Rule
from zen_agents.rules.window import RecentObservations

#: A present state is taken to have lasted: samples of it are laid over the rule's window this far apart (seconds).
SAMPLE_EVERY = 5.0
#: Looks in a row that any rule's `fail_after` may ask for.
LOOKS = 100
#: Seconds between two looks of what has to compare them.
COMPARE_AFTER = 1.0


@dataclass(frozen=True, slots=True)
class Line:
    """One rule that is not fine, and what would come of it."""

    rule: Rule
    finding: Finding
    #: would_run, needs_you, blocked, alert_only, unknown.
    word: str
    #: What it rests on besides the present look: "if it stays so for 5m"; "" if it is held already.
    condition: str
    judged: Judged | None
    reason: Reason | None

    def body(self) -> dict[str, Any]:
        """Return the line as plain JSON."""
        return {
            "rule": self.rule.name,
            "target": self.rule.target,
            "status": self.finding.status.value,
            "detail": self.finding.detail,
            "value": self.finding.value,
            "outcome": self.word,
            "reason": self.reason.value if self.reason else None,
            "condition": self.condition,
            "origin": self.rule.origin,
            "judgement": judged_body(self.judged) if self.judged else None,
        }


@dataclass(frozen=True, slots=True)
class PlanReport:
    """Everything that is not fine, worst first, and how many rules are."""

    lines: Sequence[Line]
    fine: int
    at: datetime
    #: Where, and by which configuration it was judged.
    host: str = ""
    mode: str = ""
    config: Sequence[str] = ()
    digest: str = ""
    #: Facts of which no check speaks: probably misspelt.
    unused_facts: Sequence[str] = ()
    #: What is left out where it is shown; what checks saw is so already.
    redaction: Redaction = field(default_factory=Redaction)

    def count(self, word: str) -> int:
        """Return how many lines end so."""
        return sum(1 for line in self.lines if line.word == word)


async def look(parts: Parts, agents: Sequence[BaseAgent]) -> list[Observation]:
    """Ask every check, and a second time those that have to compare two looks (CPU, clock)."""
    checks = [check for agent in agents for check in agent.checks()]
    first = await parts.sampler.sample(checks, parts.clock.now())
    untold = {observation.target + observation.name for observation in first if observation.status is Status.UNKNOWN}
    again = [check for check in checks if any(check.target + name in untold for name in check.observes)]
    if not again:
        return first
    await asyncio.sleep(COMPARE_AFTER)
    second = await parts.sampler.sample(again, parts.clock.now())
    anew = {(observation.name, observation.target) for observation in second}
    return [observation for observation in first if (observation.name, observation.target) not in anew] + second


def observations_of(facts: Facts, checks: Iterable[Check], now: Instant) -> list[Observation]:
    """Return the facts as what these checks would have observed; what the facts leave out is UNKNOWN."""
    found = []
    for check in checks:
        for name in check.observes:
            fact = facts.about(name, check.target)
            status = fact.status if fact else Status.UNKNOWN
            detail = f"{name} is {fact.status.value if fact.value is None else f'{fact.value:g}'}" if fact else "no fact"
            found.append(Observation(name, check.target, status, now, fact.value if fact else None, detail))
    return found


async def rehearse(
    parts: Parts, agents: Sequence[BaseAgent], observations: Sequence[Observation], now: Instant, *, facts_only: bool = False
) -> PlanReport:
    """Judge what was observed as if it stayed so; nothing is started, reserved or written."""
    rules = [rule for agent in agents for rule in agent.rules()]
    observations = parts.journal.redaction.observations(list(observations))
    made = {(observation.name, observation.target): observation for observation in observations}
    lines = [line for rule in rules if (line := await _judge(parts, rule, made, now, facts_only=facts_only)) is not None]
    lines.sort(key=lambda line: (-line.rule.severity.rank, line.rule.key))
    return PlanReport(lines, len(rules) - len(lines), now.wall, redaction=parts.journal.redaction)


async def _judge(
    parts: Parts, rule: Rule, made: dict[tuple[str, str], Observation], now: Instant, *, facts_only: bool
) -> Line | None:
    read = [made[pair] for pair in rule.condition.names if pair in made]
    if facts_only and all(observation.status is Status.UNKNOWN for observation in read):
        return None
    finding, lasting = _lasting(rule, read, now)
    if finding.status is Status.OK:
        return None
    if finding.status is Status.UNKNOWN:
        return Line(rule, finding, "unknown", "", None, Reason.UNKNOWN_OBSERVATION)
    held = parts.book.get(rule.key)
    is_held = held is not None and held.opened_at is not None
    incident = held if is_held and held is not None else lasting
    decision = decide(incident, rule, now, flapping=False)
    if not rule.ladder or decision.request is None:
        return Line(rule, finding, "alert_only", "" if is_held else _condition(rule), None, decision.reason)
    return await _line(parts, rule, finding, incident, now, condition="" if is_held else _condition(rule))


async def _line(parts: Parts, rule: Rule, finding: Finding, incident: Incident, now: Instant, *, condition: str) -> Line:
    situation = parts.book.situation(parts.policy, now, actionable=parts.actionable, running=0, foreign=parts.foreign)
    judged = None
    for request in alternatives(incident, rule):
        judged = await parts.judging.judge(
            request, rule=rule, incident=incident, policy=parts.policy, present=lambda: AsOf(now, situation)
        )
        if judged.verdict.ruling is Ruling.ALLOW:
            return Line(rule, finding, "would_run", condition, judged, None)
    reason = judged.verdict.reason if judged else None
    word = "needs_you" if reason in (Reason.NO_APPROVER, Reason.APPROVAL_PENDING) else "blocked"
    return Line(rule, finding, word, condition, judged, reason)


def _lasting(rule: Rule, read: Sequence[Observation], now: Instant) -> tuple[Finding, Incident]:
    """Return what the rule finds, and the incident that it becomes, if what was seen once stays so."""
    seconds = max([rule.hold.held_for_seconds, *rule.condition.histories.values()]) + 2 * SAMPLE_EVERY
    clock = ManualClock(now.wall, now.steady - seconds)
    window = RecentObservations()
    window.require_all(rule.condition)
    incident: Incident | None = None
    finding = Finding(Status.UNKNOWN, now)
    steps = max(int(seconds / SAMPLE_EVERY), min(LOOKS, rule.hold.fail_after))
    for _ in range(steps + 1):
        at = Instant(now.wall, clock.now().steady)
        for seen in read:
            window.add(Observation(seen.name, seen.target, seen.status, at, seen.value, seen.detail, seen.fingerprint))
        finding = rule.condition.evaluate(window, at)
        incident = fold(rule, incident, finding, at, new_id=lambda: new_id(INCIDENT)) or incident
        clock.advance(seconds / steps)
    if incident is None:
        # Fine: nothing became of it, and nobody asks for its incident.
        bad = Finding(Status.PROBLEM, now)
        incident = fold(rule, None, bad, now, new_id=lambda: new_id(INCIDENT))
    assert incident is not None  # noqa: S101  a bad finding always makes one
    return finding, incident


def _condition(rule: Rule) -> str:
    seconds = max([rule.hold.held_for_seconds, *rule.condition.histories.values()])
    if seconds:
        return f"if it stays so for {duration(seconds)}"
    return f"if it is bad {rule.hold.fail_after} times in a row" if rule.hold.fail_after > 1 else ""
