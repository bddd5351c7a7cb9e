"""Keeps one disposable host: makes its namespaces and its root, runs systemd in it, and takes all away at the end.

A child of `chaos.host.DisposableHost`. It says one line of JSON on stdout (`{"pid": 4242, "cgroups": ["/..."]}` or
`{"error": "why"}`), writes systemd's console to stderr, and lives until its stdin ends: then, or when it is killed itself,
everything inside dies with the host's pid 1, and with the last process go all mounts.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from chaos import host_root
from chaos.host_cgroup import make_cgroups, remove_cgroup
from chaos.kernel import DIES_WITH_PARENT, NEW_CGROUP, NEW_IPC, NEW_MOUNTS, NEW_NETWORK, NEW_PIDS, NEW_UTS, prctl, unshare

_CONSOLE_BYTES = 1 << 20


def main() -> int:
    """Keep the host that the JSON in the first argument asks for, until stdin ends."""
    wanted = host_root.Wanted(**json.loads(sys.argv[1]))
    # Other accounts live in there as well, whoever asks for the host.
    os.umask(0o022)
    cgroups: list[Path] = []
    try:
        cgroups = make_cgroups(cpu_quotas=wanted.cpu_quotas)
        master, slave = os.openpty()
        pid = _start(wanted, cgroups, slave)
    except OSError as error:
        _say(error=str(error))
        for cgroup in cgroups:
            remove_cgroup(cgroup)
        return 1
    try:
        _say(pid=pid, cgroups=[str(cgroup) for cgroup in cgroups])
        _keep(pid, master)
    finally:
        with contextlib.suppress(ProcessLookupError):  # it ended by itself
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        for cgroup in cgroups:
            remove_cgroup(cgroup)
    return 0


def _start(wanted: host_root.Wanted, cgroups: Sequence[Path], console: int) -> int:
    """Return the pid of a systemd that was started; OSError with the reason if the kernel refused a step."""
    said, say = os.pipe()
    unshare(NEW_PIDS)
    pid = os.fork()
    if pid == 0:
        try:
            _become_systemd(wanted, cgroups, console)
        except BaseException as error:
            os.write(say, str(error).encode())
        os._exit(1)
    os.close(say)
    with os.fdopen(said, encoding="utf-8", errors="replace") as stream:
        trouble = stream.read()
    if trouble:
        os.waitpid(pid, 0)
        raise OSError(trouble)
    return pid


def _become_systemd(wanted: host_root.Wanted, cgroups: Sequence[Path], console: int) -> None:
    prctl(DIES_WITH_PARENT, signal.SIGKILL)
    os.setsid()
    for cgroup in cgroups:
        (cgroup / "cgroup.procs").write_text("0", encoding="ascii")
    unshare(NEW_MOUNTS | NEW_UTS | NEW_IPC | NEW_NETWORK | NEW_CGROUP)
    host_root.enter(wanted, os.ttyname(console))
    empty = os.open("/dev/null", os.O_RDONLY)
    for descriptor, source in ((0, empty), (1, console), (2, console)):
        os.dup2(source, descriptor)
    host_root.run_systemd(wanted)


def _keep(pid: int, master: int) -> None:
    """Copy the console until stdin ends or the host's pid 1 does."""
    pidfd, room = os.pidfd_open(pid), _CONSOLE_BYTES
    waiting = select.poll()
    for descriptor in (sys.stdin.fileno(), pidfd, master):
        waiting.register(descriptor, select.POLLIN)
    while True:
        ready = [descriptor for descriptor, _ in waiting.poll()]
        if master in ready:
            piece = os.read(master, 4096)[:room]
            room -= os.write(sys.stderr.fileno(), piece)
        elif ready:
            # Nothing is ever written to stdin: that it can be read means that it ended.
            return


def _say(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
