"""What `status` shows: is it still broken, what did the engine do, what holds it, what comes next."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from zen_agents.clock import Instant
from zen_agents.engine.parts import Parts
from zen_agents.engine.running_agent import RunningAgent
from zen_agents.guards.approval import DEMOTED
from zen_agents.guards.windows import OpenWindow, open_windows
from zen_agents.model.action import Budget, OutcomeKind
from zen_agents.model.approval import Approval
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.observation import Status
from zen_agents.ports.store import ActionRow
from zen_agents.rules.rule import Rule

if TYPE_CHECKING:
    from zen_agents.engine.engine import Engine

SCHEMA = "zen-agents/status/v1"
#: Rows of the table of checks; worst first, the rest is counted.
MOST_ROWS = 200
#: Worst first.
_RANKS = {"DOWN": 0, "unknown": 1, "verifying": 2, "suspected": 3, "ok": 4}


def status_of(engine: Engine) -> dict[str, Any]:
    """Return the engine's state as plain JSON; bounded in size whatever the number of checks."""
    parts, now = engine.parts, engine.parts.clock.now()
    local = now.wall.astimezone()
    midnight = now.steady - (local.hour * 3600 + local.minute * 60 + local.second)
    today = parts.store.actions(since=midnight, limit=1000)
    rows = _rows(engine, now)
    live = parts.book.count_open()
    return {
        "schema": SCHEMA,
        "host": engine.host_name,
        "health": "degraded" if live or engine.abnormal() else "healthy",
        "mode": parts.policy.mode,
        "dry_run": parts.policy.dry_run,
        "abnormal": engine.abnormal(),
        "windows": [_window(window, now) for window in open_windows(parts.policy.maintenance, parts.store.brakes(), now)],
        "warnings": engine.warnings(),
        "up_seconds": now.steady - engine.started_at.steady,
        "last_tick_seconds_ago": engine.last_tick_age(now),
        "config": engine.config_facts(),
        "incidents_open": live,
        "actions_today": len(today),
        "actions_by_outcome": _by_outcome(today),
        "repairs_spent": parts.store.spent(Budget.REPAIR, now.steady - parts.policy.repairs.within_seconds),
        "repairs_limit": parts.policy.repairs.most,
        "approvals": [_approval(asked, now) for asked in parts.store.open_approvals()],
        "demoted": [{"scope": each.scope, "reason": each.reason} for each in parts.store.brakes() if each.kind == DEMOTED],
        "agents": [_agent(agent, now) for agent in engine.agents],
        "checks": rows,
        "checks_more": sum(len(agent.tick.watchlist.rules) for agent in engine.agents) - len(rows),
        "looks": [*_looks(engine, now)],
        "pages_undelivered": engine.undelivered(),
        "misfires": dict(engine.misfires),
    }


def _window(window: OpenWindow, now: Instant) -> dict[str, Any]:
    return {
        "name": window.name, "effect": window.effect, "left_seconds": window.until - now.steady,
        "ends_at": now.after(window.until - now.steady).wall.isoformat(), "by": window.by, "reason": window.reason,
    }  # fmt: skip


def _approval(asked: Approval, now: Instant) -> dict[str, Any]:
    what = {"id": asked.id, "action": asked.action, "target": asked.target, "state": asked.state.value}
    return what | {"agreed": asked.agreed, "needed": asked.needed, "expires_seconds": asked.expires_at - now.steady}


def _by_outcome(rows: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.kind.value] = counts.get(row.kind.value, 0) + 1
    return counts


def _looks(engine: Engine, now: Instant) -> Iterator[dict[str, Any]]:
    """Yield what is found out before an action, and checks that take long."""
    for survey in engine.parts.planning.surveys:
        request = survey.request
        yield {
            "action": request.action, "target": request.target, "by": request.requested_by.name,
            "since_seconds": now.steady - survey.began_at.steady, "doing": survey.doing, "share": survey.share,
        }  # fmt: skip
    for agent in engine.agents:
        for look in agent.tick.outlook.long_looks:
            doing, share = look.check.how_far()
            yield {
                "action": None, "target": look.check.target, "by": agent.name,
                "since_seconds": now.steady - look.began_at.steady, "doing": doing, "share": share,
            }  # fmt: skip


def _agent(agent: RunningAgent, now: Instant) -> dict[str, Any]:
    return {
        "name": agent.name,
        "state": agent.state.value,
        "checks": len(agent.tick.watchlist.checks),
        "rules": len(agent.tick.watchlist.rules),
        "next_look_seconds": max(0.0, agent.tick.next_at() - now.steady) if agent.tick.watchlist.checks else None,
    }


def _rows(engine: Engine, now: Instant) -> list[dict[str, Any]]:
    """Return the rows that are shown; only they are made, since a storm has ten thousand."""
    worst, book = _worst(engine), engine.parts.book
    last = _last_actions(engine.parts)
    ended = _last_ends(engine.parts) if any(rule.key not in book for _, rule in worst) else {}
    return [_row(agent, rule, book.get(rule.key), last.get(rule.target), ended.get(rule.key), now) for agent, rule in worst]


def _worst(engine: Engine) -> list[tuple[RunningAgent, Rule]]:
    """Return the rules that are shown, worst first; of thousands that are well none is looked at."""
    # Nothing is worse than to be down, and the book has those first that have been so the longest.
    down = (bad for bad in _with_incident(engine) if _word_of(bad) == "DOWN")
    shown = list(islice(down, MOST_ROWS))
    if len(shown) < MOST_ROWS:
        shown = heapq.nsmallest(MOST_ROWS, _with_incident(engine), key=lambda bad: (_RANKS[_word_of(bad)], bad[1].name))
    rows = [(agent, rule) for agent, rule, _ in shown]
    if len(rows) < MOST_ROWS:
        rows += heapq.nsmallest(MOST_ROWS - len(rows), _without_incident(engine), key=lambda pair: pair[1].name)
    return rows


def _with_incident(engine: Engine) -> Iterator[tuple[RunningAgent, Rule, Incident]]:
    agents = {agent.name: agent for agent in engine.agents}
    for incident in engine.parts.book:
        agent = agents.get(incident.agent)
        rule = agent.tick.watchlist.rules.get(incident.key) if agent else None
        if agent is not None and rule is not None:
            yield agent, rule, incident


def _without_incident(engine: Engine) -> Iterator[tuple[RunningAgent, Rule]]:
    book = engine.parts.book
    return ((agent, rule) for agent in engine.agents for key, rule in agent.tick.watchlist.rules.items() if key not in book)


def _word_of(bad: tuple[RunningAgent, Rule, Incident]) -> str:
    return _state(bad[2], Status.OK)[0]


def _last_actions(parts: Parts) -> dict[str, ActionRow]:
    last: dict[str, ActionRow] = {}
    for row in parts.store.actions(limit=200):
        last.setdefault(row.target, row)
    return last


def _last_ends(parts: Parts) -> dict[str, float]:
    """Return when the last incident of each key ended: since then it is good."""
    ends: dict[str, float] = {}
    for incident in parts.store.incidents(limit=200):
        if incident.resolved_at is not None:
            ends[incident.key] = max(ends.get(incident.key, 0.0), incident.resolved_at.steady)
    return ends


def _row(
    agent: RunningAgent, rule: Rule, incident: Incident | None, action: ActionRow | None, good_since: float | None,
    now: Instant,
) -> dict[str, Any]:  # fmt: skip
    finding = rule.condition.evaluate(agent.tick.latest, now)
    state, since = _state(incident, finding.status)
    since = good_since if state == "ok" and since is None else since
    return {
        "check": rule.name,
        "target": rule.target,
        "state": state,
        "since_seconds": now.steady - since if since is not None else None,
        "value": finding.detail if finding.detail else (f"{finding.value:g}" if finding.value is not None else ""),
        "incident": incident.id if incident else None,
        "severity": rule.severity.value,
        "last_action": _action(action),
        "muted_by": _muted_by(agent, rule, incident),
    }


def _muted_by(agent: RunningAgent, rule: Rule, incident: Incident | None) -> dict[str, str] | None:
    """Return of what people are told instead, and how it is known that this depends on it."""
    mute = agent.tick.mute(rule, incident) if incident is not None and incident.opened_at is not None else None
    return None if mute is None else {"target": mute.root.target, "incident": mute.root.id, "source": mute.source}


def incidents_of(engine: Engine) -> list[dict[str, Any]]:
    """Return the open incidents of services, by what they are muted if they are."""
    return [
        {"target": rule.target, "incident": incident.id, "muted_by": _muted_by(agent, rule, incident)}
        for agent, rule, incident in _with_incident(engine)
        if incident.opened_at is not None and rule.target.startswith("service:")
    ]


def _state(incident: Incident | None, status: Status) -> tuple[str, float | None]:
    if incident is None:
        return ("ok" if status is Status.OK else "unknown" if status is Status.UNKNOWN else "suspected"), None
    if incident.state is IncidentState.VERIFYING:
        return "verifying", incident.began_at.steady
    if incident.last_status is Status.UNKNOWN:
        return "unknown", incident.unknown_since
    if incident.state is IncidentState.SUSPECTED:
        return "suspected", incident.began_at.steady
    return "DOWN", incident.began_at.steady


def _action(row: ActionRow | None) -> dict[str, Any] | None:
    if row is None:
        return None
    word = row.kind.value.upper() if row.kind in (OutcomeKind.FAILED, OutcomeKind.UNKNOWN) else row.kind.value
    return {"id": row.id, "action": row.action, "outcome": word}
