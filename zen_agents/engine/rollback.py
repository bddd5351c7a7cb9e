"""Back to an earlier state: what was done since is undone, the newest first, while every agent only observes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.engine.parts import Parts
from zen_agents.engine.running_agent import RunningAgent
from zen_agents.engine.undo import Undo
from zen_agents.errors import UsageError, ZenError
from zen_agents.model.action import OutcomeKind
from zen_agents.model.principal import Principal
from zen_agents.model.verdict import Ruling
from zen_agents.ports.store import ActionRow, Brake

PAUSE = "pause"
#: A rollback over more actions is refused: somebody mistyped the time.
MOST_ACTIONS = 1000
#: How long a rollback waits for an action that runs (seconds); one that goes on is told as such.
DRAIN_SECONDS = 60.0

_NEVER_RAN = frozenset({OutcomeKind.DENIED, OutcomeKind.EXPIRED, OutcomeKind.SKIPPED})


class Result(StrEnum):
    """What came of one action in a rollback."""

    UNDONE = "undone"
    WOULD_UNDO = "would_undo"
    #: It still is as the action left it, or nobody knows.
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Step:
    """One action that was done since, and what came of it."""

    row: ActionRow
    result: Result
    detail: str
    #: Id of the undo, "" if none ran.
    by: str = ""


class Rollback:
    """Undoes as far as each inverse still holds, and says what it could not."""

    def __init__(self, parts: Parts, undo: Undo, agents: Callable[[], Sequence[RunningAgent]]) -> None:
        self._parts, self._undo, self._agents = parts, undo, agents

    async def preview(self, since: float, *, who: Principal, reason: str) -> list[Step]:
        """Return what a rollback to this steady time would do, the newest first; changes nothing."""
        steps: list[Step] = []
        for row in self._done_since(since):
            later = next((step for step in steps if step.row.target == row.target and step.result is not Result.LEFT), None)
            if later is not None and row.plan.get("reversible") != "no":
                # What it left shows only then.
                steps.append(
                    Step(row, Result.WOULD_UNDO, f"once {later.row.id} is undone, if it still is what this one left")
                )
            else:
                steps.append(await self._judged(row, who, reason))
        return steps

    async def run(self, since: float, *, who: Principal, reason: str) -> list[Step]:
        """Pause every agent until it is resumed, then undo the newest first; return what came of each action."""
        self._done_since(since)
        now = self._parts.clock.now()
        scopes = [f"agent:{agent.name}" for agent in self._agents()]
        self._parts.journal.human(now, who, "rollback", {"to": self._wall(since, now), "reason": reason, "paused": scopes})
        for scope in scopes:
            self._parts.store.set_brake(Brake(PAUSE, scope, f"rolled back: {reason}", who.name, now, None))
        self._parts.store.commit()
        await self._parts.executor.drain(DRAIN_SECONDS)
        # Once more: what ran when it was asked for has ended by now.
        steps = [await self._undone(row, who, reason) for row in self._done_since(since)]
        left = sum(step.result is Result.LEFT for step in steps)
        self._parts.journal.engine(self._parts.clock.now(), "rolled_back", undone=len(steps) - left, left=left)
        return steps

    # -- inside -------------------------------------------------------------------------------------------------------
    def _done_since(self, since: float) -> list[ActionRow]:
        """Return the actions that changed something since then, or may have, the newest first."""
        rows = self._parts.store.actions(since=since, limit=MOST_ACTIONS + 1)
        if len(rows) > MOST_ACTIONS:
            raise UsageError(f"more than {MOST_ACTIONS} actions were done since then; choose a later time")
        known = {row.id for row in rows}
        return [row for row in rows if _may_have_changed(row) and not self._is_cancelled_out(row, known)]

    def _is_cancelled_out(self, row: ActionRow, known: set[str]) -> bool:
        """Tell whether a row is an undo of something that was itself done since: both together changed nothing."""
        return self._parts.planning.is_inverse(row.action) and str(row.plan.get("params", {}).get("undoes", "")) in known

    async def _judged(self, row: ActionRow, who: Principal, reason: str) -> Step:
        try:
            judged = await self._undo.judge(row, who=who, reason=reason)
        except ZenError as error:
            return Step(row, Result.LEFT, str(error))
        if judged.plan is None or judged.verdict.ruling is not Ruling.ALLOW:
            deciding = judged.verdict.deciding
            return Step(row, Result.LEFT, deciding.value if deciding else "refused")
        if judged.plan.warning:
            return Step(row, Result.LEFT, f"{judged.plan.warning}: decide on it alone, zen-agents undo {row.id}")
        return Step(row, Result.WOULD_UNDO, "; ".join(judged.plan.steps))

    async def _undone(self, row: ActionRow, who: Principal, reason: str) -> Step:
        judged = await self._judged(row, who, reason)
        if judged.result is Result.LEFT:
            return judged
        try:
            done = await self._undo.undo(row, who=who, reason=f"rollback: {reason}")
        except ZenError as error:
            return Step(row, Result.LEFT, str(error))
        result = Result.UNDONE if done.outcome.kind is OutcomeKind.VERIFIED else Result.LEFT
        return Step(row, result, done.outcome.effect.detail, done.intent.id)

    @staticmethod
    def _wall(since: float, now: Instant) -> str:
        return now.after(since - now.steady).wall.isoformat(timespec="seconds")


def _may_have_changed(row: ActionRow) -> bool:
    """Tell whether an action changed the host, as far as anybody knows; one that failed says so with what undo needs."""
    if row.kind in _NEVER_RAN or row.kind is OutcomeKind.UNDONE:
        return False
    return row.kind is not OutcomeKind.FAILED or bool(row.effect.get("undo"))
