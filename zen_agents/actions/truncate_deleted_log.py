"""truncate_deleted_log: free what a deleted log still takes because its writer holds it open."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.coverage import matches
from zen_agents.actions.scope import (
    PathsPolicy,
    in_thread,
    listed,
    plain_path,
    subject_of,
    touched_paths,
)
from zen_agents.errors import HostError, StalePlanError, UnsafePathError
from zen_agents.model.action import ActionRequest, Budget, Effect, Plan, Resource, ResourceKind, Reversible, Risk
from zen_agents.model.scalars import GlobPath
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_processes import Process

_Held = tuple[Process, int, str, int]


class TruncateDeletedLogParams(ActionParams):
    """Which logs, and from what size it is worth it."""

    path: GlobPath = Field(description="the log; the last component may hold wildcards")
    at_least_bytes: int = Field(1, ge=1, description="only files that take at least this much")


class TruncateDeletedLog(Action):
    """Truncates a log that has no name any more, through its writer's descriptor; which goes on undisturbed."""

    name = "truncate_deleted_log"
    summary = "Free the space of a listed log that was deleted while its writer still holds it open."
    side_effects = "What the deleted log said, which only its writer could still read, is gone."
    risk = Risk.LOW
    reversible = Reversible.NO
    mends = ("log.{name}.deleted_bytes", "disk.")
    budget = Budget.HOUSEKEEPING
    Params = TruncateDeletedLogParams
    Policy = PathsPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "log")
        params: TruncateDeletedLogParams = self.params(request)
        held = _held(params, host)
        if not held:
            raise StalePlanError(
                f"nobody holds a deleted {params.path} of {size_in_words(params.at_least_bytes)} or more open"
            )
        steps = [
            f"truncate deleted {path} ({size_in_words(size)}) through descriptor {number} of {process.name} ({process.pid})"
            for process, number, path, size in held
        ]
        processes = dict.fromkeys(process.fingerprint for process, _, _, _ in held)
        return self.planned(
            request,
            steps=listed(steps, "files"),
            touches=(
                *(Resource(ResourceKind.PROCESS, name) for name in processes),
                *touched_paths(dict.fromkeys(path for _, _, path, _ in held)),
            ),
            fingerprint=_fingerprint(held),
            timeout_seconds=60.0,
            warning="irreversible: the text of the deleted log is gone",
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: TruncateDeletedLogParams = self.params(plan.request)

        def work(go_on: Callable[[], None]) -> tuple[int, list[str]]:
            held, freed, left = _held(params, control.view), 0, []
            if _fingerprint(held) != plan.fingerprint:
                raise StalePlanError
            for process, number, path, _ in held:
                go_on()
                try:
                    freed += control.truncate_descriptor(process, number, expected_path=path)
                except (StalePlanError, UnsafePathError, HostError) as error:
                    left.append(str(error))
            return freed, left

        freed, left = await in_thread(work, control)
        kept = f"; left {len(left)} ({left[0]})" if left else ""
        return Effect(ok=freed > 0, detail=f"freed {size_in_words(freed)}{kept}", after=f"freed {size_in_words(freed)}")


def _held(params: TruncateDeletedLogParams, host: HostView) -> list[_Held]:
    plain_path(params.path)
    found = [
        (process, number, path, size)
        for process, number, path, size in host.deleted_open_files()
        if size >= params.at_least_bytes and matches(path, params.path)
    ]
    return sorted(found, key=lambda held: (held[0].pid, held[1]))


def _fingerprint(held: list[_Held]) -> str:
    text = "\n".join(f"{process.fingerprint} {number} {path}" for process, number, path, _ in held)
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:24]
