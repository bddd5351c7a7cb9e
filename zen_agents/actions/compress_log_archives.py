"""compress_log_archives: pack rotated logs that whoever rotated them left as they were."""

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
from zen_agents.actions.scope import in_thread, listed, subject_of, touched_paths
from zen_agents.clock import Clock, SystemClock
from zen_agents.errors import HostError
from zen_agents.model.action import ActionRequest, Budget, Effect, Plan, Reversible, Risk
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_directories import DirectoryHandle
from zen_agents.ports.host_files import FileState
from zen_agents.ports.log_archives import PACKED, Archive, Packing

_ZSTD = ("/usr/bin/zstd", "/bin/zstd", "/usr/local/bin/zstd")
#: Packed and read back, a core does about so much in a second (bytes); one run takes no more than it does in its time.
_PER_SECOND, _MOST_BYTES = 15e6, 8 << 30
_TIMEOUT_SECONDS = 1800.0


class CompressLogArchivesParams(LogArchivesParams):
    """How, and how old they have to be."""

    packing: Packing = Field("gzip", description="gzip | zstd")
    pack_after_seconds: float = Field(
        3600.0, ge=0, lt=timedelta.max.total_seconds(), description="what was last written to later is left as it is"
    )


class CompressLogArchives(Action):
    """Reads back what it wrote and compares before the original goes; takes nothing that would not fit on the disk."""

    name = "compress_log_archives"
    summary = "Pack rotated logs of a set that are not compressed yet, and only then remove the originals."
    side_effects = "Who reads an archive by its name finds it under that name with .gz or .zst behind it."
    risk = Risk.LOW
    #: Nothing is lost, but no record is kept of what was packed: gunzip or unzstd gives it back.
    reversible = Reversible.NO
    mends = ("log_archives.{name}.", "disk.")
    budget = Budget.HOUSEKEEPING
    Params = CompressLogArchivesParams
    Policy = LogArchivesPolicy

    def __init__(self, clock: Clock | None = None) -> None:
        self._ages = Ages(clock or SystemClock())

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "log_archives")
        params: CompressLogArchivesParams = self.params(request)
        found = ours(params, host)
        due = self._due(params, found)
        if not due:
            raise found.refused(f"every archive of {', '.join(params.paths)} is packed, or too young for that")
        if params.packing == "zstd" and not any(host.file(program) for program in _ZSTD):
            raise HostError("zstd is not installed; install zstd, or write `compress: gzip`; nothing was done")
        size = sum(each.state.size for each in due)
        steps = [f"pack {each.state.path} ({size_in_words(each.state.size)}) to {PACKED[params.packing]}" for each in due]
        return self.planned(
            request,
            steps=listed(steps, "archives"),
            touches=touched_paths([each.state.path for each in due]),
            fingerprint=fingerprint_of(params, host),
            expected_seconds=1.0 + size / _PER_SECOND,
            timeout_seconds=_TIMEOUT_SECONDS,
            detail={"paths": [each.state.path for each in due]},
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: CompressLogArchivesParams = self.params(plan.request)
        planned, packed = set(plan.detail["paths"]), [0]

        def work(go_on: Callable[[], None]) -> Run:
            due = [each for each in self._due(params, ours(params, control.view)) if each.state.path in planned]

            def pack(handle: DirectoryHandle, state: FileState) -> None:
                packed[0] += handle.compress(state, params.packing)

            return change_each(due, control, go_on, pack)

        run = await in_thread(work, control)
        return Effect(
            ok=bool(run.done),
            detail=run.in_words("packed"),
            before=size_in_words(run.size),
            after=size_in_words(packed[0]),
        )

    def _due(self, params: CompressLogArchivesParams, found: Ours) -> Sequence[Archive]:
        before, due, size = self._ages.moment(params.paths, params.pack_after_seconds), list[Archive](), 0
        for each in found.archives:
            if each.is_due_to_be_packed(before) and len(due) < MOST_ARCHIVES and (not due or size < _MOST_BYTES):
                due.append(each)
                size += each.state.size
        return due
