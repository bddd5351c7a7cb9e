"""reset_pool: give back the connections of a PostgreSQL that one application took and forgot."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.pool_scope import PoolsPolicy
from zen_agents.actions.scope import listed, subject_of
from zen_agents.clock import Clock, ForwardSteps, SystemClock
from zen_agents.errors import HostError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Reversible, Risk
from zen_agents.model.duration import duration
from zen_agents.model.pool import MOST_SESSIONS, PoolQuestion, PoolSession
from zen_agents.model.scalars import HostPort, Line
from zen_agents.ports.host import HostControl, HostView

#: Planning may take no longer than any other.
_PLAN_SECONDS = 4.0
_MOST_SECONDS = timedelta.max.total_seconds()


class ResetPoolParams(ActionParams):
    """Which server, whose sessions, and what of them counts as forgotten."""

    server: HostPort = Field(description="HOST:PORT of the PostgreSQL")
    login: str = Field(min_length=1, description="role of the engine there")
    login_database: str = Field("postgres", min_length=1, description="database it connects to")
    password_file: str = Field("", description="file of its password; empty: none is asked for")
    tls: str = Field("prefer", description="disable | prefer | require | verify-full")
    authority: str = Field("", description="PEM file of the only trusted authorities; empty: the account's")
    user: str = Field(min_length=1, description="role whose sessions may be ended")
    application: str = Field("", description="only sessions that call themselves so; empty: whatever they are called")
    database: str = Field("", description="only sessions in this database; empty: in any")
    in_transaction_seconds: float = Field(
        gt=0, lt=_MOST_SECONDS, description="a session that waits longer in a transaction is forgotten"
    )
    idle_seconds: float = Field(
        0.0, ge=0, lt=_MOST_SECONDS, description="the same outside of one; 0: such a session is not ended"
    )
    above_percent: float = Field(ge=0, le=100, description="do nothing while no more than this of the pool is taken")
    at_most: int = Field(10, ge=1, le=MOST_SESSIONS, description="so many are ended at once")
    timeout_seconds: float = Field(
        5.0, gt=0, lt=_MOST_SECONDS, description="how long the server may take to answer, in seconds"
    )

    @property
    def question(self) -> PoolQuestion:
        """The pool, and whose sessions are meant."""
        return PoolQuestion(
            kind="postgres", server=self.server, login=self.login, login_database=self.login_database,
            user=self.user, application=self.application, database=self.database, password_file=self.password_file,
            tls=self.tls, authority=self.authority, in_transaction_seconds=self.in_transaction_seconds,
            idle_seconds=self.idle_seconds,
        )  # fmt: skip

    @property
    def whose(self) -> str:
        """Whose sessions, in words."""
        application = f" that call themselves {self.application}" if self.application else ""
        return f"sessions of {self.user}{application}{f' in {self.database}' if self.database else ''}"

    @property
    def forgotten(self) -> str:
        """What counts as forgotten, in words."""
        idle = f", or outside of one for {duration(self.idle_seconds)}" if self.idle_seconds else ""
        return f"waited in a transaction for {duration(self.in_transaction_seconds)}{idle}"


class ResetPoolPolicy(PoolsPolicy):
    """The scope: at most these pools, and these users' sessions."""

    users: Annotated[tuple[Line, ...], Field(min_length=1)] | None = Field(
        None, description="only sessions of these users of databases; left out: whatever the configuration names"
    )

    def permits(self, plan: Plan) -> str:
        user = str(plan.request.params.get("user", ""))
        if self.users is not None and user not in self.users:
            return f"{user} is not in users"
        return super().permits(plan)


class ResetPool(Action):
    """Ends sessions of the one named user that waited too long, longest first, a few at once; nobody else's."""

    name = "reset_pool"
    summary = "End those sessions of one application at a PostgreSQL that it forgot, while the pool is too full."
    side_effects = (
        "What these sessions had not committed is rolled back; the application gets an error where it still uses one."
    )
    risk = Risk.HIGH
    reversible = Reversible.NO
    mends = ("pool.{name}.",)
    Params = ResetPoolParams
    Policy = ResetPoolPolicy

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        #: By target: each has its own patience, and so its own time for which a step of the clock counts.
        self._steps: dict[str, ForwardSteps] = {}
        self._began = self._clock.now()

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        name = subject_of(request, "pool")
        params: ResetPoolParams = self.params(request)
        look = host.pool_now(self._asked(request, params), min(params.timeout_seconds, _PLAN_SECONDS))
        if look.untold or look.full:
            raise HostError(f"the pool {name} cannot be asked: {look.untold or look.full}; nothing was done")
        if look.percent <= params.above_percent:
            raise StalePlanError(f"{look.used} of {look.limit} are taken, no more than {params.above_percent:g} %")
        chosen = look.forgotten[: params.at_most]
        if not chosen:
            # A session that waits now may have been forgotten in a moment: it is looked at again soon.
            raise StalePlanError(
                f"the pool {name} is full, and no {params.whose} {params.forgotten}: they are in use, or others' "
                f"({look.meant} of {look.used} are {params.user}'s); nothing was done"
            )
        return self.planned(
            request,
            steps=_steps(params, chosen),
            touches=(Resource(ResourceKind.POOL, name),),
            # Sessions come and go; each is compared where it is ended.
            fingerprint=look.run,
            expected_seconds=1.0,
            timeout_seconds=2 * params.timeout_seconds + 15.0,
            detail={"sessions": [session._asdict() for session in chosen], "taken": f"{look.used} of {look.limit}"},
            warning="irreversible: what these sessions had not committed is rolled back",
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: ResetPoolParams = self.params(plan.request)
        asked = self._asked(plan.request, params)
        chosen = [PoolSession(**session) for session in plan.detail["sessions"]]
        ended = await control.end_sessions(asked, chosen, timeout_seconds=params.timeout_seconds)
        if not ended:
            raise StalePlanError("none of these sessions is what it was; nothing was done")
        look = await control.view.pool(asked, params.timeout_seconds)
        spared = f"; {len(chosen) - len(ended)} were in use again" if len(ended) < len(chosen) else ""
        after = "not known" if look.untold else f"{look.used} of {look.limit} are taken"
        before = f"{plan.detail['taken']} were taken"
        return Effect(True, f"ended {len(ended)} forgotten {params.whose}{spared}", before=before, after=after)

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return f"pool.{subject_of(plan.request, 'pool')}.percent_used", plan.request.target

    def _asked(self, request: ActionRequest, params: ResetPoolParams) -> PoolQuestion:
        """Return the question; a server here counts by the wall clock, and one that was set forward ages every session."""
        now, asked = self._clock.now(), params.question
        steps = self._steps.setdefault(request.target, ForwardSteps(self._began))
        ahead = steps.within(max(asked.in_transaction_seconds, asked.idle_seconds), now)
        idle = asked.idle_seconds + ahead if asked.idle_seconds else 0.0
        return replace(asked, in_transaction_seconds=asked.in_transaction_seconds + ahead, idle_seconds=idle)


def _steps(params: ResetPoolParams, chosen: tuple[PoolSession, ...]) -> tuple[str, ...]:
    first = f"at {params.server}: end the {params.whose} that {params.forgotten}, at most {params.at_most}, longest first"
    shown = [
        f"end session {each.pid} ({each.application or 'no name'}, from {each.client}, {each.state} since {each.since})"
        for each in chosen
    ]
    return (first, *listed(shown, "sessions"))
