"""Processes of the program that begin where everything is imported already: a start costs a fork, not half a second.

Each is a process of its own, is killed like any other, and dies with the tests. Where the very start is what is shown, a
test starts the program by hand, or with something `before` it.

    python -m tests.support.fork_server FD      serves the requests on a socket, until its other end is closed
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.readable import readable

REPOSITORY = Path(__file__).resolve().parents[2]
#: What the interpreter or the C library reads when a process begins, and nobody reads again.
_READ_AT_THE_START = ("PYTHON", "LD_", "LC_", "LANG", "TZ")
#: What an engine imports only while it starts.
_IN_ITS_FIRST_MOMENTS = ("apscheduler.executors.asyncio", "concurrent.futures.thread", "nacl.bindings")
_MOST_BYTES = 1 << 17
_PR_SET_PDEATHSIG, _CLONE_NEWNS, _MS_REC, _MS_SLAVE = 1, 0x00020000, 1 << 14, 1 << 19


def can_start(environment: Mapping[str, str]) -> bool:
    """Tell whether a process with these variables, beside the test's own, is as one that was started by hand."""
    # Of what is preloaded only chaos.durability.disk_calls knows how to begin anew in a fork.
    known = {"LD_PRELOAD"} if "DISK_CALLS_ROOTS" in environment else set()
    return not any(name.startswith(_READ_AT_THE_START) for name in environment.keys() - known)


class ForkedProcess:
    """A process of the fork server, with what the tests use of `subprocess.Popen`."""

    def __init__(self, pid: int, pidfd: int, channel: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._pidfd, self._channel = pidfd, channel
        weakref.finalize(self, _close, pidfd, channel)

    def poll(self) -> int | None:
        """Return how it ended, None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return how it ended; raises subprocess.TimeoutExpired after so many seconds."""
        if self.returncode is None:
            if not readable(self._channel, timeout):
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            told = os.read(self._channel, 100)
            # The server is gone, and its processes with it.
            self.returncode = int(told) if told else -signal.SIGKILL
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Signal it, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def kill(self) -> None:
        """End it as kill -9 does."""
        self.send_signal(signal.SIGKILL)


def start(
    arguments: Sequence[str], environment: Mapping[str, str], *, out: int, error: int, own_run: bool = False
) -> ForkedProcess:
    """Start the program in the repository, its output in two descriptors; with a /run of its own if that is asked for."""
    request = {"arguments": list(arguments), "environment": dict(environment), "own_run": own_run}
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        socket.send_fds(
            _server(environment.get("LD_PRELOAD", "")), [json.dumps(request).encode()], [theirs.fileno(), out, error]
        )
    pid, (pidfd,), _, _ = socket.recv_fds(ours, 100, 1)
    return ForkedProcess(int(pid), pidfd, ours.detach())


def run(arguments: Sequence[str], environment: Mapping[str, str], *, timeout: float) -> subprocess.CompletedProcess[str]:
    """Run the program in the repository to its end, like `subprocess.run` with its output captured."""
    out, error = os.memfd_create("out"), os.memfd_create("error")
    try:
        process = start(arguments, environment, out=out, error=error)
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        return subprocess.CompletedProcess(list(arguments), code, _text(out), _text(error))
    finally:
        _close(out, error)


def _text(descriptor: int) -> str:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode()


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


# -- the server, as the tests see it ----------------------------------------------------------------------------------------
_servers: dict[str, socket.socket] = {}
_starting = threading.Lock()


def _server(preloaded: str) -> socket.socket:
    with _starting:
        if preloaded not in _servers:
            _servers[preloaded] = _started(preloaded)
        return _servers[preloaded]


def _started(preloaded: str) -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environment = {**os.environ, "LD_PRELOAD": preloaded} if preloaded else dict(os.environ)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno())], cwd=REPOSITORY, env=environment,
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


# -- within the server ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Child:
    pid: int
    pidfd: int
    channel: int


class _Server:
    """Forks at each request, and tells how each child ended."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        self._children: dict[int, _Child] = {}

    def serve(self) -> dict[str, Any] | None:
        """Return in each child what it is to do; in the server itself None, at the end."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is not self._control:
                    self._reap(self._children.pop(key.fd))
                    continue
                message, descriptors, _, _ = socket.recv_fds(self._control, _MOST_BYTES, 3)
                if not message:
                    return None
                if self._fork(*descriptors) == 0:
                    request: dict[str, Any] = json.loads(message)
                    return request

    def _fork(self, channel: int, out: int, error: int) -> int:
        if (pid := os.fork()) == 0:
            self._leave(channel, out, error)
            return 0
        pidfd = os.pidfd_open(pid)
        with socket.socket(fileno=os.dup(channel)) as told:
            socket.send_fds(told, [str(pid).encode()], [pidfd])
        _close(out, error)
        self._children[pidfd] = _Child(pid, pidfd, channel)
        self._selector.register(pidfd, selectors.EVENT_READ)
        return pid

    def _reap(self, child: _Child) -> None:
        self._selector.unregister(child.pidfd)
        code = os.waitstatus_to_exitcode(os.waitpid(child.pid, 0)[1])
        with contextlib.suppress(OSError):  # nobody waits for it any more
            os.write(child.channel, str(code).encode())
        _close(child.pidfd, child.channel)

    def _leave(self, channel: int, out: int, error: int) -> None:
        """Let go of everything that is the server's."""
        os.dup2(out, 1)
        os.dup2(error, 2)
        _close(channel, out, error, *(each for child in self._children.values() for each in (child.pidfd, child.channel)))
        self._selector.close()
        self._control.close()


def _become(request: Mapping[str, Any]) -> None:
    """Make this process what `python -m zen_agents` would be in its place."""
    from zen_agents.store import failpoint  # noqa: PLC0415

    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["zen_agents", *request["arguments"]]
    if request["own_run"]:
        for failed in (
            libc.unshare(_CLONE_NEWNS),
            libc.mount(b"none", b"/", None, _MS_REC | _MS_SLAVE, None),
            libc.mount(b"tmpfs", b"/run", b"tmpfs", 0, None),
        ):
            if failed:
                raise OSError(ctypes.get_errno(), "no /run of its own")
    if "LD_PRELOAD" in os.environ:
        libc.disk_calls_begin()
    failpoint.arm(os.environ.get(failpoint.VARIABLE))


def _prepare() -> None:
    """Import what an engine imports, in the way in which it does, and compile what its settings are checked by."""
    from zen_agents.cli.main import main  # noqa: PLC0415
    from zen_agents.settings.loader import load  # noqa: PLC0415

    os.umask(0o022)
    with contextlib.suppress(SystemExit):
        main(["run", "--help"])
    load(REPOSITORY / "config" / "examples" / "first-repair.yaml", {})
    for name in _IN_ITS_FIRST_MOMENTS:
        importlib.import_module(name)
    gc.freeze()


def _main(descriptor: int) -> int:
    from zen_agents.cli.main import main  # noqa: PLC0415

    _prepare()
    request = _Server(socket.socket(fileno=descriptor)).serve()
    if request is None:
        return 0
    _become(request)
    gc.enable()
    return main()


if __name__ == "__main__":
    sys.exit(_main(int(sys.argv[1])))
