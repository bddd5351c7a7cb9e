"""Does what goes wrong, one deed after another, and prints the monotonic moment just before the first: `strike.py JSON`.

JSON is a list of deeds: `["kill", "KILL", "812"]`, `["chmod", "0666", "/srv/key"]`, `["unlink", "/run/app.pid"]`,
`["rmdir", "/srv/spool"]`, `["rename", "/srv/a", "/srv/b"]`, `["fill", "/srv/data", "4096"]` (so many bytes of room),
`["append", "/srv/log", "a line", "40000"]` (so often), and for all else `["run", "systemctl", "stop", "web.service"]`, whose
moment is that of its start.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def main(deeds: list[list[str]]) -> None:
    """Read the clock, then do all of it."""
    at = time.monotonic()
    for deed, *words in deeds:
        _do(deed, words)
    print(repr(at))  # noqa: T201 - its answer


def _do(deed: str, words: list[str]) -> None:
    if deed == "kill":
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
    elif deed == "run":
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    else:
        raise SystemExit(f"there is no deed {deed!r}")


main(json.loads(sys.argv[1]))
