"""Does what goes wrong, one deed after another, and prints the monotonic moment just before the first: `strike.py JSON`.

JSON is a list of deeds: `["kill", "KILL", "812"]`, `["chmod", "0666", "/srv/key"]`, `["unlink", "/run/app.pid"]`,
`["rmdir", "/srv/spool"]`, `["rename", "/srv/a", "/srv/b"]`, `["fill", "/srv/data", "4096"]` (so many bytes of room),
`["append", "/srv/log", "a line", "40000"]` (so often), `["files", "/srv/tmp", "500", "0"]` (so many of so many bytes of room
each, until there is no room or no inode left), `["journal", "48"]` (so many mebibytes of entries that cannot be compressed),
and for all else `["run", "systemctl", "stop", "web.service"]`, whose moment is that of its start.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

_ENTRY_BYTES = 96 << 10


def main(deeds: list[list[str]]) -> None:
    """Read the clock, then do all of it."""
    for _, _, pid in (deed for deed in deeds if deed[0] == "kill"):
        os.kill(int(pid), 0)  # ProcessLookupError for what is not there to be killed
    at = time.monotonic()
    for deed, *words in deeds:
        _do(deed, words)
    print(repr(at))  # noqa: T201 - its answer


def _do(deed: str, words: list[str]) -> None:
    if deed == "kill":
        # One that ended since, with another of them, is as dead as it was to be.
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(words[1]), signal.Signals[f"SIG{words[0]}"])
    elif deed == "chmod":
        Path(words[1]).chmod(int(words[0], 8))
    elif deed == "unlink":
        Path(words[0]).unlink()
    elif deed == "rmdir":
        Path(words[0]).rmdir()
    elif deed == "rename":
        Path(words[0]).rename(words[1])
    elif deed == "fill":
        with Path(words[0]).open("ab") as grown:
            os.posix_fallocate(grown.fileno(), 0, int(words[1]))
    elif deed == "append":
        with Path(words[0]).open("a", encoding="utf-8") as log:
            log.write(f"{words[1]}\n" * int(words[2]))
    elif deed == "files":
        _make_files(words[0], count=int(words[1]), size=int(words[2]))
    elif deed == "journal":
        _write_entries(mib=int(words[0]))
    elif deed == "run":
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    else:
        raise SystemExit(f"there is no deed {deed!r}")


def _make_files(folder: str, *, count: int, size: int) -> None:
    """Make `0`, `1` and so on, until there is no room or no inode left."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        try:
            descriptor = os.open(f"{folder}/{number}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            if size:
                os.posix_fallocate(descriptor, 0, size)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return
        os.close(descriptor)


def _write_entries(*, mib: int) -> None:
    """Write all of them through journald's own socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.connect("/run/systemd/journal/socket")
        for number in range((mib << 20) // _ENTRY_BYTES):
            noise = os.urandom(_ENTRY_BYTES)
            head = b"MESSAGE=entry %d\nSYSLOG_IDENTIFIER=filler\nNOISE\n" % number
            journal.sendall(head + len(noise).to_bytes(8, "little") + noise + b"\n")


main(json.loads(sys.argv[1]))
