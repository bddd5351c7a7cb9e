"""What an action is: one bounded change, planned, allowed, executed once, and judged by others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar, TypedDict, Unpack

from pydantic import BaseModel, ConfigDict, Field

from zen_agents.model.action import ActionRequest, Budget, Effect, Plan, Resource, Reversible, Risk
from zen_agents.model.scalars import Duration, PositiveDuration
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_datasets import LookTold


class PlanTraits(TypedDict, total=False):
    """What a plan may say besides; see `Plan`, which has what holds where it says nothing."""

    expected_seconds: float
    timeout_seconds: float
    detail: Mapping[str, Any]
    warning: str
    asks: tuple[str, ...]
    along: tuple[Resource, ...]


class Approval(StrEnum):
    """Who has to agree before it runs."""

    AUTO = "auto"
    REQUIRED = "required"
    TWO_PERSON = "two_person"


class ActionPolicy(BaseModel):
    """What `actions.allow.NAME` says; an action adds its own scope keys (`units`, `paths`) in a subclass."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    approval: Approval = Field(Approval.AUTO, description="auto | required | two_person")
    cooldown: Duration = Field(timedelta(minutes=1), description="least time between two incidents' actions on one target")
    max_per_hour: int | None = Field(
        None, ge=0, description="engine's executions of this action per hour; empty: only the budgets"
    )
    timeout: PositiveDuration | None = Field(
        None, description="the longest one execution may run; empty: what the action itself takes for too long"
    )
    verify_within: Duration = Field(timedelta(seconds=60), description="by when the check must be good again")
    only_in: str | None = Field(None, description="name of the maintenance window outside which it never runs")

    def permits(self, plan: Plan) -> str:
        """Return "" if the plan is within this scope, else why not, in words."""
        del plan
        return ""

    def names(self, path: str) -> bool:
        """Tell whether this scope names exactly this path: then a few protected ones may be put right (R11)."""
        del path
        return False


class ActionParams(BaseModel):
    """Typed parameters of one action, filled from the configuration, never from what was observed."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Action(ABC):
    """One bounded change to one target.

    `plan` only looks; it is called to show and to judge. Right before acting `fingerprint` looks once more: if that differs
    the plan is stale and nothing is done. `execute` is called by the executor alone. An action never verifies
    itself: the check that found the problem does, or for an act by hand the observation named by `postcondition`.
    """

    #: The name in the allow-list: `restart_service`.
    name: ClassVar[str]
    #: One sentence: what it does.
    summary: ClassVar[str]
    #: What else it may cause, for people.
    side_effects: ClassVar[str]
    risk: ClassVar[Risk]
    reversible: ClassVar[Reversible]
    budget: ClassVar[Budget] = Budget.REPAIR
    #: How observations begin that it can make good, `{name}` being its target's: `probe.{name}`, `disk.`. A rule that reads
    #: none of them could never see whether it helped. () says that nobody knows.
    mends: ClassVar[tuple[str, ...]] = ()
    #: The same of those that it makes bad while it runs, or for a while.
    disturbs: ClassVar[tuple[str, ...]] = ()
    #: How long looking for a plan may take (seconds). One that asks others than the kernel needs longer.
    plan_seconds: ClassVar[float] = 15.0
    Params: ClassVar[type[ActionParams]]
    Policy: ClassVar[type[ActionPolicy]] = ActionPolicy

    @abstractmethod
    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        """Look at the target and return what exactly would be done.

        Raises RefusedError for an empty or unknown target (R1), UnsafePathError for a path outside its scope, HostError if
        the target cannot be told, StalePlanError if there is nothing left to do.
        """

    def fingerprint(self, request: ActionRequest, host: HostView) -> str:
        """Look at the target once more and return what the fingerprint of a plan is now; raises as `plan` does.

        One whose plan also counts what there is, for people, need not count it again: `execute` looks at each piece anew.
        """
        return self.plan(request, host).fingerprint

    def planned(
        self, request: ActionRequest, *, steps: tuple[str, ...], touches: tuple[Resource, ...], fingerprint: str,
        reversible: Reversible | None = None, **more: Unpack[PlanTraits],
    ) -> Plan:  # fmt: skip
        """Return a plan of this action: as risky, as reversible unless this one differs, and paid for as all of its are."""
        return Plan(
            request, steps, touches, fingerprint, self.risk, reversible or self.reversible, self.budget, **more
        )  # fmt: skip

    def survey(self, request: ActionRequest, host: HostView, told: LookTold) -> Awaitable[None] | None:
        """Return what has to be looked at before `plan` and takes long; None where `plan` looks at all by itself.

        It is waited for as long as that takes, and ends with a pause and an emergency stop. How far it is goes to `told`.
        Raises as `plan` does.
        """
        del request, host, told
        return None

    async def preflight(self, plan: Plan, host: HostView) -> None:
        """Ask what only the network can tell, right before the plan is reserved; RefusedError if it must not be done."""
        del plan, host

    @abstractmethod
    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        """Do it. Raises ActionFailedError, HostError or StalePlanError; everything else is an unknown outcome."""

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        """Return the request of an `Inverse` that undoes it, None if nothing was changed or there is no way back."""
        del plan, effect
        return None

    def undone(self, plan: Plan) -> str:
        """Return in words what somebody did to the target since it was last mended, as the new plan for it shows.

        "" where a fault explains what the plan found as well: nobody is suspected without proof.
        """
        del plan
        return ""

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        """Return (observation name, target) that must be OK afterwards, None if only the rule's own check judges."""
        del plan
        return None

    def params(self, request: ActionRequest) -> Any:
        """Return the request's parameters, validated."""
        return self.Params.model_validate(dict(request.params))
