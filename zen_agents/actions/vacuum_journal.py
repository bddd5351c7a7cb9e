"""vacuum_journal: have journald's oldest files removed, down to a size, and never what is younger than is to be kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams, ActionPolicy
from zen_agents.actions.scope import day_of, file_name, listed, parent_of, subject_of
from zen_agents.clock import Clock, ForwardSteps, SystemClock
from zen_agents.dataclass import dataclass
from zen_agents.errors import ActionFailedError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Budget, Effect, Plan, Resource, ResourceKind, Reversible, Risk
from zen_agents.model.duration import duration
from zen_agents.model.scalars import PositiveDuration, Size
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_commands import Command
from zen_agents.ports.journal_files import JournalFile, journal_files

_TIMEOUT_SECONDS = 120.0


class VacuumJournalParams(ActionParams):
    """Down to which size, and what is kept all the same."""

    down_to_bytes: int = Field(ge=1, description="stop when the whole journal takes no more than this")
    keep_seconds: float = Field(
        ge=0, lt=timedelta.max.total_seconds(), description="no file goes whose newest entry is younger than this"
    )


class VacuumJournalPolicy(ActionPolicy):
    """The scope: what is kept in any case."""

    keep: PositiveDuration | None = Field(
        None, description="refuse where the configuration would let entries go that are younger than this"
    )
    keep_size: Annotated[Size, Field(ge=1)] | None = Field(
        None, description="refuse where the configuration would shrink the journal below this"
    )

    def permits(self, plan: Plan) -> str:
        keep, down_to = float(plan.request.params["keep_seconds"]), int(plan.request.params["down_to_bytes"])
        if self.keep is not None and keep < self.keep.total_seconds():
            return f"{duration(keep)} of the journal would be kept, less than keep: {duration(self.keep.total_seconds())}"
        if self.keep_size is not None and down_to < self.keep_size:
            return f"{size_in_words(down_to)} would be left, less than keep_size: {size_in_words(self.keep_size)}"
        return ""


@dataclass(frozen=True, slots=True)
class _Cut:
    """What goes, oldest first, and what is there."""

    files: Sequence[JournalFile]
    gone: Sequence[JournalFile]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def freed(self) -> int:
        return sum(file.size for file in self.gone)

    def limits(self) -> Mapping[str, int]:
        """Return what journalctl is to leave of the archived files of each directory in which some go."""
        left = dict.fromkeys((parent_of(file.path) for file in self.gone), 0)
        for file in self.files:
            if file.archived and file not in self.gone and parent_of(file.path) in left:
                left[parent_of(file.path)] += file.size
        return left


class VacuumJournal(Action):
    """Removes whole archived files of the journal, oldest first; the file that is written to stays."""

    name = "vacuum_journal"
    summary = "Have the oldest files of the journal removed until it takes no more than it may."
    side_effects = "What the oldest files hold cannot be read any more."
    risk = Risk.LOW
    reversible = Reversible.NO
    budget = Budget.HOUSEKEEPING
    mends = ("journal.", "disk.")
    Params = VacuumJournalParams
    Policy = VacuumJournalPolicy

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._steps = ForwardSteps(self._clock.now())

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        journal = subject_of(request, "journal")
        params: VacuumJournalParams = self.params(request)
        cut = self._cut(params, host)
        return self.planned(
            request,
            steps=_steps(params, cut),
            touches=(Resource(ResourceKind.JOURNAL, journal),),
            fingerprint=cut.gone[0].path,
            expected_seconds=1.0,
            timeout_seconds=_TIMEOUT_SECONDS,
            detail={"bytes": cut.size},
            warning="irreversible: removed entries are gone",
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: VacuumJournalParams = self.params(plan.request)
        before = await asyncio.to_thread(lambda: self._cut(params, control.view))
        for folder, left in before.limits().items():
            control.check_stop()
            # 0 would mean: as much as it likes.
            argv = ("journalctl", "--quiet", f"--directory={folder}", f"--vacuum-size={max(1, left)}")
            result = await control.run(Command(argv, timeout_seconds=_TIMEOUT_SECONDS))
            if result.exit_code != 0:
                raise ActionFailedError(f"journalctl ended with {result.exit_code}: {result.output.strip()[-300:]}")
        after = await asyncio.to_thread(lambda: sum(file.size for file in journal_files(control.view)))
        return Effect(
            ok=after < before.size,
            detail=f"freed {size_in_words(before.size - after)}; {suggestion(params)}",
            before=f"the journal took {size_in_words(before.size)}",
            after=f"it takes {size_in_words(after)}",
        )

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return "journal.bytes", plan.request.target

    def _cut(self, params: VacuumJournalParams, host: HostView) -> _Cut:
        """Return what goes; StalePlanError if nothing has to, RefusedError if nothing may."""
        files = journal_files(host)
        over = sum(file.size for file in files) - params.down_to_bytes
        if over <= 0:
            raise StalePlanError(f"the journal takes no more than {size_in_words(params.down_to_bytes)}")
        now = self._clock.now()
        # A clock that was set forward makes every entry look older.
        youngest = now.wall.timestamp() - self._steps.within(params.keep_seconds, now) - params.keep_seconds
        gone: list[JournalFile] = []
        for file in files:
            if over <= 0:
                break
            if not file.archived:
                continue
            # With nothing to keep, a clock that was set back makes nothing young either.
            if params.keep_seconds > 0 and file.modified > youngest:
                break
            gone.append(file)
            over -= file.size
        if not gone:
            raise RefusedError(
                f"the journal holds nothing older than {duration(params.keep_seconds)} that may go; {suggestion(params)}"
            )
        return _Cut(files, gone)


def suggestion(params: VacuumJournalParams) -> str:
    """Return what keeps the journal small without anybody's help."""
    return (
        f"journald keeps to it by itself with SystemMaxUse={max(1, params.down_to_bytes >> 20)}M in "
        "/etc/systemd/journald.conf.d/"
    )


def _steps(params: VacuumJournalParams, cut: _Cut) -> tuple[str, ...]:
    first = (
        f"remove the oldest files of the journal until it takes {size_in_words(params.down_to_bytes)}, none with entries "
        f"younger than {duration(params.keep_seconds)}: {len(cut.gone)} files, {size_in_words(cut.freed)}"
    )
    shown = [f"remove {file_name(file.path)} (until {day_of(file.modified)})" for file in cut.gone[:5]]
    return (first, *listed(shown, "files"))
