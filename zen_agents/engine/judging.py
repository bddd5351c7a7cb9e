"""Whether a request may be acted on: it is planned, and every guard is asked about the plan."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.engine.judged import Judged
from zen_agents.engine.planning import Planning
from zen_agents.errors import HostError, RefusedError, StalePlanError, UnsafePathError, ZenError
from zen_agents.guards.base import Guard, Policy, Question, Situation, StopFlag
from zen_agents.guards.pipeline import assess
from zen_agents.model.action import ActionRequest, Plan
from zen_agents.model.incident import Incident
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling, Verdict
from zen_agents.ports.host import Host, HostView
from zen_agents.ports.store import Store
from zen_agents.rules.rule import Rule

log = logging.getLogger("zen_agents.judging")


@dataclass(frozen=True, slots=True)
class AsOf:
    """A moment, and what guards may know then of the whole host."""

    now: Instant
    situation: Situation


class Judging:
    """Asks for a plan and then every guard."""

    def __init__(
        self, planning: Planning, *, host: Host, store: Store, stop: StopFlag, guards: Sequence[Guard],
        causes_of: Callable[[Rule], Mapping[str, str]] = lambda rule: dict.fromkeys(rule.depends_on, ""),
    ) -> None:  # fmt: skip
        self._planning, self._host, self._store, self._stop, self._guards = planning, host, store, stop, guards
        #: Keys of what a rule depends on, and how that is known.
        self._causes_of = causes_of

    async def judge(
        self, request: ActionRequest, *, rule: Rule | None, incident: Incident | None, policy: Policy,
        present: Callable[[], AsOf], view: HostView | None = None,
    ) -> Judged:  # fmt: skip
        """Plan a request and ask every guard. Never raises: what cannot be planned is refused by name.

        What is `present` is asked once the plan is made, which may take minutes: a storm may have come up meanwhile (R3),
        and the hour in which something may be done may be over.
        """
        host = view or self._host.look()
        try:
            plan = _in_time(await self._planning.plan(request, host), policy)
            if policy.only_plans is not None and plan.digest not in policy.only_plans:
                raise StalePlanError("only what the plan file says is run, and this is not in it")
        except Exception as error:  # a plan that cannot be made is a "no", whatever the cause
            return Judged(request, None, _unplannable(error))
        verdict = self._asked(plan, rule, incident, policy=policy, as_of=present(), host=host)
        if verdict.ruling is Ruling.SIMULATE:
            try:  # a dry run lists nothing that would be refused right before it is done
                await self._planning.action(request.action).preflight(plan, host)
            except Exception as error:
                return Judged(request, None, _unplannable(error))
        return Judged(request, plan, verdict)

    async def get_ready(
        self, request: ActionRequest, *, rule: Rule, policy: Policy, present: Callable[[], AsOf]
    ) -> None:  # fmt: skip
        """Load what acting on such a request needs and ask the guards, about a plan of nothing real; never raises."""
        try:
            plan = await self._planning.empty(request)
        except Exception as error:  # it is told where a plan is needed
            log.debug("%s is not ready: %s", request.action, error)
            return
        self._asked(plan, rule, None, policy=policy, as_of=present(), host=self._host.look())

    def _asked(
        self, plan: Plan, rule: Rule | None, incident: Incident | None, *, policy: Policy, as_of: AsOf, host: HostView
    ) -> Verdict:
        """Ask every guard about a plan."""
        causes = self._causes_of(rule) if rule else {}
        question = Question(
            request=plan.request, plan=plan, incident=incident, now=as_of.now, policy=policy, situation=as_of.situation,
            depends_on=frozenset(causes), known_by=causes, store=self._store, host=host, stop=self._stop,
            needs_confirmation=rule.needs_confirmation if rule else False,
        )  # fmt: skip
        return assess(question, self._guards)


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
