"""What holds the engine, a line each: the first is line 1 of `status`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from zen_agents.clock import Instant
from zen_agents.engine.rollback import PAUSE
from zen_agents.engine.storm import STORM
from zen_agents.engine.undo import RULE_PAUSED
from zen_agents.errors import StoreError
from zen_agents.guards.recurrence import RIVAL
from zen_agents.model.agent import AgentState
from zen_agents.ports.store import Brake, Store

if TYPE_CHECKING:
    from zen_agents.engine.engine import Engine


def held_by(engine: Engine) -> list[str]:
    """Return what holds it, worst first, each with what to type."""
    parts = engine.parts
    brakes, unreadable = _brakes(parts.store)
    lines = [
        *_whole_engine(engine),
        *unreadable,
        *(line for brake in sorted(brakes, key=_place) for line in _held_by_brake(brake, parts.clock.now())),
    ]
    if trouble := engine.config_trouble():
        lines.append(f"CONFIG NOT APPLIED: {trouble['error']} - running the old one. zen-agents check-config")
    lines.extend(f"AGENT FAILED: {a.name}" for a in engine.agents if a.state is AgentState.FAILED)
    if not parts.store.writable():
        lines.append("STATE NOT WRITABLE: nothing will be changed")
    return lines


def _whole_engine(engine: Engine) -> Iterator[str]:
    parts = engine.parts
    if engine.is_ending:
        yield f"ENDING: waits for {parts.executor.running} running actions; ask once more not to wait"
    if text := engine.emergency.text:
        yield f"EMERGENCY STOP {text} - nothing will run. zen-agents resume --help"
    if brake := parts.safe_mode.brake:
        yield f"SAFE MODE since {_clock_time(brake.since)}: {_clause(brake.reason)}. zen-agents safe-mode off --reason TEXT"
    if parts.foreign:
        yield f"OBSERVING ONLY: {parts.foreign}"


def _brakes(store: Store) -> tuple[Sequence[Brake], list[str]]:
    try:
        return store.brakes(), []
    except StoreError as error:
        return (), [f"STATE NOT READABLE: nothing will be changed; {error}"]


def _place(brake: Brake) -> bool:
    """Sort what holds everything before what holds one thing."""
    return brake.kind != STORM


def _held_by_brake(brake: Brake, now: Instant) -> Iterator[str]:
    holds = brake.until is None or brake.until > now.steady
    if brake.kind in (PAUSE, RULE_PAUSED) and holds:
        until = "lifted" if brake.until is None else _time_of_day(brake.until, now)
        yield f'PAUSED until {until} ({brake.scope}) by {brake.by} "{brake.reason}". zen-agents resume {brake.scope}'
    if brake.kind == RIVAL and brake.until is not None and holds:
        until = _time_of_day(brake.until, now)
        yield f"BACKED OFF until {until} ({brake.scope}): {_clause(brake.reason)}. zen-agents resume {brake.scope}"
    if brake.kind == STORM and brake.until is not None and holds:
        until = _time_of_day(brake.until, now)
        yield f"STORM BRAKE until {until}: {_clause(brake.reason)}; nothing is repaired. zen-agents runbook storm-brake"
    if brake.kind == "target_closed":
        yield f"CLOSED to the engine: {brake.scope}: {_clause(brake.reason)}. zen-agents resume {brake.scope}"


def _clause(reason: str) -> str:
    """Return a reason as part of a sentence that goes on."""
    return reason.removesuffix(".")


def _time_of_day(steady: float, now: Instant) -> str:
    """Return the time of day at which that will be, with the weekday if it is not today's."""
    begins, ends = now.wall.astimezone(), now.after(steady - now.steady).wall.astimezone()
    return f"{ends:%H:%M}" if ends.date() == begins.date() else f"{ends:%a %H:%M}"


def _clock_time(at: Instant) -> str:
    local: datetime = at.wall.astimezone()
    return f"{local:%Y-%m-%d %H:%M %Z}"
