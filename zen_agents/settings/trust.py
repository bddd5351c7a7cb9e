"""Configuration that others may write is not read (R21), nor are secrets that others may read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from zen_agents.errors import SettingsError


def distrust(path: str, euid: int) -> str:
    """Return why a file is not to be trusted, with path and mode; "" if it is.

    As root, nobody else may be able to write the file or any directory above it; otherwise only the file itself is looked
    at, and only for being writable by everyone. A sticky directory (`/tmp`) is one where others cannot replace it.
    """
    real = Path(os.path.realpath(path))
    try:
        file = real.stat()
    except OSError:
        return ""  # reading it says why
    if euid != 0:
        return f"{real} has mode {stat.filemode(file.st_mode)}: everyone may write it" if file.st_mode & 0o002 else ""
    for place, state in ((real, file), *_above(real)):
        if why := _others_may_write(state):
            return f"{place} has mode {stat.filemode(state.st_mode)}, owner {state.st_uid}: {why}"
    return ""


def read_secret(path: str) -> str:
    """Return what a secret's file holds, without the line end.

    Raises:
        SettingsError: if it is missing, empty, larger than 64 KiB, or may be read or written by others than its owner.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise SettingsError(f"the secret {path} cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        state = os.fstat(descriptor)
        if why := too_open(state):
            raise SettingsError(f"the secret {path} {why}; chmod 0600 {path}")
        text = file.read(65537)
    if not text.strip() or len(text) > 65536:
        raise SettingsError(f"the secret {path} is empty or larger than 64 KiB")
    return text.decode("utf-8", "strict").strip()


def too_open(state: os.stat_result) -> str:
    """Return why a secret's file is not one, "" if it is."""
    if not stat.S_ISREG(state.st_mode):
        return "is not a regular file"
    if state.st_mode & 0o077:
        return f"has mode {stat.S_IMODE(state.st_mode):04o}, so others may read it"
    if state.st_uid not in (0, os.geteuid()):
        return f"belongs to uid {state.st_uid}, who may read it"
    return ""


def _above(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for parent in path.parents:
        try:
            yield parent, parent.stat()
        except OSError:
            return  # then the file cannot be read either, which is told


def _others_may_write(state: os.stat_result) -> str:
    if state.st_uid != 0:
        return "its owner, who is not root, may write it"
    if stat.S_ISDIR(state.st_mode) and state.st_mode & stat.S_ISVTX:
        return ""
    if state.st_mode & 0o002:
        return "everyone may write it"
    if state.st_mode & 0o020 and not (stat.S_ISDIR(state.st_mode) and state.st_gid == 0):
        return f"group {state.st_gid} may write it"
    return ""
