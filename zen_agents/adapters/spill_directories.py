"""Private directories in which workers write while they work; what one that was killed has left goes with the next."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

from zen_agents.errors import HostError

_PREFIX: Final = "zen-agents-spill-"
#: The worker's own, in the one that stays ours: nobody else can make a directory of ours.
_WORK: Final = "work"
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextlib.asynccontextmanager
async def spill_directory(within: str) -> AsyncIterator[str]:
    """Make a private directory for a worker ("": where temporary files are), and remove it with all that is in it.

    It is held by a lock as long as this lasts. One that nobody holds any more is of a process that was killed, and is
    removed before. HostError if none can be made.
    """
    place = within or tempfile.gettempdir()
    try:
        await asyncio.to_thread(_tidy, place)
        made, lock = _made(place)
    except OSError as error:
        raise HostError(f"there is no room for what does not fit into memory: {error}") from error
    try:
        yield f"{made}/{_WORK}"
    finally:
        await asyncio.to_thread(shutil.rmtree, made, ignore_errors=True)
        os.close(lock)


def _made(place: str) -> tuple[str, int]:
    while True:
        made = tempfile.mkdtemp(prefix=_PREFIX, dir=place)
        # Until it is locked somebody may take it for one that was left; then the next one is made.
        with contextlib.suppress(FileNotFoundError):
            # Its account has to pass, and can do nothing here.
            Path(made).chmod(0o711)
            lock = os.open(made, _DIRECTORY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                Path(made, _WORK).mkdir(0o700)
            except OSError:
                os.close(lock)
                raise
            return made, lock


def _tidy(place: str) -> None:
    """Remove what nobody holds; what cannot be removed now is left to the next one."""
    for path in _own(place):
        with contextlib.suppress(OSError):
            lock = os.open(path, _DIRECTORY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path)
            finally:
                os.close(lock)


def _own(place: str) -> Iterator[str]:
    with os.scandir(place) as entries:
        for each in entries:
            if each.name.startswith(_PREFIX) and each.is_dir(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    if each.stat(follow_symlinks=False).st_uid == os.geteuid():
                        yield each.path
