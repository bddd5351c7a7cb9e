"""Runs the command line with everything written down that it changes: files opened for writing, children, signals.

audited_run.py RECORD ARGUMENT...
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod", "os.chown", "os.link", "os.symlink", "os.truncate",
    "os.utime", "shutil.rmtree", "shutil.move", "os.setxattr", "os.removexattr",
}  # fmt: skip
SPAWNS = {
    "subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty", "os.exec", "os.spawn", "os.system", "os.kill",
    "os.killpg", "signal.pthread_kill",
}  # fmt: skip


def main(record: str, arguments: list[str]) -> int:
    """Run it; one line in the record for each change."""
    target = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(args[2], int) and args[2] & WRITES:
            os.write(target, f"write\t{args[0]!r}\n".encode())
        elif event in CHANGES or event in SPAWNS:
            # By descriptor: what is meant is the file behind it.
            by_number = event in CHANGES and isinstance(args[0], int)
            named = str(Path(f"/proc/self/fd/{args[0]}").readlink()) if by_number else args[0]
            os.write(target, f"{event}\t{named!r}\n".encode())

    sys.addaudithook(note)
    from zen_agents.__main__ import main as run  # noqa: PLC0415 - what is imported is looked at as well

    sys.argv = ["zen-agents", *arguments]
    return int(run() or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
