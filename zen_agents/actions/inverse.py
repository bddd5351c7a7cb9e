"""What an inverse is: an action that takes back what another one did, by hand alone (R31)."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.model.action import Plan, Reversible
from zen_agents.ports.host import HostView


class InverseParams(ActionParams):
    """What the action that is taken back has recorded."""

    undoes: str = Field("", description="id of the action that is taken back")


class Inverse(Action):
    """Gives back what was there before.

    `plan` raises StalePlanError unless the target still is what the action left. No list allows an inverse: it may run where
    the action that it takes back may.
    """

    #: What was taken back is done again by `act`, not by a second undo.
    reversible: ClassVar[Reversible] = Reversible.NO

    @abstractmethod
    def missing(self, plan: Plan, host: HostView) -> str:
        """Look again afterwards and return what is not as it was before the action, in words; "" if all is.

        Raises HostError if that cannot be told.
        """
