"""What actions have in common that set one kernel setting from its usual value to another one for a while, and back."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from zen_agents.actions.base import Action
from zen_agents.actions.restore_sysctl import GiveBackSysctl, SettingsPolicy, present_setting, set_setting, setting_plan
from zen_agents.actions.scope import subject_of
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible, Risk
from zen_agents.ports.host import HostControl, HostView


class SettingForAWhile(Action):
    """One setting, from the value that was found to the wanted one, and back by hand."""

    setting: ClassVar[str]
    #: The kind of target that stands for it.
    subject: ClassVar[str]

    risk = Risk.HIGH
    reversible = Reversible.YES
    Policy = SettingsPolicy

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        was, wanted = plan.detail["found"], self._wanted(plan.request)
        await set_setting(plan, self.setting, wanted, control)
        return Effect(True, self._done(wanted), before=was, after=wanted, undo={"was": was})

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        if not effect.undo:
            return None
        undo = {"setting": self.setting, "was": effect.undo["was"], "left": self._wanted(plan.request)}
        return ActionRequest(GiveBackSysctl.name, plan.request.target, undo, inverse_of=self.name)

    def _values(self, request: ActionRequest) -> tuple[str, str]:
        """Return what the parameters call so: the usual value and the other one, as the kernel writes them."""
        subject_of(request, self.subject)
        values: tuple[str, str] = self.params(request).values
        return values

    @abstractmethod
    def _wanted(self, request: ActionRequest) -> str:
        """Return the value that is set."""

    @abstractmethod
    def _done(self, wanted: str) -> str:
        """Return in words what holds once it is set."""


class SetForAWhile(SettingForAWhile):
    """Sets the other value, if the usual one is set."""

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        usual, other = self._values(request)
        found = present_setting(self.setting, host)
        if found == other:
            raise StalePlanError(f"{self._done(found)} already; there is nothing to do")
        if found != usual:
            raise RefusedError(f"{self.setting} is {found}, not {usual} as usual: somebody set it; look who, and why")
        warning = self._look_first(self.params(request), host)
        return setting_plan(self, request, self.setting, found, other, warning=warning)

    @abstractmethod
    def _look_first(self, params: Any, host: HostView) -> str:
        """Return what a person must know of it, "" for nothing; RefusedError if it would do harm."""

    def _wanted(self, request: ActionRequest) -> str:
        return self._values(request)[1]


class SetAsUsual(SettingForAWhile):
    """Sets the usual value again, if the other one still is set and the usual one would do."""

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        usual, other = self._values(request)
        found = present_setting(self.setting, host)
        if found != other:
            raise StalePlanError(f"{self.setting} is {found}, not {other}; there is nothing to take back")
        self._require_room(self.params(request), host)
        return setting_plan(self, request, self.setting, found, usual)

    @abstractmethod
    def _require_room(self, params: Any, host: HostView) -> None:
        """RefusedError if the usual value would be reached again at once."""

    def _wanted(self, request: ActionRequest) -> str:
        return self._values(request)[0]
