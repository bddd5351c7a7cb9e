"""The stage beside an environment: there a copy is built, from there it is switched into place, and there what was is kept.

The switch exchanges two names in one step, so that at any moment the whole environment is in its place, the old or the new.
Until what is new has been proven, whoever finds the note of the stage after a crash switches back.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from zen_agents.adapters import safe_files
from zen_agents.adapters.environment_copy import DIRECTORY, Copying, Owner, give_back_ownership, likeness, opened, size_of
from zen_agents.adapters.environment_notes import StageNote, StageNotes
from zen_agents.adapters.file_identity import exchange_names, make_durable, mount_of, plain_name
from zen_agents.adapters.packages_python import MARK
from zen_agents.adapters.quarantine import Quarantine
from zen_agents.clock import Clock
from zen_agents.errors import HostError, StalePlanError, UnsafePathError
from zen_agents.model.environment import Switched
from zen_agents.model.units import size_in_words

#: What has to stay free besides the copy: the new packages, and whatever else the host does meanwhile.
_ROOM_BYTES = 64 << 20
_ENV = "env"


class EnvironmentStages:
    """The stages of all actions of one state."""

    def __init__(self, state_dir: Path, quarantine: Quarantine, clock: Clock) -> None:
        self.notes = StageNotes(state_dir)
        self._quarantine, self._clock = quarantine, clock

    def make(self, id: str, venv: str, owner: Owner | None, go_on: Callable[[], None]) -> StageNote:
        """Copy an environment onto a new stage, all of which belongs to `owner`. Nothing is left where that fails."""
        self._drop_expired()
        with self._beside(venv, go_on) as (parent, name), _environment(name, parent, venv) as place:
            _check_room(place, venv)
            stage = f"{venv.rpartition('/')[0]}/.{name}.zen-agents-{id}"
            note = self.notes.write(StageNote(id, venv, stage, _identity(place), likeness=likeness(place, venv)))
            try:
                os.mkdir(_name(stage), 0o700, dir_fd=parent)
                with opened(_name(stage), parent) as made:
                    os.mkdir(_ENV, 0o700, dir_fd=made)
                    with opened(_ENV, made) as target:
                        Copying(venv, owner, go_on).copy(place, target)
                        return self.notes.write(replace(note, after=_identity(target)))
            except OSError as error:
                self.discard(id)
                raise HostError(f"{stage} cannot be made: {error.strerror}; nothing was done") from error
            except BaseException:
                self.discard(id)
                raise

    def settle(self, id: str) -> None:
        """Give what was built to the owners of what it was copied from, and have it on the disk."""
        note = self.notes.read(id)
        with self._both(note) as (parent, name, stage), opened(name, parent) as place, opened(_ENV, stage) as built:
            give_back_ownership(place, built, note.venv)
            make_durable(stage)

    def clear(self, id: str) -> None:
        """Remove what the trial has written besides."""
        with self._both(self.notes.read(id)) as (_, _, stage):
            shutil.rmtree("scratch", dir_fd=stage)

    def switch(self, id: str, go_on: Callable[[], None]) -> Switched:
        """Put what was built in the environment's place; StalePlanError if that is not what was copied any more."""
        note = self.notes.read(id)
        with self._both(note, go_on) as (parent, name, stage):
            with _environment(name, parent, note.venv) as place:
                if _identity(place) != note.before or likeness(place, note.venv) != note.likeness:
                    raise StalePlanError(f"somebody changed {note.venv} meanwhile; nothing was done")
            go_on()
            self._exchange(note, parent, name, stage)
        return Switched(id, note.after, note.before)

    def switch_back(self, id: str) -> None:
        """Put what was there before in its place again, and drop what is new; StalePlanError if one of them is gone."""
        note = self.notes.read(id)
        with self._both(note) as (parent, name, stage):
            with opened(name, parent) as place, opened(_ENV, stage) as kept:
                if (_identity(place), _identity(kept)) != (note.after, note.before):
                    raise StalePlanError(f"{note.venv} is not what {id} left there any more; nothing was done")
            # From here on a crash finds what is new on the stage, where it is only dropped.
            self._exchange(note, parent, name, stage)
        self.discard(id)

    def restarting(self, id: str, units: Sequence[str]) -> None:
        """Note that units are restarted on what is new: whoever switches back restarts them too."""
        self.notes.write(replace(self.notes.read(id), restarted=tuple(units)))

    def keep(self, id: str, seconds: float) -> None:
        """Note that what is new is proven, and for how long what was there is kept; what was kept before goes."""
        note, until = self.notes.read(id), self._clock.now().wall.timestamp() + seconds
        self.notes.write(replace(note, proven=True, keep_until=until))
        for other in self.notes.all():
            if other.venv == note.venv and other.id != id and other.proven:
                self.discard(other.id)

    def discard(self, id: str) -> None:
        """Remove a stage with all that is on it, and then its note; what cannot be removed keeps its note."""
        note = self.notes.read(id)
        with contextlib.suppress(FileNotFoundError), self._beside(note.venv, _nothing) as (parent, _):
            shutil.rmtree(_name(note.stage), dir_fd=parent)
        self.notes.forget(id)

    def _drop_expired(self) -> None:
        now = self._clock.now().wall.timestamp()
        for note in self.notes.all():
            if note.proven and note.keep_until <= now:
                self.discard(note.id)

    def _exchange(self, note: StageNote, parent: int, name: str, stage: int) -> None:
        try:
            done = exchange_names(parent, name, _ENV, of=stage)
            os.fsync(parent)
            os.fsync(stage)
        except OSError as error:
            raise HostError(f"{note.venv} cannot be switched: {error.strerror}") from error
        if not done:
            raise HostError(f"the file system of {note.venv} cannot exchange two names in one step; nothing was done")

    @contextlib.contextmanager
    def _beside(self, venv: str, go_on: Callable[[], None]) -> Iterator[tuple[int, str]]:
        above, _, name = venv.rpartition("/")
        with safe_files.open_directory(above or "/", go_on=go_on, quarantine=self._quarantine) as parent:
            yield parent.descriptor, plain_name(name)

    @contextlib.contextmanager
    def _both(self, note: StageNote, go_on: Callable[[], None] | None = None) -> Iterator[tuple[int, str, int]]:
        with self._beside(note.venv, go_on or _nothing) as (parent, name), opened(_name(note.stage), parent) as stage:
            # Who owns the directory could have put another one there.
            if os.fstat(stage).st_uid != os.geteuid():
                raise UnsafePathError(f"{note.stage} is not the engine's own; nothing was done")
            yield parent, name, stage


def kept(state_dir: Path, id: str) -> StageNote:
    """Return the note of an action whose environment before is kept; StalePlanError if it is not any more."""
    try:
        note = StageNotes(state_dir).read(id)
    except HostError as error:
        raise StalePlanError(f"what was there before {id} is not kept any more; nothing was done") from error
    if identity_at(kept_at(note)) != note.before:
        raise StalePlanError(f"what is kept of {id} is not what was there before; nothing was done")
    return note


def kept_at(note: StageNote) -> str:
    """Return where the environment is that was there before."""
    return f"{note.stage}/{_ENV}"


def identity_at(venv: str) -> str:
    """Return `device:inode` of an environment, "" if nothing is there."""
    try:
        found = Path(venv).lstat()
    except OSError:
        return ""
    return f"{found.st_dev}:{found.st_ino}"


@contextlib.contextmanager
def _environment(name: str, parent: int, venv: str) -> Iterator[int]:
    try:
        place = os.open(name, DIRECTORY, dir_fd=parent)
    except FileNotFoundError as error:
        raise HostError(f"{venv} is not there; nothing was done") from error
    except OSError as error:
        raise UnsafePathError(f"{venv} is no directory, or a link; name the real directory in the configuration") from error
    try:
        if mount_of(place) != mount_of(parent):
            raise UnsafePathError(f"{venv} is a mount of its own, which cannot be exchanged; put it in a directory there")
        _check_mark(place, venv)
        yield place
    finally:
        os.close(place)


def _check_mark(place: int, venv: str) -> None:
    try:
        os.stat(MARK, dir_fd=place)
    except OSError as error:
        raise HostError(f"{venv} is no virtual environment: it has no {MARK}; nothing was done") from error


def _check_room(place: int, venv: str) -> None:
    found, size = os.fstatvfs(place), size_of(place, venv)
    free = found.f_bavail * found.f_frsize
    if free < size + _ROOM_BYTES:
        raise HostError(
            f"the disk of {venv} has {size_in_words(free)} free, and a copy takes {size_in_words(size)} and some room "
            "beside it; make room: nothing was done"
        )


def _identity(descriptor: int) -> str:
    found = os.fstat(descriptor)
    return f"{found.st_dev}:{found.st_ino}"


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _nothing() -> None:
    """Go on: what takes something back or tidies up is asked for by nobody else."""
