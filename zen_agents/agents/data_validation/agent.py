"""The agent that holds data sets against what is expected of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from zen_agents.agents.base import AgentContext, BaseAgent, Schedule
from zen_agents.agents.data_validation.settings import DataValidationSettings
from zen_agents.checks.base import Check
from zen_agents.model.action import ActionRequest
from zen_agents.rules.rule import Rule

if TYPE_CHECKING:
    from zen_agents.agents.data_validation.declared import Declared


class DataValidationAgent(BaseAgent):
    """Looks at the listed data sets by its schedule, and tells what of them is not as expected.

    With nothing listed it reads nothing. What stands in the rows is kept and sent nowhere, but for keys where a data set
    says so: it says how many rows, of which check, and where.
    """

    name = "data_validation"
    purpose = (
        "Checks files and tables against a contract: types, keys, ranges, relations, freshness, drift; tells what fails."
    )
    permissions = (
        "Where the engine is root, files are read as nobody, their owner, or the account that is named; never as root.",
        "Every directory on the way to a file is opened by itself; no link is followed.",
    )
    side_effects = (
        "What does not fit into memory is written to a private directory while a look lasts.",
        "Files are written anew where a contract allows repairs; what was there is kept, as are rows that are taken out.",
        "Files that fail go into the quarantine where a data set says so; who reads it goes on without them.",
        "A few good copies of a file are kept, in the state or where it is said, where a data set asks for that.",
        "What the last hundred runs came to is kept in the state, and how columns were spread where drift is asked for.",
    )
    recovery = (
        "See which rows: zen-agents data check NAME.",
        "A look that takes too much: limits, or every, in the data set; enabled: false ends all of them.",
    )
    actions = frozenset({"repair_data", "restore_data", "quarantine_file"})
    Settings = DataValidationSettings

    def __init__(self, settings: Any, context: AgentContext) -> None:
        super().__init__(settings, context)
        self._settings: DataValidationSettings = settings
        self._declared = tuple(self._declare())

    @property
    def schedule(self) -> Schedule:
        """Return the interval, or cron expression, at which data sets are looked at."""
        return Schedule.said_by(self._settings)

    def checks(self) -> Sequence[Check]:
        """Return one check for each data set."""
        return [each.check for each in self._declared]

    def rules(self) -> Sequence[Rule]:
        """Return a rule for each data set and severity."""
        return [rule for each in self._declared for rule in each.rules]

    def remedies(self) -> Sequence[ActionRequest]:
        """Return what each data set's contract allows; of the others people are told."""
        return [request for each in self._declared for request in each.remedies]

    def _declare(self) -> Iterator[Declared]:
        if self._settings.datasets:
            from zen_agents.agents.data_validation.declared import declared  # noqa: PLC0415 - only where one is listed

            yield from declared(self._settings, self.context)
