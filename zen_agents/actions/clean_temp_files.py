"""clean_temp_files: remove old files of a listed temporary directory, oldest first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.coverage import tmpfiles_covers
from zen_agents.actions.oldest_first import Ages, Removal, Tree, opened_tree, remove_oldest, seen_tree
from zen_agents.actions.scope import (
    PathsPolicy,
    day_of,
    file_name,
    in_thread,
    listed,
    place_of,
    real_directory,
    subject_of,
    touched_paths,
)
from zen_agents.clock import Clock, SystemClock
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Budget, Effect, Plan, Reversible, Risk
from zen_agents.model.reason import Reason
from zen_agents.model.scalars import AbsolutePath
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostControl, HostView

_PLAN_ENTRIES = 5_000


class CleanTempFilesParams(ActionParams):
    """Which directory, how old, and down to where."""

    path: AbsolutePath = Field(description="the temporary directory")
    older_than_seconds: float = Field(
        gt=0,
        # More is no duration that could be said.
        lt=timedelta.max.total_seconds(),
        description="only files that were not read, written or changed for so long",
    )
    down_to_percent: float | None = Field(
        None, ge=0, le=100, description="stop when the disk, in bytes and inodes, is used no more than this"
    )
    above_percent: float | None = Field(
        None, ge=0, le=100, description="do nothing while the disk, in bytes and inodes, is used no more than this"
    )


class CleanTempFiles(Action):
    """Removes regular files that nobody used for long and nobody holds open; directories, links and the rest stay."""

    name = "clean_temp_files"
    summary = "Remove old files of a listed temporary directory, oldest first, until the disk is free enough."
    side_effects = "A program that comes back to such a file after a long time does not find it."
    risk = Risk.LOW
    reversible = Reversible.NO
    mends = ("temp_dir.{name}.", "disk.")
    budget = Budget.HOUSEKEEPING
    Params = CleanTempFilesParams
    Policy = PathsPolicy

    def __init__(self, clock: Clock | None = None) -> None:
        self._ages = Ages(clock or SystemClock())

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        params: CleanTempFilesParams = self.params(request)
        fingerprint = self.fingerprint(request, host)
        tree = seen_tree(params.path, host, older_than=self._oldest_kept(params), most=_PLAN_ENTRIES)
        if not tree.files and not tree.cut:
            raise StalePlanError(f"nothing in {params.path} is older than {_age(params)}")
        return self.planned(
            request,
            steps=_steps(params, tree),
            touches=touched_paths([params.path]),
            fingerprint=fingerprint,
            expected_seconds=1.0 + tree.files / 5000,
            timeout_seconds=300.0,
            detail={"used_percent": round(_used_percent(params.path, host), 1)},
            warning="irreversible: removed files are gone",
        )

    def fingerprint(self, request: ActionRequest, host: HostView) -> str:
        subject_of(request, "temp_dir")
        params: CleanTempFilesParams = self.params(request)
        directory = real_directory(params.path, host)
        if origin := tmpfiles_covers(params.path, host):
            raise RefusedError(
                f"systemd-tmpfiles cleans {params.path} already ({origin}); it is left to that", reason=Reason.NOT_OURS
            )
        used = _used_percent(params.path, host)
        if params.above_percent is not None and used <= params.above_percent:
            raise StalePlanError(f"the disk of {params.path} is used {used:.1f} %, no more than {params.above_percent:g} %")
        return place_of(directory)

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: CleanTempFilesParams = self.params(plan.request)
        before = _used_percent(params.path, control.view)

        def enough(done: Removal) -> bool:
            # Asking costs as much as removing; 16 small files more or less do not matter.
            if params.down_to_percent is None or done.files % 16:
                return False
            return _used_percent(params.path, control.view) <= params.down_to_percent

        def work(go_on: Callable[[], None]) -> Removal:
            with control.open_directory(params.path) as top:
                tree = opened_tree(top, go_on, older_than=self._oldest_kept(params))
            return remove_oldest(params.path, tree.oldest, control, go_on, enough)

        done = await in_thread(work, control)
        after = _used_percent(params.path, control.view)
        return Effect(
            ok=done.files > 0,
            detail=done.in_words(size_in_words(done.size)),
            before=f"disk used {before:.1f} %",
            after=f"disk used {after:.1f} %",
        )

    def _oldest_kept(self, params: CleanTempFilesParams) -> float:
        """Return the moment (seconds since the epoch) from which on a file counts as used lately."""
        return self._ages.moment(params.path, params.older_than_seconds)


def _used_percent(path: str, host: HostView) -> float:
    use = host.disk_use(path)
    if use.inodes_are_scarcer:
        return 100.0 * (use.total_inodes - use.free_inodes) / use.total_inodes
    return 100.0 * (use.total_bytes - use.free_bytes) / use.total_bytes if use.total_bytes else 0.0


def _age(params: CleanTempFilesParams) -> str:
    return str(timedelta(seconds=params.older_than_seconds))


def _steps(params: CleanTempFilesParams, tree: Tree) -> tuple[str, ...]:
    until = f" until the disk is used {params.down_to_percent:g} % or less" if params.down_to_percent is not None else ""
    first = f"in {params.path}: remove files unused for {_age(params)}, oldest first{until}"
    known = f"{'at least ' if tree.cut else ''}{tree.files} files, {size_in_words(tree.size)}"
    oldest = [
        f"remove {state.path[len(params.path) + 1 :]} (last used {day_of(state.modified)})" for state in tree.oldest[:5]
    ]
    return (first, f"candidates now: {known}", *listed(oldest, file_name(params.path)))
