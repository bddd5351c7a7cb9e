"""What an area is: one section of the settings of system_health, and all that comes of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from zen_agents.agents.system_health.rule_maker import RuleMaker
    from zen_agents.agents.system_health.settings import SystemHealthSettings
    from zen_agents.checks.base import Check
    from zen_agents.rules.rule import Rule

S = TypeVar("S")

#: Action, label of the target, and the action's parameters; every remedy of an action has the same ones.
Remedy = tuple[str, str, Mapping[str, Any]]


class Area(ABC, Generic[S]):
    """What comes of a section: which checks, which remedies, which rules. Without the section it is not even loaded.

    Parameters of a remedy come from the configuration alone, never from what was observed (R17).
    """

    @abstractmethod
    def checks(self, section: S, settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what is looked at, each with its own rhythm."""

    def remedies(self, section: S) -> Iterable[Remedy]:
        """Return every action that the section allows for, with its full parameters."""
        del section
        return ()

    @abstractmethod
    def rules(self, section: S, make: RuleMaker) -> Iterable[Rule]:
        """Return the rules; SettingsError, with the key path, for one that cannot be made."""

    def keep_running(self, section: S) -> Iterable[str]:
        """Return the targets that are to run whoever stopped them (R28)."""
        del section
        return ()
