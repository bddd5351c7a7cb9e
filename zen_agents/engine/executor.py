"""The only door to the host: reserve durably, look again, act, write the outcome.

Nothing else is handed a `HostControl`, and `Action.execute` is called here alone (a contract test holds both).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from time import process_time
from typing import Protocol

from zen_agents.clock import Clock
from zen_agents.engine.evidence import Evidence
from zen_agents.engine.journal import Journal
from zen_agents.engine.planning import Planning
from zen_agents.engine.unbegun import NobodyKnows, Unbegun
from zen_agents.errors import ActionFailedError, HostError, RefusedError, StalePlanError, StoreError, UnsafePathError
from zen_agents.guards.base import Policy, StopFlag
from zen_agents.model.action import Budget, Effect, Intent, Outcome, OutcomeKind, Plan
from zen_agents.model.approval import ApprovalState
from zen_agents.model.ids import ACTION, new_id
from zen_agents.model.reason import Reason
from zen_agents.ports.host import Host, HostControl
from zen_agents.ports.store import Store, Usage
from zen_agents.store.failpoint import failpoint

log = logging.getLogger("zen_agents.executor")

#: Of so many targets it is kept when an action on them ended.
MOST_WORKED_ON = 1000


class ControlFactory(Protocol):
    """Makes the door for one intent."""

    def __call__(self, intent: Intent) -> HostControl: ...


class Executor:
    """Performs actions that were judged, one at a time for a target."""

    def __init__(
        self, planning: Planning, *, host: Host, store: Store, journal: Journal, clock: Clock, stop: StopFlag,
        control: ControlFactory, resident_bytes: Callable[[], int] = lambda: 0,
        still_running: Callable[[], Collection[str]] = tuple, evidence: Evidence | None = None,
        unbegun: Unbegun | None = None,
    ) -> None:  # fmt: skip
        self._planning, self._host, self._store, self._journal = planning, host, store, journal
        self._clock, self._stop, self._control, self._evidence = clock, stop, control, evidence
        self._resident_bytes, self._still_running = resident_bytes, still_running
        #: Which reserved actions have not begun, also those of an earlier engine.
        self.unbegun = unbegun or NobodyKnows()
        self._running: dict[str, asyncio.Task[None]] = {}
        #: Action -> the subjects that it disturbs while it runs.
        self._disturbed: dict[str, frozenset[str]] = {}
        #: Target -> steady times at which an action on it ended, and by which all that is seen of it must be well again.
        self._recovering: dict[str, tuple[float, float]] = {}
        #: Target -> steady time at which an action on it ended, infinity while one runs; of the last that were acted on.
        self._worked_on: dict[str, float] = {}
        #: Steady time at which an action ended last.
        self.last_ended_at = float("-inf")
        #: Outcomes that the store did not take, by action id.
        self._unwritten: dict[str, Outcome] = {}

    @property
    def running(self) -> int:
        """How many actions run now."""
        return len(self._running)

    def runs(self, action: str) -> bool:
        """Tell whether this action runs now."""
        return action in self._running

    def worked_on(self, target: str, *, since: float) -> bool:
        """Tell whether an action on a target runs, or ended later than then."""
        return self._worked_on.get(target, float("-inf")) > since

    def _works_on(self, target: str, ends_at: float) -> None:
        self._worked_on.pop(target, None)
        self._worked_on[target] = ends_at
        if len(self._worked_on) > MOST_WORKED_ON:
            del self._worked_on[next(iter(self._worked_on))]

    @property
    def disturbed(self) -> frozenset[str]:
        """Subjects (`unit:web.service`) that actions are changing right now: what is seen of them is their doing (R8)."""
        return frozenset().union(*self._disturbed.values())

    def recovering(self, now: float) -> Mapping[str, float]:
        """Return the targets that may still be on their way back from an action, with the steady time at which it ended."""
        self._recovering = {target: span for target, span in self._recovering.items() if now < span[1]}
        return {target: ended for target, (ended, _) in self._recovering.items()}

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
        approval = self._approval_of(plan)
        # What people agreed to is done to the letter; else it is enough that the target is the same.
        if not await self._planning.holds(plan, look, to_the_letter=approval is not None):
            raise StalePlanError
        await self._planning.action(request.action).preflight(plan, look)
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
        limit = None if request.requested_by.is_person else _hourly_limit(plan, policy)
        self.unbegun.note(intent.id)
        try:
            self._store.reserve(intent, hourly_limit=limit)
        except (RefusedError, StoreError):
            with contextlib.suppress(HostError):  # a mark of what was never reserved says nothing about anything
                self.unbegun.begin(intent.id)
            raise
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

    def start(self, intent: Intent, done: Callable[[Intent, Outcome], None]) -> None:
        """Perform a reserved intent in a task of its own; `done` is called in the loop with its outcome."""
        self._disturbed[intent.id] = intent.plan.disturbs
        self._works_on(intent.plan.request.target, float("inf"))
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
            self._works_on(intent.plan.request.target, self.last_ended_at)
        done(intent, outcome)

    async def _execute(self, intent: Intent) -> tuple[OutcomeKind, Effect]:
        action = self._planning.action(intent.plan.request.action)
        try:
            async with asyncio.timeout(intent.plan.timeout_seconds):
                failpoint("executor.before_spawn")
                self.unbegun.begin(intent.id)
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
