"""What actions would do, and what would take it back: asked of them beside the loop."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from zen_agents.actions.base import Action
from zen_agents.actions.inverse import Inverse
from zen_agents.clock import Clock
from zen_agents.engine.aside import Aside
from zen_agents.engine.surveys import Surveys
from zen_agents.errors import HostError, RefusedError
from zen_agents.model.action import ActionRequest, Effect, Intent, Plan, Resource, ResourceKind
from zen_agents.ports.host import Host, HostView

log = logging.getLogger("zen_agents.planning")

#: How long the looking for a plan may take, where no action says it (seconds).
PLAN_SECONDS = 15.0

#: What a plan touches that is made to get ready; a service may not be called so.
_NO_SERVICE = Resource(ResourceKind.SERVICE, "/")

#: Incident, action, target and attempt: what tells two requests of one turn apart.
_PlanKey = tuple[str | None, str, str, int]


class Planning:
    """Asks actions for their plans: a dead mount must not take the engine with it."""

    def __init__(self, host: Host, actions: Mapping[str, Action], aside: Aside, clock: Clock) -> None:
        self._host, self._aside = host, aside
        #: What can be done, by name.
        self.actions = actions
        #: Plans made ahead, and the look they rest on.
        self._ahead: tuple[HostView | None, dict[_PlanKey, Plan | Exception]] = (None, {})
        #: What has to be looked at for long before it can be planned.
        self.surveys = Surveys(actions, clock)

    def action(self, name: str) -> Action:
        """Return the action of this name; RefusedError if there is none."""
        action = self.actions.get(name)
        if action is None:
            raise RefusedError(f"there is no action {name!r}")
        return action

    async def plan(self, request: ActionRequest, host: HostView) -> Plan:
        """Have the action look and plan by this look. Raises what `Action.plan` raises."""
        look, plans = self._ahead
        made = plans.get(_plan_key(request)) if look is host else None
        if isinstance(made, Exception):
            raise made
        if made is not None:
            return made
        await self.surveys.wait(request, host)
        return await self._aside.ask(lambda: self._plan_now(request, host), timeout_seconds=self._plan_seconds(request))

    async def plan_now(self, request: ActionRequest) -> Plan:
        """Plan a request by a look of this very moment. Raises what `Action.plan` raises."""
        return await self.plan(request, self._host.look())

    async def holds(self, plan: Plan, host: HostView, *, to_the_letter: bool) -> bool:
        """Tell whether a plan's target is by this look what it was planned for; if `to_the_letter`, all of the plan as well.

        Raises what `Action.plan` raises.
        """
        if to_the_letter:
            fresh = await self.plan(plan.request, host)
            return (fresh.fingerprint, fresh.digest) == (plan.fingerprint, plan.digest)
        request = plan.request
        await self.surveys.wait(request, host)
        now = await self._aside.ask(
            lambda: self.action(request.action).fingerprint(request, host), timeout_seconds=self._plan_seconds(request)
        )
        return now == plan.fingerprint

    def _plan_seconds(self, request: ActionRequest) -> float:
        action = self.actions.get(request.action)
        return PLAN_SECONDS if action is None else action.plan_seconds

    def _plan_now(self, request: ActionRequest, host: HostView) -> Plan:
        return self.action(request.action).plan(request, host)

    async def plan_ahead(self, requests: Sequence[ActionRequest], host: HostView) -> bool:
        """Make plans for many requests at once, so that `plan` finds them; from this look only, and only the last many.

        One that hangs takes the others with it; then each is planned when it is judged, and this is False.
        """
        ready = [request for request in requests if await self.surveys.is_over(request, host, lambda: None)]
        unseen: dict[_PlanKey, Exception] = {}
        for request in ready:
            try:
                await self.surveys.wait(request, host)
            except Exception as error:  # raised again where it is judged
                unseen[_plan_key(request)] = error

        def plan_all() -> list[Plan | Exception]:
            made: list[Plan | Exception] = []
            for request in ready:
                try:
                    made.append(unseen.get(_plan_key(request)) or self._plan_now(request, host))
                except Exception as error:  # as above
                    made.append(error)
            return made

        try:
            plans = await self._aside.ask(
                plan_all, timeout_seconds=max(map(self._plan_seconds, ready), default=PLAN_SECONDS)
            )
        except HostError as error:
            log.warning("%d plans were not made ahead: %s", len(ready), error)
            plans = []
        self._ahead = host, dict(zip(map(_plan_key, ready), plans, strict=False))
        return len(plans) == len(requests)

    def forget(self) -> None:
        """Drop plans made ahead, with the look they rest on."""
        self._ahead = None, {}

    async def empty(self, request: ActionRequest) -> Plan:
        """Load what acting on such a request needs, and return a plan that touches nothing but a service that there is not.

        By its name guards get the names ready that they protect; nothing else about it is to be asked.
        """
        return await self._aside.ask(lambda: self._empty_plan(request), timeout_seconds=PLAN_SECONDS)

    def _empty_plan(self, request: ActionRequest) -> Plan:
        action = self.action(request.action)
        action.params(request)
        return Plan(request, (), (_NO_SERVICE,), "", action.risk, action.reversible, action.budget)

    def inverse(self, intent: Intent, effect: Effect) -> ActionRequest | None:
        """Return the request that takes an action back, None if it changed nothing or has no way back."""
        action = self.actions.get(intent.plan.request.action)
        request = action.inverse(intent.plan, effect) if action else None
        return request if request and isinstance(self.actions.get(request.action), Inverse) else None

    def undone(self, plan: Plan) -> str:
        """Return what somebody did to a target since it was mended, "" if nobody need have done anything."""
        action = self.actions.get(plan.request.action)
        return action.undone(plan) if action else ""

    def is_inverse(self, action: str) -> bool:
        """Tell whether an action of this name takes another one back."""
        return isinstance(self.actions.get(action), Inverse)

    async def missing(self, intent: Intent) -> str:
        """Look at the target of an inverse and return what is not as it was before; HostError if that cannot be told."""
        inverse = self.actions.get(intent.plan.request.action)
        if not isinstance(inverse, Inverse):
            raise HostError(f"{intent.plan.request.action} takes nothing back")
        look = self._host.look
        await self.surveys.wait(intent.plan.request, look())
        return await self._aside.ask(lambda: inverse.missing(intent.plan, look()), timeout_seconds=inverse.plan_seconds)


def _plan_key(request: ActionRequest) -> _PlanKey:
    return request.incident, request.action, request.target, request.attempt
