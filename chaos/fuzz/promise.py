"""What every parser promises for any input: an error of its own or a result, bounded work, and nothing touched elsewhere."""

from __future__ import annotations

import os
import sys
import tempfile
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

#: Calls (of Python functions and built-ins) that one input may cost, besides those for each of its bytes. Work is counted,
#: not timed, so that the same input has the same verdict on every machine.
MOST_CALLS = 200_000
MOST_CALLS_A_BYTE = 2_000

#: In memory where that can be had: a store that syncs to a disk is fuzzed a tenth as often.
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of this process's own is made below it
ROOM = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
#: The directory that a process is given which ends without a last word, as libFuzzer does; whoever gave it removes it.
GIVEN = "ZEN_FUZZ_SCRATCH"
#: Everything that targets write is below this directory.
SCRATCH = Path(os.environ.get(GIVEN) or ROOM / f"zen-fuzz-{os.getpid()}")

_REPOSITORY = str(Path(__file__).resolve().parents[2])
_READABLE = tuple({sys.prefix, sys.base_prefix, _REPOSITORY, str(SCRATCH), *zoneinfo.TZPATH, "/etc", "/proc", "/dev/null"})
_STARTS_A_PROCESS = frozenset(
    {"os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "subprocess.Popen"}
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


_Read = TypeVar("_Read")


class BrokenPromiseError(AssertionError):
    """A parser did what it promises never to do."""


class TooMuchWorkError(BaseException):
    """One input cost more calls than its size allows; no `except Exception` of the parser swallows it."""


class EscapedError(BaseException):
    """One input started a process, or reached a file that the target did not give; not an Exception for the same reason."""


def promise(kept: bool, what: str) -> None:
    """Raise BrokenPromiseError unless the promise is kept."""
    if not kept:
        raise BrokenPromiseError(what)


def unless_refused(error: type[Exception], read: Callable[[], _Read]) -> _Read | None:
    """Return what is read, None if it is refused with the parser's own error, which has to say why."""
    try:
        return read()
    except error as refusal:
        promise(bool(str(refusal)), "refused without a word")
        return None


def run(fuzz: Callable[[bytes], None], data: bytes) -> None:
    """Run one input under the watch of all promises; whatever is raised is a defect."""
    most = MOST_CALLS + MOST_CALLS_A_BYTE * len(data)
    _watch.begin()
    sys.setprofile(_counter(most))
    try:
        fuzz(data)
    finally:
        sys.setprofile(None)
        _watch.end()


def _counter(most: int) -> Callable[[Any, str, Any], None]:
    left = most

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal left
        left -= event in ("call", "c_call")
        if left < 0:
            sys.setprofile(None)
            raise TooMuchWorkError(f"more than {most} calls")

    return count


class _Watch:
    """An audit hook, which cannot be taken out again, that looks only while a target runs."""

    def __init__(self) -> None:
        self._watching = False
        self._installed = False

    def begin(self) -> None:
        if not self._installed:
            sys.addaudithook(self._see)
            self._installed = True
        self._watching = True

    def end(self) -> None:
        self._watching = False

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._watching:
            return
        if event in _STARTS_A_PROCESS:
            raise EscapedError(f"{event}{arguments!r}")
        if event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
            path, flags = os.fsdecode(arguments[0]), int(arguments[2] or 0)
            if path.startswith("/") and not _may_open(path, writes=bool(flags & _WRITES)):
                raise EscapedError(f"opened {path!r}")


_watch = _Watch()


def _may_open(path: str, *, writes: bool) -> bool:
    if writes:
        return path.startswith((str(SCRATCH), "/dev/null"))
    return path.startswith(_READABLE)
