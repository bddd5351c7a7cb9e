"""BaseAgent: what every agent declares, and the life it leads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence, Set
from dataclasses import field
from datetime import timedelta
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel

from zen_agents.actions.base import ActionPolicy
from zen_agents.checks.base import Check
from zen_agents.dataclass import dataclass
from zen_agents.model.action import ActionRequest
from zen_agents.ports.host_resources import Mount
from zen_agents.ports.vitals import Vitals
from zen_agents.rules.rule import Rule


class Scheduled(Protocol):
    """Settings of an agent that decides at an interval or by cron."""

    @property
    def interval(self) -> timedelta: ...
    @property
    def schedule(self) -> str | None: ...
    @property
    def timezone(self) -> str: ...
    @property
    def jitter(self) -> timedelta: ...


@dataclass(frozen=True, slots=True)
class Schedule:
    """When an agent decides: every so many seconds, or by cron in a named time zone; never both."""

    every_seconds: float | None = None
    cron: str | None = None
    timezone: str = "UTC"
    jitter_seconds: float = 0.0

    @classmethod
    def said_by(cls, settings: Scheduled) -> Schedule:
        """Return what settings say: their cron expression where there is one, else their interval."""
        if settings.schedule is None:
            return cls(every_seconds=settings.interval.total_seconds())
        return cls(cron=settings.schedule, timezone=settings.timezone, jitter_seconds=settings.jitter.total_seconds())


@dataclass(frozen=True, slots=True)
class AgentContext:
    """What an agent may know of its surroundings when it declares its checks and rules."""

    host_name: str
    #: Dotted key path in the configuration -> `file:line:column`.
    origins: Mapping[str, str] = field(default_factory=dict)
    state_dir: str = ""
    #: What is mounted when the agent is built; () where nobody looked.
    mounts: Sequence[Mount] = ()
    #: Asks the engine how it feels; None where there is no engine (a check of the configuration).
    vitals: Vitals | None = None
    #: What `actions.allow` says, by action; None where it is not known: then everything counts as allowed.
    policies: Mapping[str, ActionPolicy] | None = None
    #: How long the engine may be refused, or unable to tell, before people are told.
    patience_seconds: float = 900.0
    patience_when_critical_seconds: float = 300.0
    #: Agents that were built before this one: what is in their scope may be named in its ladders.
    others: Sequence[BaseAgent] = ()

    def origin(self, path: str) -> str:
        """Return where a key was written, "" for a default; of a long list's item (`disk[0]`) at least where the list is."""
        return self.origins.get(path) or self.origins.get(path.partition("[")[0], "")

    def allows(self, action: str) -> bool:
        """Tell whether the allow-list has this action at all; guards judge it each time, this only shapes ladders."""
        return self.policies is None or action in self.policies

    def verify_within_seconds(self, action: str) -> float:
        """Return by when this action must have helped, as `actions.allow` says."""
        policy = (self.policies or {}).get(action) or ActionPolicy()
        return policy.verify_within.total_seconds()


class BaseAgent(ABC):
    """An agent is a declaration: what it looks at, what it may do, and by which rules.

    Subclass it, state the class attributes (they are its documentation and its boundaries), and return checks, rules and
    remedies; the engine does the rest. It is built once from its settings and never touches the host itself.
    """

    #: Section name under `agents:`.
    name: ClassVar[str]
    purpose: ClassVar[str]
    #: Permissions it needs on the host, one sentence each.
    permissions: ClassVar[tuple[str, ...]]
    side_effects: ClassVar[tuple[str, ...]]
    #: What a person does when it went wrong, one sentence each.
    recovery: ClassVar[tuple[str, ...]]
    #: Boundaries: the only actions it may ask for.
    actions: ClassVar[frozenset[str]]
    #: Those among them that mend nothing which is broken: begun unasked only in the window that their `only_in` names, or,
    #: without one, only when the cron expression of `schedule` is due; never because the engine starts.
    planned: ClassVar[frozenset[str]] = frozenset()
    #: pydantic model of its section.
    Settings: ClassVar[type[BaseModel]]

    def __init__(self, settings: Any, context: AgentContext) -> None:
        self.settings = settings
        self.context = context

    @property
    @abstractmethod
    def schedule(self) -> Schedule:
        """Return when it decides."""

    @abstractmethod
    def checks(self) -> Sequence[Check]:
        """Return its checks, each with its own `every_seconds`."""

    @abstractmethod
    def rules(self) -> Sequence[Rule]:
        """Return its rules, built-in ones and the user's own."""

    @abstractmethod
    def remedies(self) -> Sequence[ActionRequest]:
        """Return every action it could ask for, with target and parameters: its scope, and what `act` can run by hand."""

    def scope(self) -> Set[tuple[str, str]]:
        """Return (action, target) of every remedy; an agent that has thousands of them need not make them all for that."""
        return frozenset((remedy.action, remedy.target) for remedy in self.remedies())

    def rule_about(self, name: str, target: str) -> Rule | None:
        """Return the rule that reads the observation `name` of a target that others chose, an address; None if it has none.

        Nothing else can be acted on that no configuration names (ADR 0027).
        """
        del name, target
        return None

    def keep_running(self) -> frozenset[str]:
        """Return service targets that are to run whoever stopped them (R28)."""
        return frozenset()

    async def start(self) -> None:
        """Get ready; an exception here makes the agent `failed`."""

    async def pause(self) -> None:
        """Stop deciding; checks go on."""

    async def resume(self) -> None:
        """Decide again, from what is seen now (R13)."""

    async def stop(self) -> None:
        """Let go of everything."""
