"""Sends the ledger's signed heads to the system's log, which is another file, often another host."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

from zen_agents.model.entry import Checkpoint

#: Where the system's log listens.
SYSLOG = Path("/dev/log")
#: Facility authpriv (10), severity notice (5): kept apart, and not for everybody to read.
_PRIORITY = 10 * 8 + 5


class SyslogWitness:
    """Writes one line for each checkpoint. Never waits and never raises: a log that is full or missing goes without."""

    def __init__(self, path: Path = SYSLOG) -> None:
        self._path = path

    def __call__(self, checkpoint: Checkpoint) -> None:
        line = f"<{_PRIORITY}>zen-agents[{os.getpid()}]: ledger head {checkpoint.head} key {checkpoint.key}"
        # Connected anew each time: the log may have been restarted, and this happens a few times an hour.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as log:
            log.connect(str(self._path))
            log.send(line.encode())
