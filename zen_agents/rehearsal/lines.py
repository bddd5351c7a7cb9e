"""Lines to try a pattern on: a file, standard input, or this host's journal. Bounded in size."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from typing import BinaryIO

from zen_agents.dataclass import dataclass
from zen_agents.errors import UsageError

#: Of a longer file the newest so many bytes are read, of longer input the first.
MOST_BYTES = 16 * 2**20
#: What is read of the journal (lines, the newest), and how long that may take (seconds).
MOST_JOURNAL_LINES, _JOURNAL_SECONDS = 100_000, 30.0
STDIN, JOURNAL = "-", "journal:"


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of one source, without their ends."""

    source: str
    lines: Sequence[str]
    #: What was left out, in words; "" if nothing was.
    cut: str = ""


def read_lines(source: str, most_bytes: int = MOST_BYTES) -> Lines:
    """Return the lines of a file, of standard input (`-`) or of the journal (`journal:`).

    Bytes that are not UTF-8 are kept as escapes.

    Raises:
        UsageError: it cannot be read, or is no regular file.
    """
    if source == STDIN:
        content = sys.stdin.buffer.read(most_bytes + 1)
        cut = f"only the first {_mib(most_bytes)} were read" if len(content) > most_bytes else ""
        return Lines("<stdin>", _split(content[:most_bytes]), cut)
    if source == JOURNAL:
        return _journal(most_bytes)
    try:
        with open(source, "rb", opener=_without_waiting) as stream:
            return _newest(source, stream, most_bytes)
    except (OSError, ValueError) as error:
        raise UsageError(f"{source} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _without_waiting(path: str, flags: int) -> int:
    # A pipe without a writer would keep us waiting at its opening.
    return os.open(path, flags | os.O_NONBLOCK)


def _newest(source: str, stream: BinaryIO, most_bytes: int) -> Lines:
    found = os.fstat(stream.fileno())
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{source} is no regular file; - reads standard input")
    if found.st_size <= most_bytes:
        return Lines(source, _split(stream.read(most_bytes)))
    stream.seek(found.st_size - most_bytes)
    lines = _split(stream.read(most_bytes))[1:]  # the first may have lost its beginning
    return Lines(source, lines, f"only the newest {_mib(most_bytes)} of {_mib(found.st_size)} were read")


def _journal(most_bytes: int) -> Lines:
    program = shutil.which("journalctl")
    if program is None:
        raise UsageError("there is no journalctl on this host; name a file, or - for standard input")
    command = [program, "--no-pager", "--quiet", "--output=cat", f"--lines={MOST_JOURNAL_LINES}"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_JOURNAL_SECONDS, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"the journal cannot be read: {error}") from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UsageError(f"the journal cannot be read: {said[-1] if said else f'journalctl ended with {done.returncode}'}")
    content = done.stdout[-most_bytes:]
    lines = _split(content)
    is_cut = len(lines) >= MOST_JOURNAL_LINES or len(content) < len(done.stdout)
    return Lines("journal", lines, f"only its newest {len(lines)} lines were read" if is_cut else "")


def _split(content: bytes) -> list[str]:
    lines = content.decode("utf-8", "backslashreplace").split("\n")
    return lines[:-1] if lines and not lines[-1] else lines


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"
