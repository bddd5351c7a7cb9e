"""Run by a test in a process of its own: `zen-agents plan`, with every deed that Python can see told as a line on stderr."""

from __future__ import annotations

import os
import sys
from typing import Any

from zen_agents.cli.main import main

_DEEDS = {
    "subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.kill",
    "os.killpg",
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod", "os.chown", "os.link", "os.symlink", "os.truncate",
    "os.utime", "os.setxattr", "os.removexattr", "shutil.rmtree", "socket.bind", "socket.connect", "socket.sendto",
    "signal.pthread_kill", "tempfile.mkstemp", "tempfile.mkdtemp", "fcntl.flock", "fcntl.lockf",
}  # fmt: skip
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def _tell(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        path, _, flags = arguments
        if isinstance(flags, int) and flags & _WRITES:
            sys.stderr.write(f"DEED open for writing {path!r}\n")
    elif event in _DEEDS:
        what = arguments[1] if event.startswith("socket.") else arguments
        sys.stderr.write(f"DEED {event} {what!r}\n")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.addaudithook(_tell)
    sys.exit(main(sys.argv[1:]))
