"""Restarting a systemd unit: waits for what systemd is doing, knows its start limit, reports its words."""

from __future__ import annotations

import asyncio

from zen_agents.errors import ActionFailedError, RefusedError, StalePlanError
from zen_agents.model.action import Effect, Plan
from zen_agents.model.reason import Reason
from zen_agents.ports.host import Command, HostControl, HostView, Unit, UnitJob

#: A unit that is still stopping or starting is waited for, then left to systemd.
_BUSY_SECONDS = 100.0
_POLL_SECONDS = 0.25
_RESTART_SECONDS = 120.0
START_LIMIT = "start-limit-hit"


def unit_of(name: str, host: HostView) -> Unit:
    """Return a unit by its canonical id; RefusedError for one that systemd does not know (R1)."""
    unit = host.unit(name)
    if unit is None or unit.load_state == "not-found":
        raise RefusedError(f"systemd knows no unit {name}; look at: systemctl status {name}", reason=Reason.NO_TARGET)
    if unit.load_state == "masked":
        raise RefusedError(f"{unit.id} is masked by a person; nothing was done", reason=Reason.STOPPED_BY_PERSON)
    return unit


def is_busy(unit: Unit) -> bool:
    """Tell whether systemd is about to change it."""
    return unit.busy or unit.active_state in ("deactivating", "activating")


async def restart_unit(name: str, plan: Plan, control: HostControl) -> Effect:
    """Wait while systemd is busy with it, then have it restarted once.

    The plan was made anew right before: only a unit that was busy then is looked at once more, each look costs a restart's
    time.
    """
    invocation = _planned_invocation(plan)
    if plan.detail["busy"]:
        unit = await _settled(name, control)
        if unit.invocation != invocation and unit.active_state == "active":
            raise StalePlanError(f"{name} has been started again meanwhile; nothing was done")
        invocation = unit.invocation
    notes = []
    if plan.detail["result"] == START_LIMIT:
        # Within this rung's bounded attempts: the engine's own limits, not systemd's, say how often.
        await control.run(Command(("systemctl", "reset-failed", "--", name), timeout_seconds=20.0))
        notes.append(f"systemd's start limit ({plan.detail['start_limit']}) had been hit and was reset")
    job = await control.restart_unit(name, timeout_seconds=_RESTART_SECONDS)
    after = await asyncio.to_thread(_look, name, control)
    ok = job.result == "done"
    if not ok and _limit_refused(after, invocation, job):
        notes.append(
            f"systemd refuses to start it again so soon, its start limit ({plan.detail['start_limit']}) is hit; "
            f"look at why it keeps ending: journalctl -u {name}"
        )
    end = "did not end in time" if job.timed_out else job.result
    why = "" if ok or not after.result else f" ({after.result})"
    return Effect(
        ok=ok,
        detail="; ".join([f"systemd's restart of {name}: {end}{why}", *notes]),
        before=str(plan.detail["before"]),
        after=f"{after.active_state} ({after.sub_state})",
        output=job.output,
    )


def _limit_refused(after: Unit, invocation: str, job: UnitJob) -> bool:
    """Tell whether systemd's start limit kept a restart from beginning.

    A unit that had failed before keeps its old Result then; but no run has begun. What failed for another unit's sake has
    not begun either, but systemd has another word for that.
    """
    unbegun = after.active_state == "failed" and after.invocation == invocation and after.start_limit_burst > 0
    return after.result == START_LIMIT or (unbegun and job.result == "failed")


async def _settled(name: str, control: HostControl) -> Unit:
    for _ in range(int(_BUSY_SECONDS / _POLL_SECONDS)):
        unit = await asyncio.to_thread(_look, name, control)
        if not is_busy(unit):
            return unit
        control.check_stop()
        await asyncio.sleep(_POLL_SECONDS)
    raise ActionFailedError(f"{name} is still {unit.active_state} after {_BUSY_SECONDS:g} s; nothing was done to it")


def _look(name: str, control: HostControl) -> Unit:
    return unit_of(name, control.view)


def _planned_invocation(plan: Plan) -> str:
    return plan.fingerprint.split(":")[-3]
