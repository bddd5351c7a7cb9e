"""Acts that a person asks for: the same guards, ledger and verification as the engine's own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace

from zen_agents.actions.base import Action
from zen_agents.dataclass import dataclass
from zen_agents.engine.aftermath import close_target
from zen_agents.engine.approvals import Approvals
from zen_agents.engine.journal import answer_body
from zen_agents.engine.judged import Judged
from zen_agents.engine.judging import AsOf
from zen_agents.engine.parts import Parts
from zen_agents.engine.running_agent import RunningAgent
from zen_agents.engine.stored_actions import effect_of, intent_of
from zen_agents.errors import RefusedError, StalePlanError, UsageError
from zen_agents.model.action import ActionRequest, Effect, Intent, Outcome, OutcomeKind, Plan
from zen_agents.model.observation import Status
from zen_agents.model.principal import Principal
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Ruling
from zen_agents.ports.store import ActionRow
from zen_agents.rules.rule import Rule

log = logging.getLogger("zen_agents.by_hand")

#: By when an act by hand must show in the checks of its target, if no rule says so (seconds).
VERIFY_WITHIN = 60.0
#: How often that is looked at (seconds).
LOOK_EVERY = 0.5


@dataclass(slots=True)
class _Act:
    """One act by hand on its way."""

    intent: Intent
    agent: RunningAgent
    rules: Sequence[Rule]
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    outcome: Outcome | None = None


class ByHand:
    """Performs what people ask for, and verifies it by the checks that watch its target."""

    def __init__(self, parts: Parts, agents: Callable[[], Sequence[RunningAgent]], actions: Mapping[str, Action]) -> None:
        self._parts, self._agents, self._actions = parts, agents, actions
        self._under_way: set[asyncio.Task[None]] = set()

    def find(self, action: str, target: str) -> tuple[RunningAgent, ActionRequest]:
        """Return the declared remedy for an action on a target; `web` finds `service:web`.

        Raises UsageError for an unknown action or target: an act by hand reaches no further than the configuration.
        """
        if action not in self._actions:
            from zen_agents.rules.expression_text import nearest  # noqa: PLC0415  only for those who made a mistake

            near = nearest(action, self._actions)
            meant = f"; did you mean {near!r}?" if near else ""
            raise UsageError(f"there is no action {action!r}{meant}; see: zen-agents explain actions")
        found = [
            (agent, request)
            for agent in self._agents()
            for request in agent.tick.agent.remedies()
            if request.action == action and target in (request.target, request.target.partition(":")[2])
        ]
        if len(found) != 1:
            known = sorted({r.target for a in self._agents() for r in a.tick.agent.remedies() if r.action == action})
            hint = f"the configuration names: {', '.join(known) or 'nothing'}"
            raise UsageError(f"{target!r} is no target of {action}; {hint}")
        return found[0]

    async def judge(
        self, action: str, target: str, *, who: Principal, reason: str, override: frozenset[str]
    ) -> tuple[RunningAgent, Judged]:
        """Plan an act by hand and ask every guard."""
        agent, remedy = self.find(action, target)
        request = replace(remedy, requested_by=who, because=reason, override=override)
        return agent, await self.ask_guards(request, next(iter(self._rules(agent, request)), None))

    async def ask_guards(self, request: ActionRequest, rule: Rule | None) -> Judged:
        """Plan what a person asks for and ask every guard."""
        parts = self._parts

        def present() -> AsOf:
            now, running = parts.clock.now(), parts.executor.running
            return AsOf(now, parts.book.situation(
                parts.policy, now, actionable=parts.actionable, running=running, foreign=parts.foreign
            ))  # fmt: skip

        return await parts.judging.judge(request, rule=rule, incident=None, policy=parts.policy, present=present)

    async def act(
        self,
        action: str,
        target: str,
        *,
        who: Principal,
        reason: str,
        override: frozenset[str],
        wait: bool = True,
        shown: str = "",
    ) -> tuple[Intent, Outcome | None]:
        """Do it and return its final outcome, or None at once if nobody waits. RefusedError names the guard that said no.

        `shown` is the digest of the plan that whoever asks has seen; StalePlanError if it would be another by now.
        """
        parts, policy = self._parts, self._parts.policy
        agent, judged = await self.judge(action, target, who=who, reason=reason, override=override)
        body = {
            "action": action, "target": judged.request.target, "reason": reason, "override": sorted(override),
            "guards": [answer_body(answer) for answer in judged.verdict.answers],
        }  # fmt: skip
        stale = shown and judged.plan is not None and judged.plan.digest != shown
        parts.journal.human(parts.clock.now(), who, "act", {**body, "another_plan_was_shown": True} if stale else body)
        if stale:
            raise StalePlanError(
                "what would be done is no longer what was shown, so nothing was done; the same command shows it anew"
            )
        if judged.verdict.ruling is Ruling.HOLD and judged.plan is not None:
            asked = Approvals(parts).ask(judged.plan, parts.clock.now())
            raise RefusedError(
                f"{Reason.APPROVAL_PENDING}: {asked.agreed} of {asked.needed} agreed to {asked.id}; once the others have "
                f"(zen-agents approve {asked.id}), ask for it again",
                reason=Reason.APPROVAL_PENDING,
            )
        plan = allowed_plan(judged)
        rules = self._rules(agent, judged.request)
        within = _verify_within(rules)
        intent = await parts.executor.reserve(
            plan, policy=policy, verify_within_seconds=within, verified_by=rules[0].key if rules else "",
            unchanged=lambda: parts.policy is policy,
        )  # fmt: skip
        going = _Act(intent, agent, rules)
        parts.executor.start(intent, lambda _, outcome: self._done(going, outcome, within))
        if wait:
            await going.ended.wait()
        return intent, going.outcome

    def adopt(self, row: ActionRow) -> bool:
        """Verify an act by hand that an earlier engine left unfinished; False if no check watches its target.

        Call in the loop. It is not done again (R16).
        """
        try:
            agent, request = self.find(row.action, row.target)
        except UsageError:
            return False
        if not (rules := self._rules(agent, request)):
            return False
        did, now = effect_of(row), self._parts.clock.now()
        detail = "; ".join(filter(None, (did.detail, "the engine stopped before it was verified; it is not repeated")))
        outcome = Outcome(row.id, OutcomeKind.VERIFYING, now, row.took_seconds, replace(did, detail=detail))
        intent = intent_of(row)
        self._parts.executor.record(intent, outcome)
        self._done(_Act(intent, agent, rules), outcome, _verify_within(rules))
        return True

    def _rules(self, agent: RunningAgent, request: ActionRequest) -> list[Rule]:
        rules = agent.tick.watchlist.rules.values()
        return [rule for rule in rules if rule.target == request.target and rule.ladder]

    def _done(self, going: _Act, outcome: Outcome, within: float) -> None:
        task = asyncio.create_task(self._verify(going, outcome, within))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _verify(self, going: _Act, outcome: Outcome, within: float) -> None:
        if outcome.kind is OutcomeKind.VERIFYING:
            try:
                outcome = await self._judged(going, outcome, within)
            except Exception as error:  # whoever waits gets an answer, and nothing stays unjudged
                log.exception("%s could not be verified", going.intent.id)
                outcome = replace(
                    outcome, kind=OutcomeKind.UNKNOWN, at=self._parts.clock.now(), effect=_unsure(outcome, error)
                )
            self._parts.executor.record(going.intent, outcome)
        if outcome.kind is OutcomeKind.UNKNOWN and going.rules:
            close_target(self._parts.store, going.intent, outcome.at)
        self._parts.escalation.changed(going.intent, outcome)
        going.outcome = outcome
        going.ended.set()

    async def _judged(self, going: _Act, outcome: Outcome, within: float) -> Outcome:
        """Return the outcome as the checks of the target say, looked at until it is good or too late."""
        if not going.rules:
            effect = Effect(False, f"{outcome.effect.detail}; no check watches this target", undo=outcome.effect.undo)
            return replace(outcome, kind=OutcomeKind.UNKNOWN, effect=effect)
        clock, deadline = self._parts.clock, outcome.at.steady + within
        often = max(rule.hold.recover_after for rule in going.rules)
        long = max(max(rule.hold.clear_for_seconds, *(r.bake_seconds for r in rule.ladder)) for rule in going.rules)
        times, since = 0, outcome.at.steady
        while True:
            statuses = await self._look(going)
            now = clock.now()
            good = all(status is Status.OK for status in statuses)
            times, since = (times + 1, since if times else now.steady) if good else (0, now.steady)
            # As for the engine's own: good often enough, and for long enough (R6).
            if times >= max(1, often) and now.steady - since >= long:
                return replace(outcome, kind=OutcomeKind.VERIFIED, at=now)
            if now.steady >= deadline and not good:
                unknown = Status.UNKNOWN in statuses and Status.PROBLEM not in statuses
                return replace(outcome, kind=OutcomeKind.UNKNOWN if unknown else OutcomeKind.FAILED, at=now)
            await asyncio.sleep(LOOK_EVERY)

    async def _look(self, going: _Act) -> list[Status]:
        tick = going.agent.tick
        for rule in going.rules:
            tick.watchlist.hurry(rule.key, self._parts.clock.now().steady)
        await going.agent.turn()
        # What is looked at beside the turns is waited for; what began before the action ended is made once more.
        names = {name for rule in going.rules for name in tick.watchlist.feeders(rule.key)}
        while await tick.outlook.long_looks.end_of(names):
            await going.agent.turn()
        now = self._parts.clock.now()
        return [rule.condition.evaluate(tick.latest, now).status for rule in going.rules]


def allowed_plan(judged: Judged) -> Plan:
    """Return the plan that every guard agreed to; RefusedError names the one that did not."""
    if judged.verdict.ruling is Ruling.ALLOW and judged.plan is not None:
        return judged.plan
    deciding = judged.verdict.deciding
    word = judged.verdict.reason.value if judged.verdict.reason else "refused"
    raise RefusedError(f"{word}: {deciding.value if deciding else ''}", reason=word)


def _verify_within(rules: Sequence[Rule]) -> float:
    return max((rung.verify_within_seconds for rule in rules for rung in rule.ladder), default=VERIFY_WITHIN)


def _unsure(outcome: Outcome, error: Exception) -> Effect:
    return replace(outcome.effect, ok=False, detail=f"{outcome.effect.detail}; it could not be verified: {error}")
