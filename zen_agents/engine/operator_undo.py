"""What people may ask about undoing: what it would do, that it be done, and that agents come back one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from zen_agents.engine.engine import Engine
from zen_agents.engine.judged import judged_body
from zen_agents.engine.requests import override_of, seconds_of, text_of
from zen_agents.engine.rollback import PAUSE, Result, Step
from zen_agents.engine.undo import PAUSED_FOR
from zen_agents.errors import RefusedError, UsageError
from zen_agents.model.ids import ACTION
from zen_agents.model.principal import Principal
from zen_agents.model.reason import Reason
from zen_agents.ports.store import ActionRow


class UndoVerbs:
    """Answers the verbs of undo, rollback and staged resume."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def judge_undo(self, args: dict[str, Any], who: Principal) -> Any:
        """Answer what an undo would do and what would be said to it, without doing it."""
        row, undo = self._action(text_of(args, "undoes")), self._engine.undo
        judged = await undo.judge(row, who=who, reason=text_of(args, "reason", ""), override=override_of(args))
        return judged_body(judged) | {
            "undoes": row.id, "undone_action": row.action, "paused": list(undo.scopes(row)), "paused_seconds": PAUSED_FOR,
        }  # fmt: skip

    async def undo(self, args: dict[str, Any], who: Principal) -> Any:
        row = self._action(text_of(args, "undoes"))
        done = await self._engine.undo.undo(row, who=who, reason=text_of(args, "reason"), override=override_of(args))
        self._engine.forget_waits()
        return {
            "undoes": row.id, "action": done.intent.id, "outcome": done.outcome.kind.value,
            "took_seconds": done.outcome.took_seconds, "detail": done.outcome.effect.detail, "paused": list(done.paused),
            "paused_seconds": PAUSED_FOR,
        }  # fmt: skip

    async def judge_rollback(self, args: dict[str, Any], who: Principal) -> Any:
        """Answer what a rollback would undo and what not, without doing it."""
        since, named = self._since(args)
        steps = await self._engine.rollback.preview(since, who=who, reason=text_of(args, "reason", ""))
        return self._steps_body(since, named, steps)

    async def rollback(self, args: dict[str, Any], who: Principal) -> Any:
        since, named = self._since(args)
        if self._engine.stopped():
            raise RefusedError(Reason.EMERGENCY_STOP.sentence, reason=Reason.EMERGENCY_STOP)
        steps = await self._engine.rollback.run(since, who=who, reason=text_of(args, "reason"))
        return self._steps_body(since, named, steps)

    def _since(self, args: Mapping[str, Any]) -> tuple[float, str]:
        """Return the steady time that `to` names, and what names it for good: a moment in ISO 8601, or an action's id."""
        to, now = text_of(args, "to"), self._engine.parts.clock.now()
        try:
            ago = (now.wall - datetime.fromisoformat(to)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            row = self._action(to)
            return row.reserved_at.steady, row.id
        if ago < 0:
            raise UsageError(f"{to} is still to come")
        return now.steady - ago, to

    def _steps_body(self, since: float, named: str, steps: Sequence[Step]) -> Any:
        now = self._engine.parts.clock.now()
        return {
            "named": named,
            "to": now.after(since - now.steady).wall.isoformat(timespec="seconds"),
            "paused": [brake.scope for brake in self._engine.parts.store.brakes()
                       if brake.kind == PAUSE and brake.scope.startswith("agent:")],
            "left": sum(step.result is Result.LEFT for step in steps),
            "steps": [{"id": step.row.id, "action": step.row.action, "target": step.row.target, "result": step.result.value,
                       "detail": step.detail, "undo": step.by} for step in steps],
        }  # fmt: skip

    async def resume_staged(self, args: dict[str, Any], who: Principal) -> Any:
        trial = self._engine.stages.begin(who, seconds_of(args), text_of(args, "reason", ""))
        return {"agent": trial.agent, "bake_seconds": trial.bake_seconds, "waiting": list(trial.waiting)}

    def _action(self, id: str) -> ActionRow:
        """Return the one action whose id begins so; `@last` is the newest. UsageError if there is none, or more than one."""
        store = self._engine.parts.store
        if id == "@last":
            found = [row.id for row in store.actions(limit=1)]
        else:
            wanted = id if id.startswith(f"{ACTION}-") else f"{ACTION}-{id}"
            begin_so = store.find_ids(wanted)
            found = [wanted] if wanted in begin_so else list(begin_so)
        row = store.action(found[0]) if len(found) == 1 else None
        if row is None:
            raise UsageError(f"{id!r} names {len(found) or 'no'} actions; see: zen-agents actions")
        return row

    # -- approvals ----------------------------------------------------------------------------------------------------
