"""The requests and replies of the workers that resolve an upgrade of a Python environment, and that build and try it."""

from __future__ import annotations

from zen_agents.dataclass import dataclass
from zen_agents.model.environment import Environment, Trial, Wanted

#: Modules that do the jobs; adapters start them by these names and never import them.
RESOLVER = "zen_agents.workers.package_resolve"
TRIAL = "zen_agents.workers.package_trial"

#: What a trial consists of: the copy is changed, and then tried without a way to change it.
BUILD, TRY = "build", "try"


@dataclass(frozen=True, slots=True)
class RunsAs:
    """The account that a worker becomes before it does anything."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tools:
    """What both workers are handed: whom to become, where uv is, and for how long."""

    runs_as: RunsAs
    #: Path of the program uv.
    uv: str
    #: A directory of its own, for all that is written besides.
    scratch: str
    #: Mounts that may be written, that of `scratch` among them.
    writable: tuple[str, ...]
    within_seconds: float


@dataclass(frozen=True, slots=True)
class ResolveRequest:
    """What an environment is to hold at least."""

    tools: Tools
    environment: Environment
    wanted: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class TrialRequest:
    """One half of a trial: BUILD or TRY."""

    tools: Tools
    part: str
    trial: Trial
    #: Modules that need not be importable: they were not before.
    excused: tuple[str, ...] = ()
