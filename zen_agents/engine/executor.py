"""The only door to the host: plan, ask every guard, reserve durably, look again, act, write the outcome.

Nothing else is handed a `HostControl`, and `Action.execute` is called here alone (a contract test holds both).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from time import process_time
from typing import Any, Protocol

from zen_agents.actions.base import Action
from zen_agents.actions.inverse import Inverse
from zen_agents.clock import Clock, Instant
from zen_agents.dataclass import dataclass
from zen_agents.engine.aside import Aside
from zen_agents.engine.evidence import Evidence
from zen_agents.engine.journal import Journal, answer_body
from zen_agents.errors import (
    ActionFailedError,
    HostError,
    RefusedError,
    StalePlanError,
    StoreError,
    UnsafePathError,
    ZenError,
)
from zen_agents.guards.base import Guard, Policy, Question, Situation, StopFlag
from zen_agents.guards.pipeline import assess
from zen_agents.model.action import ActionRequest, Budget, Effect, Intent, Outcome, OutcomeKind, Plan
from zen_agents.model.approval import ApprovalState
from zen_agents.model.ids import ACTION, new_id
from zen_agents.model.incident import Incident
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling, Verdict
from zen_agents.ports.host import Host, HostControl, HostView
from zen_agents.ports.store import Store, Usage
from zen_agents.rules.rule import Rule
from zen_agents.store.failpoint import failpoint

log = logging.getLogger("zen_agents.executor")

#: How long the looking for a plan may take (seconds).
PLAN_SECONDS = 15.0


#: Incident, action, target and attempt: what tells two requests of one turn apart.
_PlanKey = tuple[str | None, str, str, int]


@dataclass(frozen=True, slots=True)
class Judged:
    """A request with its plan, None if none could be made, and what the guards said."""

    request: ActionRequest
    plan: Plan | None
    verdict: Verdict


class ControlFactory(Protocol):
    """Makes the door for one intent."""

    def __call__(self, intent: Intent) -> HostControl: ...


class Executor:
    """Judges and performs actions, one at a time for a target."""

    def __init__(
        self, *, host: Host, store: Store, journal: Journal, clock: Clock, stop: StopFlag, guards: Sequence[Guard],
        actions: Mapping[str, Action], control: ControlFactory, resident_bytes: Callable[[], int] = lambda: 0,
        still_running: Callable[[], Collection[str]] = tuple, aside: Aside | None = None, evidence: Evidence | None = None,
        causes_of: Callable[[Rule], Mapping[str, str]] = lambda rule: dict.fromkeys(rule.depends_on, ""),
    ) -> None:  # fmt: skip
        self._host, self._store, self._journal, self._clock, self._stop = host, store, journal, clock, stop
        self._guards, self._actions, self._control = guards, actions, control
        self._resident_bytes, self._still_running = resident_bytes, still_running
        self._running: dict[str, asyncio.Task[None]] = {}
        #: Action -> the subjects that it disturbs while it runs.
        self._disturbed: dict[str, frozenset[str]] = {}
        #: Target -> steady times at which an action on it ended, and by which all that is seen of it must be well again.
        self._recovering: dict[str, tuple[float, float]] = {}
        #: Steady time at which an action ended last.
        self.last_ended_at = float("-inf")
        #: Outcomes that the store did not take, by action id.
        self._unwritten: dict[str, Outcome] = {}
        self._aside, self._evidence = aside or Aside(), evidence
        #: Keys of what a rule depends on, and how that is known.
        self._causes_of = causes_of
        #: Plans made ahead, and the look they rest on.
        self._ahead: tuple[HostView | None, dict[_PlanKey, Plan | Exception]] = (None, {})

    @property
    def running(self) -> int:
        """How many actions run now."""
        return len(self._running)

    def runs(self, action: str) -> bool:
        """Tell whether this action runs now."""
        return action in self._running

    @property
    def disturbed(self) -> frozenset[str]:
        """Subjects (`unit:web.service`) that actions are changing right now: what is seen of them is their doing (R8)."""
        return frozenset().union(*self._disturbed.values())

    def recovering(self, now: float) -> Mapping[str, float]:
        """Return the targets that may still be on their way back from an action, with the steady time at which it ended."""
        self._recovering = {target: span for target, span in self._recovering.items() if now < span[1]}
        return {target: ended for target, (ended, _) in self._recovering.items()}

    async def judge(
        self, request: ActionRequest, *, rule: Rule | None, incident: Incident | None, policy: Policy,
        situation: Situation, now: Instant, view: HostView | None = None,
    ) -> Judged:  # fmt: skip
        """Plan a request and ask every guard. Never raises: what cannot be planned is refused by name."""
        host = view or self._host.look()
        try:
            plan = _in_time(await self._plan(request, host), policy)
            if policy.only_plans is not None and plan.digest not in policy.only_plans:
                raise StalePlanError("only what the plan file says is run, and this is not in it")
        except Exception as error:  # a plan that cannot be made is a "no", whatever the cause
            return Judged(request, None, _unplannable(error))
        verdict = self._asked(plan, rule, incident, policy=policy, situation=situation, now=now, host=host)
        if verdict.ruling is Ruling.SIMULATE:
            try:  # a dry run lists nothing that would be refused right before it is done
                await self._actions[request.action].preflight(plan, host)
            except Exception as error:
                return Judged(request, None, _unplannable(error))
        return Judged(request, plan, verdict)

    async def get_ready(
        self, request: ActionRequest, *, rule: Rule, policy: Policy, situation: Situation, now: Instant
    ) -> None:  # fmt: skip
        """Load what acting on such a request needs and ask the guards, about a plan that touches nothing; never raises."""
        try:
            plan = await self._aside.ask(lambda: self._empty_plan(request), timeout_seconds=PLAN_SECONDS)
        except Exception as error:  # it is told where a plan is needed
            log.debug("%s is not ready: %s", request.action, error)
            return
        self._asked(plan, rule, None, policy=policy, situation=situation, now=now, host=self._host.look())

    def _empty_plan(self, request: ActionRequest) -> Plan:
        action = self._actions[request.action]
        action.params(request)
        return Plan(request, (), (), "", action.risk, action.reversible, action.budget)

    def _asked(
        self, plan: Plan, rule: Rule | None, incident: Incident | None, *, policy: Policy, situation: Situation,
        now: Instant, host: HostView,
    ) -> Verdict:  # fmt: skip
        """Ask every guard about a plan."""
        causes = self._causes_of(rule) if rule else {}
        question = Question(
            request=plan.request, plan=plan, incident=incident, now=now, policy=policy, situation=situation,
            depends_on=frozenset(causes), known_by=causes, store=self._store, host=host, stop=self._stop,
            needs_confirmation=rule.needs_confirmation if rule else False,
        )  # fmt: skip
        return assess(question, self._guards)

    async def _plan(self, request: ActionRequest, host: HostView) -> Plan:
        """Have the action look and plan, beside the loop: a dead mount must not take the engine with it."""
        look, plans = self._ahead
        made = plans.get(_plan_key(request)) if look is host else None
        if isinstance(made, Exception):
            raise made
        if made is not None:
            return made
        return await self._aside.ask(lambda: self._plan_now(request, host), timeout_seconds=PLAN_SECONDS)

    async def plan_now(self, request: ActionRequest) -> Plan:
        """Plan a request by a look of this very moment. Raises what `Action.plan` raises."""
        return await self._plan(request, self._host.look())

    def _plan_now(self, request: ActionRequest, host: HostView) -> Plan:
        action = self._actions.get(request.action)
        if action is None:
            raise RefusedError(f"there is no action {request.action!r}")
        return action.plan(request, host)

    async def plan_ahead(self, requests: Sequence[ActionRequest], host: HostView) -> None:
        """Make plans for many requests at once, so that `judge` finds them; from this look only, and only the last many.

        One that hangs takes the others with it; then each is planned when it is judged.
        """

        def plan_all() -> list[Plan | Exception]:
            made: list[Plan | Exception] = []
            for request in requests:
                try:
                    made.append(self._plan_now(request, host))
                except Exception as error:  # raised again where it is judged
                    made.append(error)
            return made

        try:
            plans = await self._aside.ask(plan_all, timeout_seconds=PLAN_SECONDS)
        except HostError as error:
            log.warning("%d plans were not made ahead: %s", len(requests), error)
            plans = []
        self._ahead = host, dict(zip(map(_plan_key, requests), plans, strict=False))

    def forget_plans(self) -> None:
        """Drop plans made ahead, with the look they rest on."""
        self._ahead = None, {}

    async def reserve(
        self, plan: Plan, *, policy: Policy, verify_within_seconds: float, verified_by: str,
        unchanged: Callable[[], bool] = lambda: True,
    ) -> Intent:  # fmt: skip
        """Write the intent durably, with its lease and token (R16).

        Raises RefusedError if the budget is spent, the target is leased or the action's preflight says no, StalePlanError
        if the target is no longer what was planned for (R5), or something that the guards judged is no longer `unchanged`,
        StoreError if it could not be written; then nothing was reserved.
        """
        request, brakes, look = plan.request, self._store.brakes(), self._host.look()
        fresh = await self._plan(request, look)
        approval = self._approval_of(plan)
        # What people agreed to is done to the letter; else it is enough that the target is the same.
        if fresh.fingerprint != plan.fingerprint or (approval is not None and fresh.digest != plan.digest):
            raise StalePlanError
        await self._actions[request.action].preflight(plan, look)
        # Looking takes time, in which a person may have said stop, pause or reload.
        if self._stop.read() is not None:
            raise RefusedError(Reason.EMERGENCY_STOP.sentence, reason=Reason.EMERGENCY_STOP)
        if self._store.brakes() != brakes or not unchanged():
            raise StalePlanError("a brake, the configuration or the incident changed meanwhile; it is decided anew")
        if not request.requested_by.is_person:
            self._refuse_engine_if_it_may_no_longer(policy)
        self._refuse_if_one_runs(request.target)
        now = self._clock.now()
        leased_until = now.steady + plan.timeout_seconds + verify_within_seconds
        intent = Intent(new_id(ACTION), plan, now, leased_until, verified_by, approval)
        self._store.reserve(intent, hourly_limit=None if request.requested_by.is_person else _hourly_limit(plan, policy))
        self._journal.intended(intent)
        return intent

    def _approval_of(self, plan: Plan) -> str | None:
        """Return the approval of this very plan, to be spent with it; None if there is none, which the guards judged."""
        asked = self._store.open_approval(plan.request.action, plan.request.target)
        granted = asked is not None and asked.state is ApprovalState.APPROVED and asked.digest == plan.digest
        return asked.id if asked is not None and granted else None

    def _refuse_engine_if_it_may_no_longer(self, policy: Policy) -> None:
        """Refuse what the guards let through before the last look: by now another action runs, or nothing can be written."""
        if not self._store.writable():
            raise RefusedError("the state cannot be written", reason=Reason.SAFE_MODE)
        if self.running >= policy.max_concurrent:
            raise RefusedError(f"{self.running} of {policy.max_concurrent} running", reason=Reason.RATE_LIMIT)

    def _refuse_if_one_runs(self, target: str) -> None:
        """Refuse everyone while an action on this target still runs, whatever its lease says: two at once undo each other.

        It may be one that an earlier engine began, or one that outlived its lease while the host was suspended.
        """
        for id in (*self._running, *self._still_running()):
            row = self._store.action(id)
            if row is not None and row.target == target:
                begun = "" if id in self._running else ", begun by an earlier engine,"
                raise RefusedError(f"{id} ({row.action}){begun} still runs", reason=Reason.LEASE_HELD)

    def inverse(self, intent: Intent, effect: Effect) -> ActionRequest | None:
        """Return the request that takes an action back, None if it changed nothing or has no way back."""
        action = self._actions.get(intent.plan.request.action)
        request = action.inverse(intent.plan, effect) if action else None
        return request if request and isinstance(self._actions.get(request.action), Inverse) else None

    def undone(self, plan: Plan) -> str:
        """Return what somebody did to a target since it was mended, "" if nobody need have done anything."""
        action = self._actions.get(plan.request.action)
        return action.undone(plan) if action else ""

    def is_inverse(self, action: str) -> bool:
        """Tell whether an action of this name takes another one back."""
        return isinstance(self._actions.get(action), Inverse)

    async def missing(self, intent: Intent) -> str:
        """Look at the target of an inverse and return what is not as it was before; HostError if that cannot be told."""
        inverse = self._actions.get(intent.plan.request.action)
        if not isinstance(inverse, Inverse):
            raise HostError(f"{intent.plan.request.action} takes nothing back")
        look = self._host.look
        return await self._aside.ask(lambda: inverse.missing(intent.plan, look()), timeout_seconds=PLAN_SECONDS)

    def start(self, intent: Intent, done: Callable[[Intent, Outcome], None]) -> None:
        """Perform a reserved intent in a task of its own; `done` is called in the loop with its outcome."""
        self._disturbed[intent.id] = intent.plan.disturbs
        self._running[intent.id] = asyncio.create_task(self._perform(intent, done), name=intent.id)
        if self._evidence is not None:
            # It has not begun yet; made first, it begins before what is read beside it takes a thread.
            self._evidence.before(intent)

    async def drain(self, timeout_seconds: float | None = None) -> None:
        """Wait until no action runs."""
        while self._running:
            _, late = await asyncio.wait(list(self._running.values()), timeout=timeout_seconds)
            if late:
                return

    async def _perform(self, intent: Intent, done: Callable[[Intent, Outcome], None]) -> None:
        began, cpu = self._clock.now(), process_time()
        try:
            kind, effect = await self._execute(intent)
            ended = self._clock.now()
            outcome = Outcome(intent.id, kind, ended, ended.steady - began.steady, effect)
            self.record(intent, outcome)
            self._measure(intent, outcome, process_time() - cpu)
            # Whether a person's act helped is judged by all that is seen of its target: none of it is passed over.
            if kind is OutcomeKind.VERIFYING and intent.plan.request.incident is not None:
                well_by = intent.leased_until - intent.plan.timeout_seconds + outcome.took_seconds
                self._recovering[intent.plan.request.target] = ended.steady, well_by
        finally:
            self._running.pop(intent.id, None)
            self._disturbed.pop(intent.id, None)
            if self._evidence is not None:
                self._evidence.after(intent)
            self.last_ended_at = self._clock.now().steady
        done(intent, outcome)

    async def _execute(self, intent: Intent) -> tuple[OutcomeKind, Effect]:
        action = self._actions[intent.plan.request.action]
        try:
            async with asyncio.timeout(intent.plan.timeout_seconds):
                failpoint("executor.before_spawn")
                effect = await action.execute(intent.plan, self._control(intent))
                failpoint("executor.after_effect")
        except TimeoutError:
            return OutcomeKind.TIMED_OUT, Effect(False, f"not done within {intent.plan.timeout_seconds:g} s")
        except (ActionFailedError, HostError, StalePlanError, UnsafePathError, RefusedError) as error:
            return OutcomeKind.FAILED, Effect(False, str(error))
        except Exception as error:  # nobody knows how far it came
            log.exception("%s ended in an unexpected way", intent.id)
            return OutcomeKind.UNKNOWN, Effect(False, f"{type(error).__name__}: {error}")
        return (OutcomeKind.VERIFYING if effect.ok else OutcomeKind.FAILED), effect

    def record(self, intent: Intent, outcome: Outcome) -> None:
        """Write an outcome; if the store cannot, the plain log still has it and `write_again` writes it later."""
        outcome = replace(outcome, effect=self._journal.redaction.effect(outcome.effect))
        self._unwritten.pop(intent.id, None)
        self._finish(outcome)
        self._journal.ended(intent, outcome)

    def write_again(self) -> None:
        """Write the outcomes that the store did not take when they came."""
        waiting, self._unwritten = self._unwritten, {}
        for outcome in waiting.values():
            self._finish(outcome)

    def _finish(self, outcome: Outcome) -> None:
        try:
            self._store.finish(outcome)
        except StoreError as error:
            log.error("the outcome of %s could not be written: %s", outcome.intent, error)
            if not self._store.writable():
                self._unwritten[outcome.intent] = outcome

    def _measure(self, intent: Intent, outcome: Outcome, cpu_seconds: float) -> None:
        agent = intent.plan.request.agent
        usage = Usage(agent, "action", outcome.at, outcome.took_seconds, cpu_seconds, self._resident_bytes())
        try:
            self._store.record_usage(usage)
        except StoreError as error:
            log.warning("the cost of %s was not written: %s", intent.id, error)


def _hourly_limit(plan: Plan, policy: Policy) -> int | None:
    """Return how many of this plan's kind the engine may reserve within an hour, None for as many as it likes."""
    if plan.budget is Budget.CONTAINMENT:
        allowance = policy.allowed.get(plan.request.listed_as)
        return allowance.max_per_hour if allowance is not None else 0
    return (policy.repairs if plan.budget is Budget.REPAIR else policy.housekeeping).most


def _plan_key(request: ActionRequest) -> _PlanKey:
    return request.incident, request.action, request.target, request.attempt


def _in_time(plan: Plan, policy: Policy) -> Plan:
    """Return the plan with the time that the allow-list gives the action, if it says."""
    allowance = policy.allowed.get(plan.request.action)
    if allowance is None or allowance.timeout is None:
        return plan
    return replace(plan, timeout_seconds=allowance.timeout.total_seconds())


def _unplannable(error: Exception) -> Verdict:
    reasons: dict[type[Exception], Reason] = {
        RefusedError: Reason.NO_TARGET,
        UnsafePathError: Reason.OUT_OF_SCOPE,
        HostError: Reason.UNKNOWN_OBSERVATION,
        StalePlanError: Reason.STALE_PLAN,
    }
    named = error.reason if isinstance(error, RefusedError) else ""
    reason = Reason(named) if named in set(Reason) else reasons.get(type(error), Reason.GUARD_ERROR)
    text = str(error) if isinstance(error, ZenError) else f"{type(error).__name__}: {error}"
    return Verdict(Ruling.DENY, reason, (Answer("plan", Ruling.DENY, reason, text),))


def plan_body(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain JSON, as it is shown and written."""
    return {
        "action": plan.request.action,
        "target": plan.request.target,
        "steps": list(plan.steps),
        "touches": [f"{resource.kind.value}:{resource.name}" for resource in plan.touches],
        "risk": plan.risk.value,
        "reversible": plan.reversible.value,
        "expected_seconds": plan.expected_seconds,
        "warning": plan.warning,
        "asks": list(plan.asks),
        "digest": plan.digest,
    }


def judged_body(judged: Judged) -> dict[str, Any]:
    """Return a judgement as plain JSON."""
    return {
        "action": judged.request.action,
        "target": judged.request.target,
        "agent": judged.request.agent,
        "ruling": judged.verdict.ruling.name.lower(),
        "reason": judged.verdict.reason.value if judged.verdict.reason else None,
        "plan": plan_body(judged.plan) if judged.plan else None,
        "guards": [answer_body(answer) for answer in judged.verdict.answers],
    }
