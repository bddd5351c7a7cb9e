"""Makes an upgrade in a copy of the root that is never kept: `python -m zen_agents.workers.debian_trial`.

Reads a `DebianTrial` as JSON and writes a `DebianTried`. The copy is an overlay of the running root whose changes are kept
in memory, in namespaces of its own: nothing in it is seen outside, and all of it is gone with the last process. What runs in
there has no network, no service manager, no device but the harmless ones, and few rights even as root.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from typing import Final

from zen_agents.adapters.apt_files import files_of, is_installed, programs_running
from zen_agents.adapters.apt_programs import ENVIRONMENT, AptError
from zen_agents.jobs.debian_trial import reply_from_json, reply_to_json, request_from_json, request_to_json
from zen_agents.model.debian_upgrade import DebianTrial, DebianTried
from zen_agents.workers.debian_trial_root import RootError, make_root
from zen_agents.workers.debian_trial_steps import try_upgrade

#: Of <linux/prctl.h>.
_PARENT_DEATH_SIGNAL: Final = 1
#: In its own namespaces already.
_INSIDE: Final = "inside"
_NEEDED: Final = ("unshare", "mount", "chroot", "setpriv", "ldd")
#: Its first process goes with whoever started it, and all others with that.
_NAMESPACES: Final = ("--mount", "--propagation=private", "--ipc", "--uts", "--pid", "--fork", "--kill-child=KILL")


def main() -> int:
    """Answer one request, in namespaces of its own."""
    _end_with_engine()
    request = sys.stdin.read()
    if sys.argv[1:] == [_INSIDE]:
        sys.stdout.write(reply_to_json(_inside(request)))
        return 0
    sys.stdout.write(reply_to_json(tried(request)))
    return 0


def _end_with_engine() -> None:
    """Have the kernel kill this process when who started it ends: a trial that nobody waits for is of no use."""
    ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def tried(request: str) -> DebianTried:
    """Return how the upgrade goes in a copy of the root; where none can be made, why."""
    if os.geteuid() != 0:
        return DebianTried(untried="a copy of the root needs root")
    if missing := [name for name in _NEEDED if shutil.which(name, path=ENVIRONMENT["PATH"]) is None]:
        return DebianTried(untried=f"a copy of the root needs {', '.join(missing)}")
    request = request_to_json(_with_programs(request_from_json(request)))
    itself = (sys.executable, "-P", "-B", "-m", __spec__.name, _INSIDE)
    ended = subprocess.run(
        ("setpriv", "--pdeathsig=KILL", "--", "unshare", *_NAMESPACES, "--", *itself),
        input=request,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": ENVIRONMENT["PATH"]},
    )
    if ended.returncode != 0:
        return DebianTried(untried=f"no copy of the root could be made: {ended.stderr.strip()[-500:]}")
    return reply_from_json(ended.stdout)


def _with_programs(asked: DebianTrial) -> DebianTrial:
    """Return the trial with what runs with the packages now: in the copy no process of the host is to be seen."""
    names = [each.partition("=")[0] for each in asked.installs]
    try:
        files = {path for name in names if is_installed(name) for path in files_of(name)}
        return replace(asked, programs=programs_running(files))
    except AptError:
        return asked


def _inside(request: str) -> DebianTried:
    asked = request_from_json(request)
    try:
        root = make_root(asked.most_bytes)
    except RootError as error:
        return DebianTried(untried=str(error))
    return try_upgrade(asked, root)


if __name__ == "__main__":
    sys.exit(main())
