"""Takes back what was done: for people alone, through the same guards, ledger and verification as everything else (R31)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.engine.aftermath import close_target
from zen_agents.engine.by_hand import ByHand, allowed_plan
from zen_agents.engine.journal import answer_body
from zen_agents.engine.judged import Judged
from zen_agents.engine.parts import Parts
from zen_agents.engine.running_agent import RunningAgent
from zen_agents.engine.stored_actions import effect_of, intent_of
from zen_agents.errors import RefusedError, ZenError
from zen_agents.model.action import ActionRequest, Intent, Outcome, OutcomeKind
from zen_agents.model.address import is_address_target
from zen_agents.model.principal import Principal
from zen_agents.ports.store import ActionRow, Brake
from zen_agents.rules.rule import Rule

log = logging.getLogger("zen_agents.undo")

RULE_PAUSED = "rule_paused"
#: How long the rule of an undone action is paused, so that the engine does not do it again at once (seconds).
PAUSED_FOR = 86400.0
#: By when an undo must show (seconds), and how long it must hold to be verified.
VERIFY_WITHIN = 30.0
HELD_SECONDS = 0.5
#: How often something was done says nothing against taking it back.
_PASSED = frozenset({"cooldown", "rate_limit", "breaker", "storm_brake"})


@dataclass(frozen=True, slots=True)
class Undone:
    """How an undo ended."""

    intent: Intent
    outcome: Outcome
    #: Scopes of the rules that are paused since.
    paused: tuple[str, ...]


class Undo:
    """Runs the inverse of an action, verifies it, and keeps the engine from doing the action again."""

    def __init__(self, parts: Parts, by_hand: ByHand, agents: Callable[[], Sequence[RunningAgent]]) -> None:
        self._parts, self._by_hand, self._agents = parts, by_hand, agents
        self._under_way: set[asyncio.Task[Outcome]] = set()
        #: Two at once would each take the other's pause for a change of what was judged.
        self._one_by_one = asyncio.Lock()

    async def judge(self, row: ActionRow, *, who: Principal, reason: str, override: frozenset[str] = frozenset()) -> Judged:
        """Plan the inverse and ask every guard; RefusedError if there is no way back, with what there is instead."""
        request = replace(self._request(row), requested_by=who, because=reason, override=override | _PASSED)
        return await self._by_hand.ask_guards(request, None)

    async def undo(self, row: ActionRow, *, who: Principal, reason: str, override: frozenset[str] = frozenset()) -> Undone:
        """Take an action back and return how that ended.

        RefusedError says why it cannot be, StalePlanError that the target changed meanwhile; then nothing was done.
        """
        async with self._one_by_one:
            intent, scopes = await self._reserve(row, who, reason, override)
        task = asyncio.create_task(self._perform(intent, row))
        self._follow(task)
        # Whoever asked may go away; what was begun is verified all the same.
        return Undone(intent, await asyncio.shield(task), scopes)

    def adopt(self, row: ActionRow) -> bool:
        """Verify an undo that an earlier engine left unfinished; False if it is none. It is not done again (R16)."""
        if not self._parts.planning.is_inverse(row.action):
            return False
        did, intent = effect_of(row), intent_of(row)
        detail = "; ".join(filter(None, (did.detail, "the engine stopped before it was verified; it is not repeated")))
        effect = replace(did, detail=detail)
        outcome = Outcome(row.id, OutcomeKind.VERIFYING, self._parts.clock.now(), row.took_seconds, effect)
        self._parts.executor.record(intent, outcome)
        undone = self._parts.store.action(str(intent.plan.request.params.get("undoes", "")))
        self._follow(asyncio.create_task(self._settle(intent, outcome, undone)))
        return True

    def scopes(self, row: ActionRow) -> tuple[str, ...]:
        """Return the scopes of the rules that would do it again: the one that asked for it, or for an act by hand any.

        Of an address it is the address alone: others are still shut out.
        """
        if is_address_target(row.target):
            return (f"target:{row.target}",)
        return tuple(f"rule:{rule.name}" for agent in self._agents() for rule in agent.tick.watchlist.rules.values()
                     if rule.target == row.target and _asks_for(rule, row))  # fmt: skip

    # -- inside -------------------------------------------------------------------------------------------------------
    async def _reserve(
        self, row: ActionRow, who: Principal, reason: str, override: frozenset[str]
    ) -> tuple[Intent, tuple[str, ...]]:
        """Write the intent, and with it the pause of the rules that would do it again; return both."""
        parts, policy = self._parts, self._parts.policy
        judged, now = await self.judge(row, who=who, reason=reason, override=override), parts.clock.now()
        parts.journal.human(now, who, "undo", {
            "undoes": row.id, "action": row.action, "target": row.target, "reason": reason,
            "guards": [answer_body(answer) for answer in judged.verdict.answers],
        })  # fmt: skip
        plan = allowed_plan(judged)
        before, scopes = parts.store.brakes(), self.scopes(row)
        self._pause(scopes, row, who, now)
        try:
            intent = await parts.executor.reserve(
                plan, policy=policy, verify_within_seconds=VERIFY_WITHIN, verified_by="",
                unchanged=lambda: parts.policy is policy,
            )  # fmt: skip
        except ZenError:
            self._put_back(scopes, before)
            raise
        return intent, scopes

    def _request(self, row: ActionRow) -> ActionRequest:
        if not row.kind.is_final:
            raise RefusedError(
                f"{row.id} is still {row.kind.value}; wait until it has ended: zen-agents actions show {row.id}"
            )
        if row.kind is OutcomeKind.UNDONE:
            raise RefusedError(f"{row.id} was undone already; see: zen-agents actions show {row.id}")
        if self._parts.planning.is_inverse(row.action):
            raise RefusedError(f"{row.id} is itself an undo; to do again what it took back: zen-agents act")
        if row.plan.get("reversible") == "no":
            raise RefusedError(
                f"{row.action} has no previous state to return to. You can: zen-agents pause {row.target} --for 2h, and put "
                "right by hand what it did"
            )
        request = self._parts.planning.inverse(intent_of(row), effect_of(row))
        if request is None:
            raise RefusedError(f"{row.id} ({row.kind.value}) recorded no change; there is nothing to undo")
        return replace(request, params={**request.params, "undoes": row.id}, agent=row.agent, rule=row.rule or None)

    def _pause(self, scopes: Sequence[str], row: ActionRow, who: Principal, now: Instant) -> None:
        for scope in scopes:
            why = f"{row.id} ({row.action}) was undone"
            self._parts.store.set_brake(Brake(RULE_PAUSED, scope, why, who.name, now, now.steady + PAUSED_FOR))

    def _put_back(self, scopes: Sequence[str], before: Sequence[Brake]) -> None:
        """Leave the brakes as they were: nothing was done."""
        kept = {brake.scope: brake for brake in before if brake.kind == RULE_PAUSED}
        for scope in scopes:
            if scope in kept:
                self._parts.store.set_brake(kept[scope])
            else:
                self._parts.store.lift_brake(RULE_PAUSED, scope)

    def _follow(self, task: asyncio.Task[Outcome]) -> None:
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _perform(self, intent: Intent, row: ActionRow) -> Outcome:
        ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._parts.executor.start(intent, lambda _, outcome: ended.set_result(outcome))
        return await self._settle(intent, await ended, row)

    async def _settle(self, intent: Intent, outcome: Outcome, undone: ActionRow | None) -> Outcome:
        """Verify, and write the end of the undo and of what it took back."""
        if outcome.kind is OutcomeKind.VERIFYING:
            outcome = await self._verified(intent, outcome)
            if outcome.kind is OutcomeKind.VERIFIED and undone is not None:
                # First: an engine that dies in between finds the undo unfinished and writes both again.
                self._record_undone(undone, intent, outcome.at)
            self._parts.executor.record(intent, outcome)
        if outcome.kind is OutcomeKind.UNKNOWN:
            close_target(self._parts.store, intent, outcome.at)
        self._parts.escalation.changed(intent, outcome)
        return outcome

    async def _verified(self, intent: Intent, outcome: Outcome) -> Outcome:
        """Look at once and again: what was there before must be there, and stay (R6)."""
        try:
            missing = await self._parts.planning.missing(intent)
            if not missing:
                await asyncio.sleep(HELD_SECONDS)
                missing = await self._parts.planning.missing(intent)
        except Exception as error:  # whoever waits gets an answer, and nothing stays unjudged
            log.exception("%s could not be verified", intent.id)
            kind, missing = OutcomeKind.UNKNOWN, f"it could not be verified: {error}"
        else:
            kind = OutcomeKind.FAILED if missing else OutcomeKind.VERIFIED
        effect = replace(
            outcome.effect, ok=kind is OutcomeKind.VERIFIED, detail="; ".join(filter(None, (outcome.effect.detail, missing)))
        )
        return replace(outcome, kind=kind, at=self._parts.clock.now(), effect=effect)

    def _record_undone(self, row: ActionRow, by: Intent, at: Instant) -> None:
        effect = effect_of(row)
        detail = "; ".join(filter(None, (effect.detail, f"undone by {by.id}")))
        outcome = Outcome(row.id, OutcomeKind.UNDONE, at, row.took_seconds, replace(effect, detail=detail))
        self._parts.executor.record(intent_of(row), outcome)


def _asks_for(rule: Rule, row: ActionRow) -> bool:
    if row.rule:
        return rule.name == row.rule
    return any(request.action == row.action for rung in rule.ladder for request in rung.alternatives)
