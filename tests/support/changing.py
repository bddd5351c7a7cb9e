"""The changing side of this very host, confined to a temporary directory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zen_agents.actions.base import Action
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.linux_control import LinuxControl, LinuxControls
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.clock import SystemClock
from zen_agents.model.action import ActionRequest, Effect, Plan

IS_ROOT = os.geteuid() == 0
#: The account that tests run services as: the engine's own.
OWN_ACCOUNT = "root" if IS_ROOT else ""


@dataclass(slots=True)
class Changing:
    """A real host, its state directory, and what changes it."""

    state_dir: Path
    host: LinuxHost
    flag: EmergencyFlag
    controls: LinuxControls

    def control(self, name: str = "act-test00") -> LinuxControl:
        """Return a control whose intent counts as durable."""
        control = self.controls.held(name)
        control.release()
        return control

    def plan(self, action: Action, target: str, params: dict[str, Any]) -> Plan:
        """Plan an action on this host."""
        return self.planned(action, ActionRequest(action.name, target, params))

    def planned(self, action: Action, request: ActionRequest) -> Plan:
        """Plan what is requested, once all was looked at that takes long."""
        self.survey(action, request)
        return action.plan(request, self.host.look())

    def survey(self, action: Action, request: ActionRequest) -> None:
        """Look at what takes long."""
        if (survey := action.survey(request, self.host.look(), lambda *_: None)) is not None:
            asyncio.run(_awaited(survey))

    async def act(self, action: Action, target: str, params: dict[str, Any]) -> Effect:
        """Plan an action and do it."""
        return await action.execute(self.plan(action, target, params), self.control())


async def _awaited(survey: Awaitable[None]) -> None:
    await survey


def changing(directory: Path) -> Changing:
    """Make the changing side with its state in a new directory."""
    (directory / "state").mkdir(mode=0o700)
    return changing_again(directory)


def changing_again(directory: Path) -> Changing:
    """Return the changing side with its state where it is already."""
    state_dir = directory / "state"
    flag = EmergencyFlag(state_dir, host_flag=directory / "no-host-flag" / "EMERGENCY_STOP")
    flag.prepare()
    # Whatever runs this host: services are started detached, never as units of it.
    host = LinuxHost(state_dir, root=str(directory / "no-systemd-here"))
    return Changing(state_dir, host, flag, LinuxControls(host, state_dir=state_dir, flag=flag, clock=SystemClock()))


async def until(condition: Callable[[], bool], *, seconds: float = 60.0) -> None:
    """Wait for a condition, generously."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the host has no event for it
            await asyncio.sleep(0.01)
