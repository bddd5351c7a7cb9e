"""What an earlier engine left unfinished is verified by this one; nothing is replayed (R16)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zen_agents.clock import Instant
from zen_agents.errors import StoreError
from zen_agents.ports.store import ActionRow

if TYPE_CHECKING:
    from zen_agents.engine.engine import Engine


def recover(engine: Engine) -> None:
    """Verify what is unfinished; on a state of another host nothing is repaired, and no question stays open."""
    parts, now = engine.parts, engine.parts.clock.now()
    if parts.foreign:
        engine.approvals.take_back("the state is not this host's own", now)
        parts.escalation.engine("observe_only", f"nothing is repaired: {parts.foreign}", now)
    try:
        rows = parts.store.unfinished()
    except StoreError as error:
        parts.safe_mode.store_failed(str(error))
        return
    for row in rows:
        _adopt(engine, row, now)
    if rows:
        _write(engine, rows, now)
    parts.executor.unbegun.clear()


def _adopt(engine: Engine, row: ActionRow, now: Instant) -> None:
    """Hand an action to who judges it: what a person asked for to that, the rest to its agent."""
    if row.incident is None and (engine.undo.adopt(row) or engine.by_hand.adopt(row)):
        return
    agent = next((agent for agent in engine.agents if agent.name == row.agent), next(iter(engine.agents), None))
    if agent is None:
        return
    incident = next((each for each in engine.parts.book if each.id == row.incident), None)
    rule = agent.tick.watchlist.rules.get(incident.key) if incident else None
    agent.tick.repairs.adopt(row, incident, rule, now)


def _write(engine: Engine, rows: Sequence[ActionRow], now: Instant) -> None:
    try:
        engine.parts.journal.engine(now, "recovered", actions=[row.id for row in rows])
        engine.parts.store.commit()
    except StoreError as error:
        # An engine that cannot write watches and tells (R14).
        engine.parts.safe_mode.store_failed(str(error))
