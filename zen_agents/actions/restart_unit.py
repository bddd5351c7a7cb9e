"""Restarting a systemd unit: waits for what systemd is doing, knows its start limit, reports its words."""

from __future__ import annotations

import asyncio
from typing import Any

from zen_agents.errors import ActionFailedError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan
from zen_agents.model.reason import Reason
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_units import Unit, UnitJob

#: A unit that is still stopping or starting is waited for, then left to systemd.
_BUSY_SECONDS = 100.0
#: It is looked at again after as long as it was waited for, but not sooner than the first and no later than the second.
_POLL_SOONEST_SECONDS, _POLL_SECONDS = 0.01, 0.25
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


def restart_detail(unit: Unit, request: ActionRequest) -> dict[str, Any]:
    """Return what `restart_unit` needs of the look that a plan rests on."""
    return {
        "unit": unit.id,
        "busy": is_busy(unit),
        "limited": _limited(unit, request),
        "before": f"{unit.active_state} ({unit.sub_state})",
        "start_limit": f"{unit.start_limit_burst} starts in {unit.start_limit_interval_seconds:g} s",
    }


def steps_before(unit: Unit, request: ActionRequest) -> tuple[str, ...]:
    """Return what is done before a unit is restarted: waiting for systemd, and a reset of its start limit."""
    reset = f"systemctl reset-failed -- {unit.id}"
    if is_busy(unit):
        given_up = (f"{reset}, if systemd has given it up by then",) if _may_be_given_up(unit, request) else ()
        return (f"wait until {unit.id} is no longer {unit.active_state}", *given_up)
    limited = _limited(unit, request)
    return (f"{reset} ({limited})",) if limited else ()


async def restart_unit(name: str, plan: Plan, control: HostControl) -> Effect:
    """Wait while systemd is busy with it, then have it restarted once.

    The plan was made anew right before: only a unit that was busy then is looked at once more, each look costs a restart's
    time.
    """
    invocation, limited = _planned_invocation(plan), str(plan.detail["limited"])
    if plan.detail["busy"]:
        unit = await _settled(name, control)
        if unit.invocation != invocation and unit.active_state == "active":
            raise StalePlanError(f"{name} has been started again meanwhile; nothing was done")
        invocation, limited = unit.invocation, _limited(unit, plan.request)
    notes = []
    if limited:
        notes.append(f"{limited}; the limit ({plan.detail['start_limit']}) was reset")
    job = await control.restart_unit(name, timeout_seconds=_RESTART_SECONDS, fresh_limit=bool(limited))
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


def _limited(unit: Unit, request: ActionRequest) -> str:
    """Return why systemd's own start limit is to be reset first, "" if it is not.

    How often a unit is started is bounded by the engine's own limits. One that systemd itself restarted until it gave it up
    gets a whole round of it more by that, so that only the first attempt of a repair begins one: what still ends then is
    left to systemd's limit, whose refusals are told. An attempt that ended with its engine may not have come to that, and
    does not count: one round more for each time the engine dies is less than a unit that stays down.
    """
    if unit.result == START_LIMIT:
        return "systemd's own start limit was hit"
    given_up = unit.active_state == "failed" and unit.restarts > 0 and request.is_first_begun
    return f"systemd gave it up after {unit.restarts} restarts of its own" if given_up else ""


def _may_be_given_up(unit: Unit, request: ActionRequest) -> bool:
    return unit.active_state == "activating" and request.is_first_begun


def _limit_refused(after: Unit, invocation: str, job: UnitJob) -> bool:
    """Tell whether systemd's start limit kept a restart from beginning.

    A unit that had failed before keeps its old Result then; but no run has begun. What failed for another unit's sake has
    not begun either, but systemd has another word for that.
    """
    unbegun = after.active_state == "failed" and after.invocation == invocation and after.start_limit_burst > 0
    return after.result == START_LIMIT or (unbegun and job.result == "failed")


async def _settled(name: str, control: HostControl) -> Unit:
    waited = 0.0
    while waited < _BUSY_SECONDS:
        unit = await asyncio.to_thread(_look, name, control)
        if not is_busy(unit):
            return unit
        control.check_stop()
        pause = min(max(waited, _POLL_SOONEST_SECONDS), _POLL_SECONDS)
        await asyncio.sleep(pause)
        waited += pause
    raise ActionFailedError(f"{name} is still {unit.active_state} after {_BUSY_SECONDS:g} s; nothing was done to it")


def _look(name: str, control: HostControl) -> Unit:
    return unit_of(name, control.view)


def _planned_invocation(plan: Plan) -> str:
    return plan.fingerprint.split(":")[-3]
