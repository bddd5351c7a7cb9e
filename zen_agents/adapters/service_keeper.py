"""What outlives one action: the services that were started, remembered on disk, reaped, and kept from filling it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
from pathlib import Path

from zen_agents.adapters.durable_file import replace_durably
from zen_agents.errors import HostError

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)
#: What a service prints goes to a file that is cut when it is longer.
_LOG_BYTES = 1 << 20
_CUT_EVERY_SECONDS = 60.0


class ServiceKeeper:
    """Knows the services of one state directory: `services/NAME` says "PID START_TIME", `service-logs/NAME` what it said."""

    def __init__(self, state_dir: str | Path) -> None:
        self._directory = Path(state_dir) / "services"
        self._logs = Path(state_dir) / "service-logs"
        self._children: dict[int, tuple[int, subprocess.Popen[bytes]]] = {}
        self._cutting: asyncio.TimerHandle | None = None

    def record(self, name: str, pid: int, start_time: int) -> None:
        """Remember durably which process a service is; HostError if that cannot be written."""
        write_record(self._directory / checked_name(name), f"{pid} {start_time}\n")

    def open_log(self, name: str) -> int:
        """Return a descriptor to which a service writes; what it said before is gone."""
        path = self._logs / checked_name(name)
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            return os.open(path, flags, 0o600)
        except OSError:
            # A full disk is no reason to leave a service down; it is then not heard.
            return os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)

    def said(self, name: str, *, most_bytes: int = 2048) -> str:
        """Return the end of what a service printed since it was started, "" if nothing is there. Untrusted text."""
        try:
            with (self._logs / checked_name(name)).open("rb") as stream:
                stream.seek(max(0, stream.seek(0, os.SEEK_END) - most_bytes))
                return stream.read().decode(errors="replace")
        except OSError:
            return ""

    def drop_log(self, name: str) -> None:
        """Forget what was printed under a name."""
        with contextlib.suppress(OSError):  # it is cut when it is long, whoever leaves it
            (self._logs / checked_name(name)).unlink()

    def adopt(self, process: subprocess.Popen[bytes]) -> None:
        """Reap this child whenever it ends, so that no zombie pretends to be it; call in the loop."""
        if process.poll() is not None:
            return
        loop, pidfd = asyncio.get_running_loop(), os.pidfd_open(process.pid)
        self._children[process.pid] = (pidfd, process)
        loop.add_reader(pidfd, self._reap, process.pid)
        if self._cutting is None:
            self._cutting = loop.call_later(_CUT_EVERY_SECONDS, self._cut_and_go_on)

    def cut_logs(self) -> None:
        """Empty what services printed where it is longer than a mebibyte; they go on writing at its start."""
        for path in self._logs.glob("*"):
            # Gone or not ours to cut: the next turn looks again.
            with contextlib.suppress(OSError):
                if path.stat(follow_symlinks=False).st_size > _LOG_BYTES:
                    os.truncate(path, 0)

    def close(self) -> None:
        """Let the children go on alone; whoever comes next finds them by pid and start time. Call in the loop."""
        loop = asyncio.get_running_loop()
        if self._cutting is not None:
            self._cutting.cancel()
            self._cutting = None
        for pidfd, process in self._children.values():
            loop.remove_reader(pidfd)
            os.close(pidfd)
            if process.poll() is None:
                # They are meant to outlive the engine: subprocess must not complain that they do.
                process.returncode = 0
        self._children.clear()

    def _reap(self, pid: int) -> None:
        pidfd, process = self._children.pop(pid)
        asyncio.get_running_loop().remove_reader(pidfd)
        os.close(pidfd)
        process.poll()

    def _cut_and_go_on(self) -> None:
        self.cut_logs()
        self._cutting = asyncio.get_running_loop().call_later(_CUT_EVERY_SECONDS, self._cut_and_go_on)


def checked_name(name: str) -> str:
    """Return a name that is safe as a file's and a unit's name; HostError if it is not."""
    if not _NAME.fullmatch(name):
        raise HostError(f"{name!r} is not a plain name of a service")
    return name


def write_record(path: Path, text: str) -> None:
    """Write what was started, so that it is there whole after a power cut; HostError if it cannot be."""
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        replace_durably(path, text.encode())
    except OSError as error:
        raise HostError(f"{path} could not be written: {error.strerror}; nothing was run") from error
