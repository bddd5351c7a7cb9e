"""Starts a worker where it can change nothing of this host, sees no network if it needs none, and outlives nobody."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final, TypeVar

from zen_agents.adapters.bounded_child import limits
from zen_agents.adapters.launcher import account_of
from zen_agents.adapters.worker_process import WorkerError, run_worker
from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError, RefusedError
from zen_agents.jobs.environment import RunsAs, Tools
from zen_agents.jobs.package_json import MalformedJobError, from_json, to_json
from zen_agents.model.environment import Environment

T = TypeVar("T")

_SCRIPT = Path(__file__).with_name("isolate.sh").read_text(encoding="ascii")
_NAMESPACES: Final = ("--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--ipc")
#: Who is not root makes itself a namespace in which it may mount, and still is who it is.
_OWN_USERS: Final = ("--user", "--map-current-user", "--keep-caps")
#: A small one of its own, see the script.
_SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108  # nosec B108  a mount of its own by then
#: What a wheel's largest file may have, and what is kept open at once.
_MOST_FILE_BYTES, _MOST_DESCRIPTORS = 4 << 30, 4096


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker runs."""

    #: A directory of its own, with `scratch` in it, and `env` where there is a copy.
    stage: Path
    #: What the copy stands for, and whether it may be written: `rw`, `ro`; `none` where there is no copy.
    access: str
    memory_bytes: int = 4 << 30
    #: A project over which a layer is put that may be written and is never kept; "" for none.
    project: str = ""


def tools_for(environment: Environment, place: Place, within_seconds: float) -> Tools:
    """Return what a worker is handed; RefusedError where it would run as root, HostError where uv is missing."""
    account = account_of(environment.user)
    if account.uid == 0:
        raise RefusedError(f"nothing of {environment.venv} runs as root: say whose it is by `user:` (R29)", reason="no_user")
    groups = tuple(os.getgrouplist(account.name, account.gid)) if os.geteuid() == 0 else ()
    runs_as = RunsAs(account.name, account.uid, account.gid, groups)
    copies = [*([environment.venv] if place.access == "rw" else []), *([place.project] if place.project else [])]
    writable = (str(place.stage), _SHARED_MEMORY, *copies)
    return Tools(runs_as, _uv(), str(place.stage), writable, within_seconds)


async def ask(module: str, request: object, reply: type[T], environment: Environment, place: Place, tools: Tools) -> T:
    """Have a worker do a job; HostError if nobody knows what came of it."""
    within = _within(environment, place, tools)
    try:
        text = await run_worker(module, to_json(request), timeout_seconds=tools.within_seconds, within=within)
        return from_json(text, reply)
    except (WorkerError, MalformedJobError) as error:
        raise HostError(str(error)) from error


def make_scratch(stage: Path, account: RunsAs) -> None:
    """Make the directory in which a worker may write."""
    scratch = stage / "scratch"
    scratch.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(scratch, account.uid, account.gid)


def _within(environment: Environment, place: Place, tools: Tools) -> list[str]:
    most = limits(memory_bytes=place.memory_bytes, cpu_seconds=int(tools.within_seconds) + 1)
    most |= {"fsize": _MOST_FILE_BYTES, "nofile": _MOST_DESCRIPTORS}
    namespaces = [*_NAMESPACES, *(["--net"] if environment.is_offline else []), *([] if os.geteuid() == 0 else _OWN_USERS)]
    given = [f"--{name}={value}" for name, value in most.items()]
    script = [
        "/bin/sh",
        "-c",
        _SCRIPT,
        "zen-agents-isolate",
        str(place.stage),
        environment.venv,
        place.access,
        place.project,
    ]
    return [
        _program("setpriv"), "--pdeathsig=KILL", "--", _program("prlimit"), *given, "--", _program("unshare"), *namespaces,
        "--", *script, _program("setpriv"), "--no-new-privs", "--",
    ]  # fmt: skip


def _uv() -> str:
    try:
        from uv import find_uv_bin  # noqa: PLC0415 - an extra, and only for who upgrades environments

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError) as error:
        raise HostError("uv is not installed, which this needs: pip install 'zen-agents[packages]'") from error


def _program(name: str) -> str:
    found = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")
    if found is None:
        raise HostError(f"{name} (package util-linux) is needed to try an upgrade")
    return found
