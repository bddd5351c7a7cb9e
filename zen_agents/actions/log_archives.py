"""What the actions on rotated logs share: which archives are theirs, and changing one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

from pydantic import Field

from zen_agents.actions.base import ActionParams
from zen_agents.actions.coverage import logrotate_covers
from zen_agents.actions.scope import PathsPolicy, parent_of, place_of, plain_path, real_directory
from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError, RefusedError, StalePlanError, UnsafePathError
from zen_agents.model.reason import Reason
from zen_agents.model.scalars import GlobPath
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_directories import DirectoryHandle
from zen_agents.ports.host_files import FileState
from zen_agents.ports.log_archives import Archive, LogSet, directories, log_set, log_set_of

#: One run changes at most so many archives; the next one goes on.
MOST_ARCHIVES = 1000


class LogArchivesPolicy(PathsPolicy):
    """The scope of an action on archives: a log that is listed is listed with what was rotated from it."""

    def _reaches(self, path: str) -> bool:
        state = FileState(path, "file", 0, 0, 0, 0, 0.0, 0.0, 0.0, 0, 0, 1)
        return super()._reaches(path) or bool(log_set([state], self.paths or ()).archives)


class LogArchivesParams(ActionParams):
    """Of which logs."""

    paths: tuple[GlobPath, ...] = Field(min_length=1, description="the logs; the last component may hold wildcards")
    include_logrotate: bool = Field(
        False, description="true: also archives of logs that the host's logrotate rotates; false: they are left to it"
    )


@dataclass(frozen=True, slots=True)
class Ours:
    """The archives that may be changed, and the whole set."""

    all: LogSet
    archives: Sequence[Archive]
    #: Log -> the file in which logrotate is told to rotate it: those are left to that.
    covered: Mapping[str, str]

    def refused(self, otherwise: str) -> Exception:
        """Return why there is nothing to do."""
        if not self.covered:
            return StalePlanError(otherwise)
        log, origin = next(iter(self.covered.items()))
        text = f"logrotate rotates {log} already ({origin}); its archives are left to that"
        return RefusedError(text, reason=Reason.NOT_OURS)


def ours(params: LogArchivesParams, host: HostView) -> Ours:
    """Look at the logs; raises as `Action.plan` does for a directory that is missing, a link or anything else."""
    for path in params.paths:
        real_directory(parent_of(plain_path(path)), host)
    found = log_set_of(host, params.paths)
    logs = () if params.include_logrotate else dict.fromkeys(archive.log for archive in found.archives)
    covered = {log: origin for log in logs if (origin := logrotate_covers(log, host))}
    return Ours(found, [archive for archive in found.archives if archive.log not in covered], covered)


def fingerprint_of(params: LogArchivesParams, host: HostView) -> str:
    """Return what identifies the directories whatever happens in them."""
    return " ".join(place_of(real_directory(directory, host)) for directory in directories(params.paths))


@dataclass(slots=True)
class Run:
    """What one run did."""

    #: The archives that were changed, as they were.
    done: list[FileState]
    #: Why each of the others was left.
    left: list[str]

    @property
    def size(self) -> int:
        """Bytes of those that were changed, before."""
        return sum(state.size for state in self.done)

    def in_words(self, did: str) -> str:
        """Return one sentence."""
        left = f"; left {len(self.left)} ({self.left[0]})" if self.left else ""
        return f"{did} {len(self.done)} archives, {size_in_words(self.size)}{left}"


def change_each(
    archives: Sequence[Archive], control: HostControl, go_on: Callable[[], None],
    change: Callable[[DirectoryHandle, FileState], object], is_enough: Callable[[Run], bool] = lambda _: False,
) -> Run:  # fmt: skip
    """Change archives in this order until it is enough; what changed since, is held open or hard-linked is left."""
    run, opened = Run([], []), dict[str, DirectoryHandle]()
    with ExitStack() as stack:
        for state in (archive.state for archive in archives):
            go_on()
            if is_enough(run):
                break
            parent = parent_of(state.path)
            try:
                if parent not in opened:
                    opened[parent] = stack.enter_context(control.open_directory(parent))
                change(opened[parent], state)
            except (StalePlanError, UnsafePathError, HostError) as error:
                run.left.append(str(error))
            else:
                run.done.append(state)
    return run
