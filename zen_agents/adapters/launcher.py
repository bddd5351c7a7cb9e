"""Children that start clean and wait for the word: spawned before their record is durable, run after it (R23, R36)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections import deque
from pathlib import Path

from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError, RefusedError
from zen_agents.model.reason import Reason
from zen_agents.ports.host_commands import Command, CommandResult

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: How much of a command's output is kept, in bytes from its end.
OUTPUT_BYTES = 8192
#: Between TERM and KILL when a command's time is over.
GRACE_SECONDS = 2.0

_SCRIPT = Path(__file__).with_name("launch.sh").read_text(encoding="ascii")
_SH = "/bin/sh"


@dataclass(frozen=True, slots=True)
class Account:
    """Who a child runs as."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str


class Child:
    """One child that waits on a pipe until `go`, in a session and a process group of its own.

    If the engine ends before that, or `kill` comes first, the command is never run.
    """

    def __init__(self, process: subprocess.Popen[bytes], word: int, status: int, output: int) -> None:
        self._process, self._word, self._status, self._output = process, word, status, output
        self._pidfd = os.pidfd_open(process.pid)

    @property
    def pid(self) -> int:
        """The child's pid, which is its process group and session too."""
        return self._process.pid

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The child as subprocess knows it, for whoever reaps it later."""
        return self._process

    def go(self) -> None:
        """Let the child look at the emergency stop and become its command."""
        with contextlib.suppress(BrokenPipeError):  # killed meanwhile; its exit tells
            os.write(self._word, b"go\n")
        self._word = _close(self._word)

    async def begun(self, *, timeout_seconds: float = 10.0) -> None:
        """Return when the child became its command; RefusedError at the emergency stop, HostError if it could not."""
        if not await readable(self._status, timeout_seconds):
            self.kill()
            raise HostError("the child did not begin in time; the host is very busy or the directory hangs")
        said = os.read(self._status, 64).decode(errors="replace").strip()
        if said == "stop":
            raise RefusedError(Reason.EMERGENCY_STOP.sentence)
        if said:
            raise HostError("the command's directory is not there or may not be entered; nothing was run")

    async def ended_within(self, seconds: float) -> int | None:
        """Return the exit code of a command that ends at once, None if it goes on."""
        return self._process.poll() if await readable(self._pidfd, seconds) else None

    async def finish(self, timeout_seconds: float) -> CommandResult:
        """Wait for the command, end its whole group when its time is over, and return how it ended."""
        began, tail = time.monotonic(), _Tail(self._output)
        try:
            timed_out = not await readable(self._pidfd, timeout_seconds, tail)
            if timed_out:
                self.signal_group(signal.SIGTERM)
                await readable(self._pidfd, GRACE_SECONDS, tail)
                # Also where the leader has gone: others of its group may not have heard the TERM.
                self.kill()
                await readable(self._pidfd, GRACE_SECONDS, tail)
        except asyncio.CancelledError:
            self.kill()
            raise
        finally:
            tail.drain()
        code = self._process.poll()
        if code is None:
            raise HostError(f"process {self.pid} cannot be killed; it hangs in the kernel")
        return CommandResult(code, tail.text(), timed_out, time.monotonic() - began)

    def signal_group(self, number: int) -> None:
        """Signal the child's group; it is ours as long as its leader has not been reaped."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def kill(self) -> None:
        """End the child and its group at once."""
        self.signal_group(signal.SIGKILL)

    def close(self) -> None:
        """Let go of the pipes; a child that still waits ends by that."""
        self._word, self._status = _close(self._word), _close(self._status)
        self._output, self._pidfd = _close(self._output), _close(self._pidfd)


def launch(command: Command, *, flags: tuple[str, str], cpu_seconds: int | None, log: int | None = None) -> Child:
    """Start a child that waits for its `go`. Output goes to `log`, or is kept for `Child.finish`.

    HostError if the account is unknown or may not be taken, or the child could not be made.
    """
    account = account_of(command.user)
    argv = [_SH, "-c", _SCRIPT, "zen-agents-launch", *flags, command.directory]
    argv += [str(cpu_seconds) if cpu_seconds else "unlimited", *_as_account(account), *checked_argv(command)]
    word_end, word = os.pipe2(os.O_CLOEXEC)
    status, status_end = os.pipe2(os.O_CLOEXEC)
    output, output_end = os.pipe2(os.O_CLOEXEC) if log is None else (-1, log)
    try:
        process = subprocess.Popen(
            argv, stdin=word_end, stdout=status_end, stderr=output_end, cwd="/", env=environment_of(command, account),
            start_new_session=True, close_fds=True,
        )  # fmt: skip
    except OSError as error:
        for descriptor in (word, status, output):
            _close(descriptor)
        raise HostError(f"no child could be started: {error.strerror}") from error
    finally:
        os.close(word_end)
        os.close(status_end)
        if log is None:
            os.close(output_end)
    for descriptor in filter(lambda number: number >= 0, (status, output)):
        os.set_blocking(descriptor, False)
    return Child(process, word, status, output)


def account_of(user: str) -> Account:
    """Return an account by name or number, "" for the engine's own; HostError if there is none.

    An engine that is not root cannot change accounts: whatever is named, its children run as its own.
    """
    user = user if os.geteuid() == 0 else ""
    try:
        entry = pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user) if user else pwd.getpwuid(os.geteuid())
    except KeyError:
        if user:
            raise HostError(f"there is no account {user!r} on this host; make it or name another one") from None
        return Account(str(os.geteuid()), os.geteuid(), os.getegid(), "/", _SH)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir, entry.pw_shell or _SH)


def environment_of(command: Command, account: Account) -> dict[str, str]:
    """Return the small fixed environment with the command's own additions."""
    own = {"PATH": PATH, "LANG": "C.UTF-8", "HOME": account.home, "USER": account.name, "LOGNAME": account.name}
    return {**own, "SHELL": account.shell, **dict(command.environment)}


def checked_argv(command: Command) -> tuple[str, ...]:
    """Return the argument list; HostError if it is empty, odd, or as root would run what others can change (R21)."""
    argv = command.argv
    if not argv or not argv[0] or argv[0].startswith("-") or any("\0" in argument for argument in argv):
        raise HostError("a command needs the name of a program and plain arguments; nothing was run")
    if os.geteuid() == 0 and account_of(command.user).uid == 0:
        only_root_may_write(argv[0], dict(command.environment).get("PATH", PATH))
    return argv


def only_root_may_write(program: str, path: str) -> None:
    """Refuse a program, by HostError with the path and its mode, that anybody but root could have written (R21)."""
    found = program if "/" in program else shutil.which(program, path=path)
    if found is None or not found.startswith("/"):
        raise HostError(f"the program {program} was not found in {path}; write its absolute path")
    real = Path(found).resolve()
    for place in (real, *real.parents):
        try:
            state = place.stat()
        except OSError as error:
            raise HostError(f"the program {found} cannot be looked at: {error.strerror}") from error
        sticky = stat.S_ISDIR(state.st_mode) and state.st_mode & stat.S_ISVTX
        others = state.st_mode & stat.S_IWOTH or (state.st_mode & stat.S_IWGRP and state.st_gid != 0)
        if state.st_uid != 0 or (others and not sticky):
            mode = stat.filemode(state.st_mode)
            raise HostError(f"root does not run {found}: {place} can be changed by others ({mode}, owner {state.st_uid})")


def _as_account(account: Account) -> list[str]:
    if account.uid == os.geteuid():
        return []
    setpriv = shutil.which("setpriv", path="/usr/bin:/bin")
    if setpriv is None:
        raise HostError("setpriv (package util-linux) is needed to run a command as another account")
    # The launcher looks at the emergency stop as root, which the account could not see; only then it gives root up.
    return [setpriv, f"--reuid={account.uid}", f"--regid={account.gid}", "--init-groups", "--inh-caps=-all", "--"]


async def readable(descriptor: int, timeout_seconds: float | None, tail: _Tail | None = None) -> bool:
    """Wait until a descriptor can be read, in the loop; False when the time is over. A tail is filled meanwhile."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _settle, ready)
    if tail is not None and tail.descriptor >= 0:
        loop.add_reader(tail.descriptor, tail.take)
    try:
        async with asyncio.timeout(timeout_seconds):
            await ready
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(descriptor)
        if tail is not None and tail.descriptor >= 0:
            loop.remove_reader(tail.descriptor)
    return True


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


class _Tail:
    """The last bytes of a pipe that never blocks."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._pieces: deque[bytes] = deque()
        self._size = 0

    def take(self) -> bool:
        """Read one piece; False when there is nothing now or nothing more."""
        try:
            piece = os.read(self.descriptor, 65536)
        except OSError:
            # Nothing is there yet; and of a pipe that failed nothing more comes.
            return False
        if not piece:
            # Closed by all writers: not watched any more, or the loop would turn on it.
            asyncio.get_running_loop().remove_reader(self.descriptor)
            return False
        self._pieces.append(piece)
        self._size += len(piece)
        while self._size - len(self._pieces[0]) >= OUTPUT_BYTES:
            self._size -= len(self._pieces.popleft())
        return True

    def drain(self) -> None:
        """Read what is there now, a bounded number of pieces: a left-over writer may go on for ever."""
        for _ in range(64):
            if self.descriptor < 0 or not self.take():
                return

    def text(self) -> str:
        """Return the tail as text in which nothing can move a cursor."""
        return shown(b"".join(self._pieces)[-OUTPUT_BYTES:].decode(errors="replace"))


def shown(text: str) -> str:
    """Return a text in which nothing can move a cursor: control characters are shown as escapes."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def _close(descriptor: int) -> int:
    if descriptor >= 0:
        os.close(descriptor)
    return -1
