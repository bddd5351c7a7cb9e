"""What actions have in common that set one kernel setting from its usual value to another one for a while, and back."""

from __future__ import annotations

from typing import ClassVar

from zen_agents.actions.base import Action
from zen_agents.actions.restore_sysctl import GiveBackSysctl, SettingsPolicy, set_setting
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible, Risk
from zen_agents.ports.host import HostControl


class SettingForAWhile(Action):
    """One setting, from the value that was found to the wanted one, and back by hand."""

    setting: ClassVar[str]

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

    def _wanted(self, request: ActionRequest) -> str:
        """Return the value that is set."""
        raise NotImplementedError

    def _done(self, wanted: str) -> str:
        """Return in words what holds once it is set."""
        raise NotImplementedError
