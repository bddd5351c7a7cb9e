"""Every seam at which an engine makes something durable, in one place: which file, which call, and where that is passed.

A test holds this list against what real engines do, call by call, and against the source: a write that is new is a seam
that is missing here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from chaos.durability.disk_calls import MODES, Call

#: How each call can go wrong: only a write is ever half done, and only what takes room fails for want of it.
_MODES = {
    "write": MODES,
    **dict.fromkeys(
        ("create", "mkdir", "rename", "exchange", "link", "allocate", "sync"), ("before", "after", "enospc", "eio")
    ),
    **dict.fromkeys(("truncate", "unlink", "rmdir"), ("before", "after", "eio")),
}


@dataclass(frozen=True, slots=True)
class Seam:
    """One kind of call on one kind of file."""

    call: str
    #: Below the disk of a scene, or from the root; `*` stands for anything but a slash.
    glob: str
    #: The life that passes it.
    life: str

    @property
    def name(self) -> str:
        return f"{self.call} {self.glob}"

    @property
    def modes(self) -> tuple[str, ...]:
        """The ways in which it can go wrong."""
        return _MODES[self.call]

    def on(self, disk: Path) -> str:
        """Return the whole glob on a scene's disk."""
        return str(disk / self.glob)

    def is_passed_by(self, call: Call, disk: Path) -> bool:
        """Tell whether a call is this one."""
        return call.name == self.call and matches(self.on(disk), call.about)


def matches(glob: str, path: str) -> bool:
    """Tell whether a path is meant by a glob."""
    return path.count("/") == glob.count("/") and fnmatchcase(path, glob)


def _seams(life: str, glob: str, calls: str) -> Iterator[Seam]:
    return (Seam(call, glob, life) for call in calls.split())


_FIRST, _NEXT, _HAND, _STOP, _LOCKED = "first repair", "next repair", "by hand", "emergency stop", "locked database"
_FILE, _TABLE, _AWAY, _COPY = "repaired file", "repaired table", "file taken away", "copied and restored"

SEAMS: tuple[Seam, ...] = (
    # -- the directory, and who holds it ------------------------------------------------------------------------------
    *_seams(_FIRST, ".", "sync"),
    *_seams(_FIRST, "state", "mkdir sync"),
    *_seams(_FIRST, "state/running", "mkdir"),
    *_seams(_FIRST, "state/services", "mkdir"),
    *_seams(_FIRST, "state/quarantine", "mkdir"),
    *_seams(_FIRST, "state/engine.lock", "create truncate write"),
    *_seams(_FIRST, "/run/zen-agents/.state-dir.new", "create write sync"),
    *_seams(_FIRST, "/run/zen-agents/state-dir", "rename"),
    *_seams(_FIRST, "/run/zen-agents", "mkdir sync"),
    # -- the database -------------------------------------------------------------------------------------------------
    *_seams(_FIRST, "state/state.db", "create write sync"),
    # Until it is in WAL mode SQLite keeps a journal of its own.
    *_seams(_FIRST, "state/state.db-journal", "create write sync unlink"),
    *_seams(_FIRST, "state/state.db-wal", "create"),
    *_seams(_NEXT, "state/state.db-wal", "write sync unlink"),
    *_seams(_NEXT, "state/state.db", "truncate"),
    *_seams(_FIRST, "state/state.db.ballast", "create allocate"),
    *_seams(_FIRST, "state/.ledger.head.new", "create write sync"),
    *_seams(_FIRST, "state/ledger.head", "rename"),
    *_seams(_FIRST, "state/.audit.key.new", "create write sync"),
    *_seams(_FIRST, "state/audit.key", "rename"),
    *_seams(_FIRST, "state/.audit.pub.new", "create write sync"),
    *_seams(_FIRST, "state/audit.pub", "rename"),
    # -- the emergency stop -------------------------------------------------------------------------------------------
    *_seams(_FIRST, "state/.emergency-stop-prepared", "create write sync"),
    *_seams(_STOP, "state/EMERGENCY_STOP", "rename write sync unlink"),
    # -- what was done ------------------------------------------------------------------------------------------------
    *_seams(_FIRST, "state/actions.log", "create write"),
    *_seams("long log", "state/actions.log.1", "rename"),
    *_seams(_FIRST, "state/services/.*", "create write sync"),
    *_seams(_FIRST, "state/services/*", "rename"),
    *_seams(_FIRST, "state/services", "sync"),
    *_seams(_HAND, "state/running/.act-*", "create write sync"),
    *_seams(_HAND, "state/running/act-*", "rename unlink"),
    *_seams(_HAND, "state/running", "sync"),
    # -- the quarantine, and the file that is moved into it -------------------------------------------------------------
    *_seams(_HAND, "state/quarantine/.*", "create write sync"),
    *_seams(_HAND, "state/quarantine/*", "rename"),
    *_seams(_HAND, "state/quarantine", "sync"),
    *_seams(_HAND, "run/.zen-agents-*", "rename unlink"),
    # -- what people are told while the database cannot be written ------------------------------------------------------
    # Where several wait and one of them is sent it is replaced, in the same way as ledger.head.
    *_seams(_LOCKED, "state/outbox-spill.jsonl", "create write sync unlink"),
    # -- data of others: what takes a file's place, what is taken out of it, whole files, and copies of good ones ----------
    *_seams(_FILE, "data/.zen-agents-*", "create write sync unlink"),
    *_seams(_FILE, "data/orders.csv", "exchange"),
    *_seams(_FILE, "data", "sync"),
    *_seams(_FILE, "taken/.zen-agents-*", "create write sync"),
    *_seams(_FILE, "taken/*.quarantined", "rename"),
    *_seams(_FILE, "taken", "sync"),
    *_seams(_TABLE, "rows/.zen-agents-*", "create write sync"),
    *_seams(_TABLE, "rows/*.quarantined", "rename"),
    *_seams(_TABLE, "rows", "sync"),
    *_seams(_AWAY, "inbox/.zen-agents-*", "rename unlink"),
    *_seams(_COPY, "state/snapshots", "mkdir"),
    *_seams(_COPY, "state/snapshots/data", "mkdir sync"),
    *_seams(_COPY, "state/snapshots/data/.zen-agents-*", "create write sync"),
    *_seams(_COPY, "state/snapshots/data/*.good", "rename"),
    *_seams(_COPY, "books/.zen-agents-*", "create write sync unlink"),
    *_seams(_COPY, "books/ledger.csv", "exchange"),
    *_seams(_COPY, "books", "sync"),
)

#: What is written and need not last, and why.
VOLATILE: dict[str, str] = {
    "state/state.db-shm": "SQLite's index of its log, made anew from the log",
    "state/*.sock": "where a running engine listens; the next one makes its own",
    "state/running/.unbegun-*": "that a reserved action has not begun; believed only where the engine alone died",
    "state/quarantine/.aside-*": "where an action has things under private names; needed only when the engine alone dies",
    "state/repair-looks": "as below",
    "state/repair-looks/*": "what a look found that a repair would do; it is looked again where that is not there",
    "state/service-logs": "as below",
    "state/service-logs/*": "what a service printed, for the detail of a failure; it is written by the service itself",
}
