"""Named places at which tests kill or starve the process; in production every one of them does nothing.

`ZEN_AGENTS_FAILPOINT=NAME:kill`, `NAME:enospc` or `NAME:eio`, with `:N` behind it for the Nth time the place is passed.
"""

from __future__ import annotations

import errno
import os
import signal
from collections import Counter

#: The variable that arms one place of a process from its start; it is honoured only when set.
VARIABLE = "ZEN_AGENTS_FAILPOINT"

#: Every durable seam, before and after its commit. The chaos tests go through all of them.
FAILPOINTS: tuple[str, ...] = (
    "store.create.before_commit",
    "store.create.after_commit",
    "store.batch.before_commit",
    "store.batch.after_commit",
    "store.reserve.before_commit",
    "store.reserve.after_commit",
    "store.finish.before_commit",
    "store.finish.after_commit",
    "store.prune.before_commit",
    "store.prune.after_commit",
    "store.migrate.before_copy",
    "store.migrate.after_copy",
    "store.migrate.after_upgrade",
    "executor.before_spawn",
    "executor.after_spawn",
    "executor.after_effect",
)

_ERRORS = {"enospc": errno.ENOSPC, "eio": errno.EIO}
_passed: Counter[str] = Counter()
#: Read once: every commit passes two places, and the environment is slow to ask.
_armed = os.environ.get(VARIABLE)


def arm(where: str | None) -> None:
    """Arm one place of this process, as `VARIABLE` would have, or none; what was passed until now does not count."""
    global _armed  # noqa: PLW0603 - one process has one place armed
    _armed = where
    _passed.clear()


def failpoint(name: str) -> None:
    """Pass the place `name`; raises OSError or dies by SIGKILL there if a test asked for it, else does nothing."""
    if _armed is None:
        return
    if name not in FAILPOINTS:
        raise ValueError(f"no such failpoint: {name}; add it to FAILPOINTS")
    wanted, kind, *nth = _armed.split(":")
    if wanted != name:
        return
    _passed[_armed] += 1
    if _passed[_armed] != int(nth[0] if nth else "1"):
        return
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise OSError(_ERRORS[kind], f"{os.strerror(_ERRORS[kind])} (failpoint {name})")
