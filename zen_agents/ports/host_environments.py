"""Python environments: what an upgrade would make of one, trying that beside it, and putting it in its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from zen_agents.model.environment import Environment, Holding, Resolution, Switched, Trial, TrialReport, Wanted


class EnvironmentView(Protocol):
    """Questions about environments; never remembered."""

    def environment_upgrade(self, environment: Environment, wanted: Sequence[Wanted], timeout_seconds: float) -> Resolution:
        """Return the least upgrade that brings what is wanted, as its resolver says; HostError if nobody could tell.

        RefusedError where something of it would have to run as root. Blocks, so it is for planning.
        """
        ...

    def environment_holding(self, venv: str) -> Holding:
        """Return which directory is in an environment's place and what it holds, by its own records."""
        ...

    def kept_environment(self, id: str) -> tuple[str, Holding]:
        """Return where the environment was that an action replaced, and what it holds; StalePlanError if it is not kept."""
        ...


class EnvironmentControl(Protocol):
    """Changes to environments. What is tried, switched and kept is known by the action that did it."""

    async def try_environment(self, trial: Trial) -> TrialReport:
        """Build the upgrade in a copy beside the environment and try it there, as its own account and with limits.

        What was built waits for `switch_environment`, unless a step failed: then nothing is left. HostError and RefusedError
        say why nothing was tried.
        """
        ...

    async def switch_environment(self) -> Switched:
        """Exchange what this action built with what is there, in one step; StalePlanError if that was changed meanwhile."""
        ...

    async def restarting_on_environment(self, units: Sequence[str]) -> None:
        """Note, for good, that units are about to be restarted on what is new: who takes it back restarts them again."""
        ...

    async def keep_environment(self, seconds: float) -> None:
        """Note that what is new works; what was there before is kept for so long."""
        ...

    async def switch_environment_back(self, id: str) -> None:
        """Put what was there before an action in its place again; StalePlanError if that is not possible any more."""
        ...
