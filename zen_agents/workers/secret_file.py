"""Read one secret from its file."""

from __future__ import annotations

import os
import stat

_MOST_BYTES = 64 * 1024


class SecretError(Exception):
    """The file of a secret cannot be used; the message names the file, never what is in it."""


def read_secret(path: str) -> str:
    """Return the file's text without surrounding space.

    Raises:
        SecretError: there is no such regular file, others than its owner may write it, or it is empty.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise SecretError(f"{path}: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode):
            raise SecretError(f"{path} is not a regular file")
        if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise SecretError(
                f"{path} may be written by others (mode {stat.S_IMODE(state.st_mode):04o}); run: chmod 0600 {path}"
            )
        text = file.read(_MOST_BYTES).decode("utf-8", "replace").strip()
    if not text:
        raise SecretError(f"{path} is empty")
    return text
