"""Restarting who runs on an environment, each once, and watching whether it stays up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from zen_agents.errors import HostError
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_units import Unit

#: How long systemd may take with one of them (seconds).
RESTART_SECONDS = 120.0
#: How often those that were restarted are looked at while they are watched (seconds).
_LOOK_EVERY_SECONDS = 1.0


async def restarted(units: Sequence[str], control: HostControl) -> str:
    """Restart these units and return what went wrong, "" if nothing did; the first that fails is the last."""
    for name in units:
        job = await control.restart_unit(name, timeout_seconds=RESTART_SECONDS)
        if job.result != "done":
            end = "did not end in time" if job.timed_out else job.result
            return f"systemd's restart of {name}: {end}{f' ({job.output.strip()[-300:]})' if job.output else ''}"
    return ""


async def stays_up(units: Sequence[str], seconds: float, control: HostControl) -> str:
    """Watch units for so long and return what is wrong with one of them, "" if each stayed up as it was begun."""
    began = await _runs(units, control)
    left = seconds
    while True:
        now = await _runs(units, control)
        if worse := next((why for name in units if (why := _worse(name, began[name], now[name]))), ""):
            return worse
        if left <= 0:
            return ""
        pause = min(left, _LOOK_EVERY_SECONDS)
        await asyncio.sleep(pause)
        left -= pause


def _worse(name: str, began: Unit | None, now: Unit | None) -> str:
    if now is None or began is None:
        return f"systemd does not know {name} any more"
    if now.active_state != "active":
        return f"{name} is {now.active_state} ({now.result or now.sub_state})"
    if (now.invocation, now.restarts) != (began.invocation, began.restarts):
        return f"{name} ended and was started again"
    return ""


async def _runs(units: Sequence[str], control: HostControl) -> dict[str, Unit | None]:
    view = control.view
    return await asyncio.to_thread(lambda: {name: _unit(name, view) for name in units})


def _unit(name: str, view: HostView) -> Unit | None:
    try:
        return view.unit(name)
    except HostError:
        return None
