"""Which environments have a stage beside them, so that what a crash leaves is taken back, and what is kept is found.

A note is written before its stage is made, and removed after it is gone.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from zen_agents.adapters.durable_file import replace_durably
from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError

log = logging.getLogger("zen_agents.environment_notes")


@dataclass(frozen=True, slots=True)
class StageNote:
    """One stage, and how far it came."""

    #: Of the action, which is the name of the note too.
    id: str
    venv: str
    #: Real absolute path of the stage, in the environment's directory.
    stage: str
    #: `device:inode` of what is in the environment's place before and after; "" as long as there is nothing.
    before: str
    after: str = ""
    #: Digest of what the environment held when it was copied.
    likeness: str = ""
    #: Units that have been restarted on what is new.
    restarted: tuple[str, ...] = ()
    #: True once what is new has shown that it works: then what was before is only kept.
    proven: bool = False
    #: Seconds since the epoch until which that is kept.
    keep_until: float = 0.0


class StageNotes:
    """The notes, in a directory of the engine's own state."""

    def __init__(self, state_dir: Path) -> None:
        self._directory = state_dir / "environments"

    def write(self, note: StageNote) -> StageNote:
        """Write a note for good and return it; HostError if that is not certain."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_durably(self._path(note.id), json.dumps(asdict(note)).encode())
        except OSError as error:
            raise HostError(f"{self._path(note.id)} cannot be written: {error.strerror}; nothing was done") from error
        return note

    def read(self, id: str) -> StageNote:
        """Return the note of an action; HostError if there is none, or none that can be read."""
        try:
            found = json.loads(self._path(id).read_bytes())
            return StageNote(**{**found, "id": id, "restarted": tuple(found["restarted"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise HostError(f"what {id} left cannot be told: {self._path(id)} is missing or damaged") from error

    def forget(self, id: str) -> None:
        """Remove a note: its stage is gone."""
        with contextlib.suppress(OSError):
            self._path(id).unlink(missing_ok=True)

    def all(self) -> Iterator[StageNote]:
        """Yield every note; one that cannot be read is told in the log, for a person to look at."""
        for path in sorted(self._directory.glob("[!.]*.json")):
            try:
                yield self.read(path.stem)
            except HostError as error:
                log.warning("%s", error)

    def _path(self, id: str) -> Path:
        if not id or "/" in id or id.startswith("."):
            raise HostError(f"{id!r} is no id of an action")
        return self._directory / f"{id}.json"
