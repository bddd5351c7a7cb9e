"""A disposable host: a real systemd, as pid 1 of its own namespaces, over a copy of the running root that is never kept.

It costs about half a second and no container engine, but needs root. It keeps faults in, not attackers: whoever is root
inside and wants out gets out. Nothing that is written inside reaches the outer root; nothing is left behind, whichever
process is killed (see `chaos.host_keeper`).
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import IO, Any, TypeVar

from chaos.host_cgroup import COMMANDS, remove_cgroup
from chaos.host_root import DROPPED, SYSTEMD
from chaos.kernel import enter_network

#: Inside: holds the host's own name, so that what does harm can make sure of where it is.
MARKER = "/run/zen-disposable-host"
#: The repository, at the same path inside.
REPOSITORY = Path(__file__).resolve().parent.parent

#: Where programs are looked for inside.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENVIRONMENT = {"PATH": PATH, "LANG": "C.UTF-8", "HOME": "/root", "USER": "root", "LOGNAME": "root"}
#: Moves itself into the host's cgroup ($1), then becomes the rest; whose umask the caller has is nothing to the host.
_ENTER = 'umask 022 && echo 0 > "$1" && shift && exec "$@"'
_STOPPED_WITHIN_SECONDS = 20.0
_POLL_SECONDS = 0.01
_numbers = itertools.count(1)
T = TypeVar("T")


class HostUnavailableError(Exception):
    """A disposable host cannot be made here; the text says why."""


class HostTimeoutError(Exception):
    """A disposable host did not get ready in time; the text ends with its console."""


def why_not() -> str:
    """Return why no disposable host can be made on this machine, "" if nothing speaks against trying."""
    if sys.platform != "linux":
        return "a disposable host needs Linux"
    if os.geteuid() != 0:
        return "a disposable host needs root"
    missing = [tool for tool in ("nsenter", "setpriv", "systemctl") if shutil.which(tool, path=PATH) is None]
    if missing or not Path(SYSTEMD).exists():
        return f"a disposable host needs {', '.join(missing) or SYSTEMD}"
    kinds = Path("/proc/filesystems").read_text(encoding="ascii").split()
    unknown = [kind for kind in ("overlay", "cgroup2", "tmpfs") if kind not in kinds]
    return f"this kernel has no {', '.join(unknown)}" if unknown else ""


class DisposableHost:
    """One host; as a context manager it is started and stopped. Several may run at once, each with its own network.

    Args:
        name: its host name; each gets one of its own by default.
        target: what systemd starts: `basic.target`, or `multi-user.target` with all that is enabled on the outer root.
        room: how much may be written to each of its file systems, as tmpfs counts it.
        cpu_quotas: whether its systemd can hold a unit down to a share of a CPU; takes the CPU controller of control groups.
    """

    def __init__(self, name: str = "", *, target: str = "basic.target", room: str = "1g", cpu_quotas: bool = False) -> None:
        self.name = name or f"zen-host-{os.getpid()}-{next(_numbers)}"
        self.target, self.room, self.cpu_quotas = target, room, cpu_quotas
        self._keeper: subprocess.Popen[str] | None = None
        self._console: IO[bytes] | None = None
        #: The unified one first.
        self._cgroups: list[Path] = []
        #: The outer pid of its systemd; 0 while it is not running.
        self.pid = 0
        #: What `systemctl is-system-running` said when it was ready: running or degraded.
        self.state = ""

    def __enter__(self) -> DisposableHost:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    # -- life ---------------------------------------------------------------------------------------------------------
    def start(self, timeout: float = 60.0) -> None:
        """Make the host and return when its target is reached.

        Raises HostUnavailableError if it cannot be made here and HostTimeoutError if it takes longer than `timeout`
        seconds; nothing is left of it then.
        """
        if self._keeper is not None:
            raise RuntimeError(f"{self.name} runs already")
        if reason := why_not():
            raise HostUnavailableError(reason)
        give_up = time.monotonic() + timeout
        try:
            self._start_keeper()
            self._wait_until_ready(give_up)
            self.write_file(MARKER, f"{self.name}\n", mode=0o444)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End everything inside at once and take the host away; does nothing when it is not running."""
        keeper, self._keeper = self._keeper, None
        self.pid, self.state = 0, ""
        if keeper is not None:
            assert keeper.stdin is not None and keeper.stdout is not None  # noqa: S101 - both are pipes
            keeper.stdin.close()
            try:
                keeper.wait(_STOPPED_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                # Its systemd dies with it, and all else with its systemd.
                keeper.kill()
                keeper.wait()
            keeper.stdout.close()
        while self._cgroups:
            # Left only by a keeper that was killed.
            remove_cgroup(self._cgroups.pop())
        if self._console is not None:
            self._console.close()
            self._console = None

    @property
    def cgroup(self) -> Path:
        """Its root in the unified hierarchy, as it is seen from outside; RuntimeError while it is not running."""
        if not self.pid:
            raise RuntimeError(f"{self.name} is not running")
        return self._cgroups[0]

    def console(self, *, most_bytes: int = 4000) -> str:
        """Return the end of what systemd said on its console."""
        if self._console is None:
            return ""
        size = os.fstat(self._console.fileno()).st_size
        return os.pread(self._console.fileno(), most_bytes, max(0, size - most_bytes)).decode(errors="replace")

    # -- inside -------------------------------------------------------------------------------------------------------
    def run(
        self, argv: Sequence[str], *, timeout: float = 60.0, check: bool = False, text_in: str = "", cwd: str = "/",
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:  # fmt: skip
        """Run a command inside as root, with a small environment of its own, and return how it ended.

        Raises subprocess.TimeoutExpired after `timeout` seconds (the command is killed then) and, with `check`,
        subprocess.CalledProcessError for an exit code other than 0.
        """
        whole = {**_ENVIRONMENT, **(environment or {})}
        return subprocess.run(
            self._inside(argv, cwd), env=whole, cwd="/", input=text_in, capture_output=True, text=True, errors="replace",
            timeout=timeout, check=check,
        )  # fmt: skip

    def popen(
        self, argv: Sequence[str], *, cwd: str = "/", environment: Mapping[str, str] | None = None, **streams: Any
    ) -> subprocess.Popen[str]:
        """Start a command inside as root; `streams` are subprocess.Popen's stdin (empty by default), stdout and stderr.

        Killing what is returned kills the command; any other signal is for `signal`.
        """
        whole = {**_ENVIRONMENT, **(environment or {})}
        streams.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(self._inside(argv, cwd), env=whole, cwd="/", text=True, errors="replace", **streams)

    def signal(self, process: subprocess.Popen[str], number: signal.Signals) -> None:
        """Send a signal to the command that `popen` started; ProcessLookupError if it is gone or not there yet."""
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        pids = children.read_text(encoding="ascii").split() if children.exists() else []
        if not pids:
            raise ProcessLookupError(f"the command of process {process.pid} is not running")
        os.kill(int(pids[0]), number)

    def write_file(self, path: str, text: str, *, mode: int = 0o644) -> None:
        """Write a file inside, making the directories above it."""
        # Through a command: a link met on the way to it from outside would lead to the outer root.
        self.run(["install", "-D", f"--mode={mode:o}", "/dev/stdin", path], text_in=text, check=True)

    def read_file(self, path: str) -> str:
        """Return what a file inside holds; FileNotFoundError if it cannot be read."""
        read = self.run(["cat", "--", path])
        if read.returncode != 0:
            raise FileNotFoundError(read.stderr.strip())
        return read.stdout

    def lend(self, path: str) -> None:
        """Let a file below /proc/sys that the kernel has only once be set inside, for the whole machine.

        Raises subprocess.CalledProcessError where the kernel cannot.
        """
        lend = [sys.executable, "-m", "chaos.lent_setting", str(self.pid), path]
        subprocess.run(lend, cwd=REPOSITORY, check=True, capture_output=True)

    def connect(self, port: int, *, address: str = "127.0.0.1", seconds: float = 1.0) -> socket.socket:
        """Return a connection to a port inside, without starting a process there; OSError if nobody accepts.

        It takes a tenth of a millisecond, so that it can be asked often without slowing down what is measured.
        """
        return self._on_its_network(lambda: socket.create_connection((address, port), seconds))

    def network_setting(self, name: str) -> str:
        """Return what a file below /proc/sys that each network has for itself says inside, as quickly; else OSError."""
        # Whose setting it is depends on who reads it, not on whose /proc it is.
        return self._on_its_network(lambda: Path("/proc/sys", name).read_text(encoding="ascii").strip())

    # -- how ----------------------------------------------------------------------------------------------------------
    def _on_its_network(self, deed: Callable[[], T]) -> T:
        if not self.pid:
            raise RuntimeError(f"{self.name} is not running")
        network = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY)

        def visit() -> T:
            enter_network(network)
            return deed()

        try:
            with ThreadPoolExecutor(1) as visitor:  # the thread stays in there, so it ends with the visit
                return visitor.submit(visit).result()
        finally:
            os.close(network)

    def _inside(self, argv: Sequence[str], cwd: str) -> list[str]:
        enter = ["/bin/sh", "-c", _ENTER, "enter", str(self.cgroup / COMMANDS / "cgroup.procs")]
        namespaces = ["nsenter", f"--target={self.pid}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--"]
        # The command dies with nsenter, and may no more than the host's systemd may.
        bounds = ["setpriv", "--pdeathsig=KILL", "--bounding-set=" + ",".join(f"-{name}" for name in DROPPED), "--"]
        return [*enter, *namespaces, *bounds, "env", f"--chdir={cwd}", *argv]

    def _start_keeper(self) -> None:
        self._console = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as the host is there
        places = sorted({str(REPOSITORY), str(Path(sys.prefix).resolve()), str(Path(sys.base_prefix).resolve())})
        wanted = {
            "name": self.name, "target": self.target, "room": self.room, "places": places, "cpu_quotas": self.cpu_quotas,
        }  # fmt: skip
        self._keeper = subprocess.Popen(
            [sys.executable, "-m", "chaos.host_keeper", json.dumps(wanted)], cwd=REPOSITORY, env=_ENVIRONMENT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._console, start_new_session=True,
        )  # fmt: skip
        assert self._keeper.stdout is not None  # noqa: S101 - it is a pipe
        said = json.loads(self._keeper.stdout.readline() or '{"error": "its keeper ended"}')
        if "error" in said:
            raise HostUnavailableError(f"a disposable host cannot be made here: {said['error']} {self.console()}".strip())
        self.pid, self._cgroups = said["pid"], [Path(cgroup) for cgroup in said["cgroups"]]

    def _wait_until_ready(self, give_up: float) -> None:
        """Wait for systemd to listen, then for it to be done."""
        listening = Path(f"/proc/{self.pid}/root/run/systemd/private")
        while not listening.is_socket():
            self._still_there(give_up)
            time.sleep(_POLL_SECONDS)
        while self.state not in {"running", "degraded"}:
            self._still_there(give_up)
            argv = ["systemctl", "is-system-running", "--wait"]
            try:
                self.state = self.run(argv, timeout=max(0.1, give_up - time.monotonic())).stdout.strip()
            except subprocess.TimeoutExpired:
                # Its own time is over, and not ours yet: asked again.
                continue

    def _still_there(self, give_up: float) -> None:
        assert self._keeper is not None  # noqa: S101 - it was started just before
        if self._keeper.poll() is not None:
            raise HostUnavailableError(f"systemd ended in a disposable host: {self.console()}")
        if time.monotonic() > give_up:
            raise HostTimeoutError(f"{self.name} is {self.state or 'not up'} after its time: {self.console()}")
