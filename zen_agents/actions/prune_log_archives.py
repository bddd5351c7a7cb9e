"""prune_log_archives: remove rotated logs that are past their age, or the oldest of those that take too much room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from pydantic import Field

from zen_agents.actions.base import Action
from zen_agents.actions.log_archives import (
    MOST_ARCHIVES,
    LogArchivesParams,
    LogArchivesPolicy,
    Ours,
    Run,
    change_each,
    fingerprint_of,
    ours,
)
from zen_agents.actions.oldest_first import Ages
from zen_agents.actions.scope import day_of, in_thread, listed, subject_of, touched_paths
from zen_agents.clock import Clock, SystemClock
from zen_agents.model.action import ActionRequest, Budget, Effect, Plan, Reversible, Risk
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.log_archives import Archive

# More is no duration that could be said.
_LONGEST = timedelta.max.total_seconds()


class PruneLogArchivesParams(LogArchivesParams):
    """How long archives are kept, and how much room they may take with their logs."""

    keep_seconds: float = Field(86400.0, ge=0, lt=_LONGEST, description="what was last written to later stays in any case")
    older_than_seconds: float | None = Field(
        None, gt=0, lt=_LONGEST, description="archives that were last written to before that go; empty: not by age"
    )
    above_bytes: int | None = Field(
        None, ge=1, description="while logs and archives take more, the oldest archives go; empty: not by size"
    )
    down_to_bytes: int = Field(0, ge=0, description="where that stops")


class PruneLogArchives(Action):
    """Removes archives alone, never a live log; the age of one is when it was last written to, whatever renamed it since."""

    name = "prune_log_archives"
    summary = "Remove rotated logs that are past their age, or the oldest of a set of logs that takes too much room."
    side_effects = "What the removed archives said is gone."
    risk = Risk.LOW
    reversible = Reversible.NO
    mends = ("log_archives.{name}.", "disk.")
    budget = Budget.HOUSEKEEPING
    Params = PruneLogArchivesParams
    Policy = LogArchivesPolicy

    def __init__(self, clock: Clock | None = None) -> None:
        self._ages = Ages(clock or SystemClock())

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "log_archives")
        params: PruneLogArchivesParams = self.params(request)
        found = ours(params, host)
        due = self._due(params, found)[:MOST_ARCHIVES]
        if not due:
            raise found.refused(
                f"no archive of {', '.join(params.paths)} may go: {size_in_words(found.all.size)} in all, "
                f"and what is left of it is live, or younger than {timedelta(seconds=params.keep_seconds)}"
            )
        steps = [
            f"remove {each.state.path} ({size_in_words(each.state.size)}, last written {day_of(each.state.modified)})"
            for each in due
        ]
        return self.planned(
            request,
            steps=(
                *listed(steps, "archives"),
                *(f"leave archives of {log} to logrotate ({origin})" for log, origin in list(found.covered.items())[:5]),
            ),
            touches=touched_paths([each.state.path for each in due]),
            fingerprint=fingerprint_of(params, host),
            expected_seconds=1.0 + len(due) / 500,
            timeout_seconds=300.0,
            detail={"paths": [each.state.path for each in due]},
            warning="irreversible: removed archives are gone",
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: PruneLogArchivesParams = self.params(plan.request)
        planned = set(plan.detail["paths"])

        def work(go_on: Callable[[], None]) -> tuple[int, Run]:
            # They may have been rotated on meanwhile: what bears a planned name now has to be due itself.
            found = ours(params, control.view)
            due = [each for each in self._due(params, found) if each.state.path in planned]
            return found.all.size, change_each(due, control, go_on, lambda handle, state: handle.remove(state))

        before, run = await in_thread(work, control)
        return Effect(
            ok=bool(run.done),
            detail=run.in_words("removed"),
            before=size_in_words(before),
            after=size_in_words(before - run.size),
        )

    def _due(self, params: PruneLogArchivesParams, found: Ours) -> Sequence[Archive]:
        """Return those that are to go, the oldest first: by age, then as many as it takes to come down to the size."""
        kept_from, due = self._ages.moment(params.paths, params.keep_seconds), list[Archive]()
        old_before = None
        if params.older_than_seconds is not None:
            old_before = self._ages.moment(params.paths, params.older_than_seconds)
        left, down_to = found.all.size, None
        for archive in found.archives:
            if archive.state.modified >= kept_from:
                break
            is_old = old_before is not None and archive.state.modified < old_before
            if not is_old and down_to is None:
                # All that are past their age are counted off: what is left decides whether room is still wanting.
                is_large = params.above_bytes is not None and left > params.above_bytes
                down_to = params.down_to_bytes if is_large else left
            if not is_old and (down_to is None or left <= down_to):
                break
            due.append(archive)
            left -= archive.state.size
        return due
