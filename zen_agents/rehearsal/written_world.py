"""What a rule test puts in the engine's surroundings: a host, checks and actions that say what is written.

Nothing here decides anything: that is the engine's own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from zen_agents.actions.base import Action
from zen_agents.actions.scope import touched_paths
from zen_agents.agents.base import BaseAgent
from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.engine.sampler import Sampler
from zen_agents.errors import HostError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind
from zen_agents.model.message import Message
from zen_agents.model.observation import Observation
from zen_agents.ports.host import Host, HostView
from zen_agents.ports.host_files import FileState
from zen_agents.rehearsal.facts import Facts, FactsHost
from zen_agents.rehearsal.plan import observations_of
from zen_agents.rehearsal.rule_tests import ActionResult
from zen_agents.rehearsal.stage import Nobody
from zen_agents.rehearsal.timeline import Timeline

_FactsNow = Callable[[], Facts]


class WrittenHost(FactsHost):
    """The host of `plan --facts`, at each look as the series say."""

    def __init__(self, facts: _FactsNow) -> None:
        super().__init__(facts())
        self._now = facts

    def look(self) -> Any:
        """Return the host of this moment."""
        self._facts = self._now()
        return self

    def file(self, path: str) -> FileState:
        """Return a directory that is no link: what guards ask of a path before it is touched."""
        return FileState(path, "directory", 0o755, 0, 0, 4096, 0.0, 0.0, 0.0, 1, 1, 1)


class WrittenSampler(Sampler):
    """Answers for every check with what the series say at that moment."""

    def __init__(self, host: Host, clock: Timeline, facts: _FactsNow) -> None:
        super().__init__(host, clock)
        self._facts = facts

    async def sample(self, checks: Sequence[Check], now: Instant, look: HostView | None = None) -> list[Observation]:
        """Return one observation for each name of these checks; what no series tells is UNKNOWN."""
        del look
        return observations_of(self._facts(), checks, now)


class WrittenAction(Action):
    """A real action whose effect is written: it plans as ever, takes its time, and ends as the test says."""

    name = "written"
    summary = "Ends as a rule test says."
    side_effects = "none"

    def __init__(self, real: Action, result: ActionResult, clock: Timeline) -> None:
        self._real, self._result, self._clock = real, result, clock

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        """Plan as the real action does; one that has to look at files is planned from its parameters instead."""
        try:
            return self._real.plan(request, host)
        except (HostError, StalePlanError):
            params = self._real.params(request).model_dump(mode="json")
        real, touches = self._real, _touched(request, params)
        step = f"{real.name} {request.target} (its files are not looked at in a test)"
        return Plan(request, (step,), touches, "written", real.risk, real.reversible, real.budget)

    async def execute(self, plan: Plan, control: object) -> Effect:
        """Let the time pass that it takes, and end as it is written; the door to the host is of no use to it."""
        del control
        takes = self._result.takes.total_seconds()
        await self._clock.sleep(min(takes, plan.timeout_seconds))
        if takes > plan.timeout_seconds:
            raise TimeoutError
        return Effect(self._result.exit == 0, f"exit {self._result.exit}, as the test says", exit_code=self._result.exit)

    def undone(self, plan: Plan) -> str:
        """Return what the real action would suspect."""
        return self._real.undone(plan)


class Told(Nobody):
    """Keeps what people would be told."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def tell(self, message: Message) -> None:
        """Keep it."""
        self.messages.append(message)


def written_actions(
    actions: Mapping[str, Action], results: Mapping[str, ActionResult], clock: Timeline
) -> Mapping[str, Action]:
    """Return actions of the same names that end as the results say, well and within a second where they say nothing."""
    return {name: WrittenAction(action, results.get(name, ActionResult()), clock) for name, action in actions.items()}


def keep_told(agent: BaseAgent, facts: Facts) -> None:
    """Leave an agent the rules of which a series tells anything, and their checks, as `plan --facts` does.

    The others would only complain, after their patience, that they cannot tell.
    """
    rules = [rule for rule in agent.rules() if any(facts.about(*pair) is not None for pair in rule.condition.names)]
    read = {pair for rule in rules for each in (rule.condition, rule.clear) if each is not None for pair in each.names}
    checks = [check for check in agent.checks() if any((name, check.target) in read for name in check.observes)]
    agent.rules, agent.checks = lambda: rules, lambda: checks  # type: ignore[method-assign]


def _touched(request: ActionRequest, params: Mapping[str, Any]) -> tuple[Resource, ...]:
    """Return what the parameters name: paths, else a unit, else the journal or the service that it is asked for."""
    if paths := _paths(params.values()):
        return touched_paths(paths)
    if isinstance(unit := params.get("unit"), str):
        return (Resource(ResourceKind.UNIT, unit),)
    kind, _, name = request.target.partition(":")
    return (Resource(ResourceKind(kind), name),) if kind in (ResourceKind.JOURNAL, ResourceKind.SERVICE) else ()


def _paths(values: Collection[object]) -> list[str]:
    return [value for value in values if isinstance(value, str) and value.startswith("/")]
