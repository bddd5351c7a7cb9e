"""Bounded reads of the host: every reader of /proc, /sys and small files goes through here."""

from __future__ import annotations

import errno
import os
import select
import stat
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Any

from zen_agents.errors import HostError

#: What children of the view see; nothing is inherited.
CHILD_ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"}

#: Most files are smaller (bytes), and an allocator has so much at hand.
_PIECE = 65536

#: Errors that say "there is nothing of that name (any more)".
GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ESRCH})


def read_kernel_file(path: str, *, limit: int = 65536) -> bytes | None:
    """Return up to `limit` bytes of a file of /proc or /sys, None if it is gone.

    One `read` is enough for the small files the kernel makes whole; longer ones are read until `limit` or their end.
    Raises HostError if the file is there and cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise_unless_gone(path, error)
        return None
    try:
        return _read_up_to(descriptor, limit)
    except OSError as error:
        raise_unless_gone(path, error)
        return None
    finally:
        os.close(descriptor)


def require_kernel_file(path: str, *, limit: int = 65536) -> bytes:
    """Return up to `limit` bytes of a file of /proc or /sys that every Linux has; HostError if it is not there."""
    content = read_kernel_file(path, limit=limit)
    if content is None:
        raise HostError(f"{path} does not exist; is /proc mounted here?")
    return content


def read_regular_file(path: str, *, limit: int, end: bool = False) -> tuple[bytes, os.stat_result] | None:
    """Return up to `limit` bytes of a regular file, or its `end`, and what fstat says, None if there is nothing.

    The last component is not followed if it is a link, and a FIFO or device is neither waited for nor read: HostError.
    """
    check_path(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise HostError(f"{path} is a link and is not followed; name the file itself") from error
        raise_unless_gone(path, error)
        return None
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise HostError(f"{path} is not a regular file and is not read")
        if end:
            os.lseek(descriptor, max(0, state.st_size - limit), os.SEEK_SET)
        return _read_up_to(descriptor, limit), state
    except OSError as error:
        raise HostError(f"cannot read {path}: {error.strerror}") from error
    finally:
        os.close(descriptor)


def check_path(path: str) -> None:
    """Raise HostError unless `path` is absolute and free of NUL."""
    if not path.startswith("/") or "\0" in path:
        raise HostError(f"{path!r} is not an absolute path")


def run_bounded(
    argv: Sequence[str], *, timeout_seconds: float, limit: int = 4 << 20, environment: Mapping[str, str] = CHILD_ENVIRONMENT,
    account: tuple[str, int, int] | None = None,
) -> tuple[int, str]:  # fmt: skip
    """Run a fixed read-only command in a clean environment; return exit code and stdout.

    As another account (name, uid, gid) what it says on stderr is returned as well. Raises HostError if it cannot be started,
    takes longer than `timeout_seconds` or prints more than `limit` bytes; then it is killed. Blocks, so it belongs in the
    sampler's thread.
    """
    try:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if account is None else subprocess.STDOUT,
            env=environment,
            cwd="/",
            start_new_session=True,
            **(_identity(account) if account is not None else {}),
        )
    except OSError as error:
        raise HostError(f"cannot run {argv[0]}: {error.strerror}") from error
    deadline = time.monotonic() + timeout_seconds
    with child:
        try:
            output = _collect(child, deadline, limit)
            return child.wait(timeout=max(0.0, deadline - time.monotonic())), output.decode("utf-8", "replace")
        except (HostError, subprocess.TimeoutExpired) as error:
            child.kill()
            raise HostError(f"{argv[0]} did not answer within {timeout_seconds:g} s or printed too much") from error


def _identity(account: tuple[str, int, int]) -> dict[str, Any]:
    name, uid, gid = account
    return {"user": uid, "group": gid, "extra_groups": os.getgrouplist(name, gid)} if os.geteuid() == 0 else {}


def _collect(child: subprocess.Popen[bytes], deadline: float, limit: int) -> bytes:
    assert child.stdout is not None  # noqa: S101 - tells mypy what Popen(stdout=PIPE) guarantees
    descriptor = child.stdout.fileno()
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    chunks: list[bytes] = []
    size = 0
    while True:
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise HostError("time-out")
        chunk = os.read(descriptor, 65536)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise HostError("too much output")


def _read_up_to(descriptor: int, limit: int) -> bytes:
    """Return what can be read, in pieces: room for all that it may be would be made, and let go of, for each few lines."""
    content = os.read(descriptor, min(limit, _PIECE))
    if not content or len(content) >= limit:
        return content
    chunks, remaining = [content], limit - len(content)
    while remaining > 0 and (chunk := os.read(descriptor, min(remaining, _PIECE))):
        chunks.append(chunk)
        remaining -= len(chunk)
    return b"".join(chunks)


def raise_unless_gone(path: str, error: OSError) -> None:
    """Raise HostError unless the error says that there is nothing (any more)."""
    if error.errno not in GONE:
        raise HostError(f"cannot read {path}: {error.strerror}") from error
