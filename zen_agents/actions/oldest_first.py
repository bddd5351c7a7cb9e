"""Removing the oldest files of a tree first, until enough is gone: for temporary files and caches."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, closing

from zen_agents.clock import Clock, ForwardSteps
from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError, StalePlanError, UnsafePathError
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_directories import DirectoryHandle
from zen_agents.ports.host_files import FileState

#: One run removes at most so many files; the next one goes on.
MOST_FILES = 20_000
#: No tree of files that are made and forgotten is deeper; a deeper one is not walked further down.
MOST_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Tree:
    """What a walk saw: all regular files that may be removed, and how much there is."""

    files: int
    size: int
    #: The oldest ones, oldest first, no more than `MOST_FILES`; only of these the walk keeps all.
    oldest: tuple[FileState, ...]
    #: Files were left out because there are more than the walk looks at.
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Removal:
    """What came of a removal."""

    files: int = 0
    size: int = 0
    #: Files that were left, and why the first one was.
    left: int = 0
    because: str = ""

    def in_words(self, size: str) -> str:
        """Return one sentence."""
        kept = f"; left {self.left} ({self.because})" if self.left else ""
        return f"removed {self.files} files, {size}{kept}"


class Ages:
    """Until which moment a file was last touched that has a certain age now, whatever was done to the clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._began = clock, clock.now()
        #: By whose files they are and by age: each age has its own time for which a step counts.
        self._steps: dict[Hashable, ForwardSteps] = {}

    def moment(self, whose: Hashable, age_seconds: float) -> float:
        """Return it (seconds since the epoch).

        A clock that was set forward makes every file look older: until the age has really passed since, that is taken off.
        """
        now = self._clock.now()
        steps = self._steps.setdefault((whose, age_seconds), ForwardSteps(self._began))
        return now.wall.timestamp() - steps.within(age_seconds, now) - age_seconds


def last_used(state: FileState) -> float:
    """Return when a file was last read, written or changed, in seconds since the epoch: the newest of its three times."""
    return max(state.accessed, state.modified, state.changed)


def seen_tree(path: str, host: HostView, *, older_than: float | None, most: int) -> Tree:
    """Look at a tree before anything is done, at no more than `most` entries."""
    budget = [most]
    files = list(_seen(path, host, budget, 0))
    return _tree(iter(files), older_than=older_than, cut=budget[0] <= 0)


def opened_tree(top: DirectoryHandle, go_on: Callable[[], None], *, older_than: float | None) -> Tree:
    """Walk a tree through descriptors, crossing no mount and following no link."""
    return _tree(_walk(top, go_on, 0), older_than=older_than, cut=False)


def remove_oldest(
    path: str, oldest: tuple[FileState, ...], control: HostControl, go_on: Callable[[], None],
    enough: Callable[[Removal], bool],
) -> Removal:  # fmt: skip
    """Remove files in this order until `enough` says so; what changed, is held open or hard-linked is left."""
    done = Removal()
    with control.open_directory(path) as top, closing(_Entered(top)) as entered:
        for state in oldest:
            go_on()
            if enough(done):
                break
            try:
                entered.directory_of(state.path).remove(state)
            except (StalePlanError, UnsafePathError, HostError) as error:
                done = Removal(done.files, done.size, done.left + 1, done.because or str(error))
            else:
                done = Removal(done.files + 1, done.size + state.size, done.left, done.because)
    return done


class _Entered:
    """The directory of the last file, held open for the next one: most lie side by side, and entering costs as removing."""

    def __init__(self, top: DirectoryHandle) -> None:
        self._top = self._handle = top
        self._names: list[str] = []
        self._open = ExitStack()

    def directory_of(self, path: str) -> DirectoryHandle:
        """Return the directory of a file below; it is entered anew if it no longer lies where it was."""
        *names, _ = path[len(self._top.path.rstrip("/")) + 1 :].split("/")
        if names != self._names or not self._handle.is_in_place():
            self.close()
            handle = self._top
            for name in names:
                handle = self._open.enter_context(handle.enter(name))
            self._names, self._handle = names, handle
        return self._handle

    def close(self) -> None:
        self._names, self._handle = [], self._top
        self._open.close()


def _tree(files: Iterator[FileState], *, older_than: float | None, cut: bool) -> Tree:
    count = size = 0

    def counted() -> Iterator[FileState]:
        nonlocal count, size
        for state in files:
            if older_than is None or last_used(state) < older_than:
                count, size = count + 1, size + state.size
                yield state

    oldest = heapq.nsmallest(MOST_FILES, counted(), key=last_used)
    return Tree(count, size, tuple(oldest), cut)


def _walk(handle: DirectoryHandle, go_on: Callable[[], None], depth: int) -> Iterator[FileState]:
    go_on()
    for state in handle.entries():
        if state.kind == "file" and state.links == 1:
            yield state
        elif state.kind == "directory" and depth < MOST_DEPTH:
            try:
                entered = handle.enter(state.path.rpartition("/")[2])
                with entered as deeper:
                    yield from _walk(deeper, go_on, depth + 1)
            except (UnsafePathError, StalePlanError, HostError):
                # Another mount, gone, or closed to the engine: what is below is none of ours.
                continue


def _seen(path: str, host: HostView, budget: list[int], depth: int) -> Iterator[FileState]:
    for state in host.list_directory(path, limit=max(1, budget[0])):
        budget[0] -= 1
        if budget[0] <= 0:
            return
        if state.kind == "file" and state.links == 1:
            yield state
        elif state.kind == "directory" and depth < MOST_DEPTH:
            yield from _seen(state.path, host, budget, depth + 1)
