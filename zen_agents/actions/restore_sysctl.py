"""restore_sysctl: give a kernel setting the value back that was declared for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams, ActionPolicy
from zen_agents.actions.inverse import Inverse, InverseParams
from zen_agents.actions.scope import in_thread, subject_of, touched_paths
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, ResourceKind, Reversible, Risk
from zen_agents.model.scalars import KernelSetting
from zen_agents.ports.host import HostControl, HostView

#: Kinds of target that stand for one kernel setting of their own.
_OWN_SETTINGS = frozenset({"local_ports", "conntrack"})


class SettingsPolicy(ActionPolicy):
    """The scope of an action on kernel settings: exactly these."""

    settings: Annotated[tuple[KernelSetting, ...], Field(min_length=1)] | None = Field(
        None, description="only these kernel settings; one that is not named here is never set"
    )

    def permits(self, plan: Plan) -> str:
        for touched in plan.touches:
            if touched.kind is not ResourceKind.PATH or not self.names(touched.name):
                return f"{touched.name} is not one of the settings that are listed"
        return ""

    def names(self, path: str) -> bool:
        return any(path == place_of_setting(setting) for setting in self.settings or ())


def place_of_setting(setting: str) -> str:
    """Return the path by which a kernel setting is judged and told."""
    return "/proc/sys/" + "/".join(part.replace("/", ".") for part in setting.split("."))


class RestoreSysctlParams(ActionParams):
    """Which setting, and its value."""

    setting: KernelSetting = Field(description="kernel setting, like net.ipv4.tcp_keepalive_time")
    value: str = Field(min_length=1, description="what it should be, values parted by single spaces")


class RestoreSysctl(Action):
    """Sets one kernel setting of this boot; files below /etc/sysctl.d are left as they are."""

    name = "restore_sysctl"
    summary = "Give a kernel setting the value back that was declared for it."
    side_effects = "The kernel works with the declared value at once, for all programs."
    risk = Risk.HIGH
    reversible = Reversible.YES
    mends = ("sysctl.{name}",)
    Params = RestoreSysctlParams
    Policy = SettingsPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "sysctl")
        params: RestoreSysctlParams = self.params(request)
        found = present_setting(params.setting, host)
        if found == params.value:
            raise StalePlanError(f"{params.setting} is {found}, as declared; there is nothing to do")
        return setting_plan(self, request, params.setting, found, params.value)

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: RestoreSysctlParams = self.params(plan.request)
        await set_setting(plan, params.setting, params.value, control)
        was = plan.detail["found"]
        return Effect(True, f"{params.setting} is {params.value} again", before=was, after=params.value, undo={"was": was})

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        if not effect.undo:
            return None
        params: RestoreSysctlParams = self.params(plan.request)
        undo = {"setting": params.setting, "was": effect.undo["was"], "left": params.value}
        return ActionRequest(GiveBackSysctl.name, plan.request.target, undo, inverse_of=self.name)

    def undone(self, plan: Plan) -> str:
        """The kernel keeps a setting until somebody changes it, or the host boots."""
        return f"set {plan.request.params['setting']} to {plan.detail['found']}"

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return f"sysctl.{subject_of(plan.request, 'sysctl')}", plan.request.target


class GiveBackSysctlParams(InverseParams):
    """What it was, and what the action left."""

    setting: KernelSetting = Field(description="kernel setting")
    was: str = Field(description="before the action")
    left: str = Field(description="after the action")


class GiveBackSysctl(Inverse):
    """Sets the value that was there before, if nobody changed it since."""

    name = "give_back_sysctl"
    summary = "Give a kernel setting the value back that it had before."
    side_effects = "The kernel works with the earlier value at once."
    risk = Risk.HIGH
    Params = GiveBackSysctlParams

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        kind = request.target.partition(":")[0]
        subject_of(request, kind if kind in _OWN_SETTINGS else "sysctl")
        params: GiveBackSysctlParams = self.params(request)
        found = present_setting(params.setting, host)
        if found != params.left:
            raise StalePlanError(f"{params.setting} is {found} now and was left as {params.left}; nothing was done")
        return setting_plan(self, request, params.setting, found, params.was)

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: GiveBackSysctlParams = self.params(plan.request)
        await set_setting(plan, params.setting, params.was, control)
        return Effect(True, f"{params.setting} is {params.was} as before", before=params.left, after=params.was)

    def missing(self, plan: Plan, host: HostView) -> str:
        params: GiveBackSysctlParams = self.params(plan.request)
        found = host.kernel_setting(params.setting)
        return "" if found == params.was else f"{params.setting} is {found}, not {params.was}"


def present_setting(setting: str, host: HostView) -> str:
    """Return what a kernel setting is; RefusedError if this kernel has none of that name."""
    found = host.kernel_setting(setting)
    if found is None:
        raise RefusedError(f"this kernel has no setting {setting}; nothing was done")
    return found


def setting_plan(
    action: Action, request: ActionRequest, setting: str, found: str, wanted: str, *, warning: str = ""
) -> Plan:
    """Return the plan of setting a kernel setting that was found to be another value."""
    return action.planned(
        request,
        steps=(f"set {setting} from {found} to {wanted}",),
        touches=touched_paths([place_of_setting(setting)]),
        fingerprint=f"{setting}={found}",
        timeout_seconds=10.0,
        detail={"found": found},
        warning=warning,
    )


async def set_setting(plan: Plan, setting: str, value: str, control: HostControl) -> None:
    """Set a kernel setting that still is what the plan has found."""

    def work(go_on: Callable[[], None]) -> None:
        go_on()
        control.set_kernel_setting(setting, value, expected=plan.detail["found"])

    await in_thread(work, control)
