"""A real environment with a weak package, wheels of what would mend it, and the real action that upgrades it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from tests.support.wheelhouse import freeze, make_environment, python_for_all, uv_lock, write_wheel
from zen_agents.actions.upgrade_python_packages import UpgradePythonPackages
from zen_agents.actions.upgrade_python_params import UpgradePythonParams
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.linux_control import LinuxControl, LinuxControls
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.clock import SystemClock
from zen_agents.model.action import ActionRequest, Effect, Intent, Plan
from zen_agents.model.environment import Pin, Trial

ID = "act-aaaaaa"


@cache
def why_no_trials() -> str:
    """Return why upgrades cannot be tried on this machine, "" if they can."""
    who = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    asked = [
        "unshare",
        *who,
        "--mount",
        "--pid",
        "--fork",
        "--mount-proc",
        "--net",
        "mount",
        "-t",
        "tmpfs",
        "none",
        "/dev/shm",
    ]
    try:
        done = subprocess.run(asked, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"unshare (util-linux) cannot be run: {error}"
    if done.returncode != 0:
        return f"namespaces cannot be made here: {done.stderr.decode(errors='replace').strip()}"
    return "" if python_for_all() else "root has no python3 here that other accounts may run"


class UpgradeSite:
    """An application that needs acme-lib, of which 1.0 is installed and weak, and 1.2 is not."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.wheels, self.venv = directory, directory / "wheels", directory / "venv"
        self.state, self.osv = directory / "state", directory / "osv"
        self.action = UpgradePythonPackages()
        self.host = LinuxHost(self.state)

    @classmethod
    def made(cls, directory: Path) -> UpgradeSite:
        """Make one."""
        site = cls(directory)
        site.make()
        return site

    def make(self) -> None:
        """Write the wheels, the environment, and what is known of it."""
        for version in ("1.0", "1.2"):
            self.write_lib(version)
        write_wheel(self.wheels, "app", "1.0", needs=["acme-lib"], modules={"app.py": "import acme_lib\n"})
        make_environment(self.venv, self.wheels, ["acme-lib==1.0", "app==1.0"])
        self.state.mkdir(mode=0o700)
        self.osv.mkdir()
        self.advise("acme-lib", "1.1")
        self.before = freeze(self.venv)

    #: What the environment held at the beginning.
    before = b""

    def write_lib(self, version: str, source: str = "", needs: Sequence[str] = ()) -> Path:
        """Write a version of the library, which has a command too."""
        modules = {"acme_lib.py": source or f"VERSION = {version!r}\n\n\ndef main() -> None:\n    print(VERSION)\n"}
        scripts = {"acme": "acme_lib:main"}
        return write_wheel(self.wheels, "Acme.Lib", version, needs=needs, modules=modules, scripts=scripts)

    def advise(self, name: str, fixed: str) -> None:
        """Leave an advisory about all versions of a package before `fixed`."""
        span = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}
        affected = [{"package": {"ecosystem": "PyPI", "name": name}, "ranges": [span]}]
        record = {"id": f"A-{name}", "modified": "2026-01-01T00:00:00Z", "summary": "weak", "affected": affected}
        (self.osv / f"A-{name}.json").write_text(json.dumps(record))

    def lock_project(self, *lines: str, from_where: Sequence[str] = ()) -> Path:
        """Lock a project that asks for the library, while 1.0 is all that there is of it; return its lock."""
        folder = self.directory / "project"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        asks = "[project]\nname = 'site'\nversion = '1'\nrequires-python = '>=3.8'\ndependencies = ['app', 'acme-lib<2']\n"
        settings = lines or (f"[tool.uv]\nfind-links = ['{self.wheels}']\nno-index = true",)
        (folder / "pyproject.toml").write_text("\n".join((asks, *settings, "")))
        later = self.wheels / "acme_lib-1.2-py3-none-any.whl"
        content = later.read_bytes()
        later.unlink()
        uv_lock(folder, *from_where)
        later.write_bytes(content)
        return folder / "uv.lock"

    def params(self, **more: Any) -> Mapping[str, Any]:
        """Return the action's parameters for this environment."""
        own = {
            "environment": "app", "venv": str(self.venv), "wheels": [str(self.wheels)], "osv": [str(self.osv)],
            "cache_directory": str(self.state), "user": "nobody" if os.geteuid() == 0 else "", "bake_seconds": 0.0,
        }  # fmt: skip
        return {**own, **more}

    async def plan(self, **more: Any) -> Plan:
        """Have the action plan, as the engine does: in a thread."""
        request = ActionRequest(self.action.name, "environment:app", self.params(**more))
        return await asyncio.to_thread(self.action.plan, request, self.host.look())

    def controls(self) -> LinuxControls:
        """Return the real way to change this host."""
        flag = EmergencyFlag(self.state)
        return LinuxControls(self.host, state_dir=self.state, flag=flag, clock=SystemClock())

    def control(self, id: str = ID) -> LinuxControl:
        """Return the control of one intent."""
        return self.controls()(cast(Intent, SimpleNamespace(id=id)))

    async def act(self, **more: Any) -> Effect:
        """Plan and execute."""
        return await self.action.execute(await self.plan(**more), self.control())

    def trial(self, plan: Plan) -> Trial:
        """Return what a plan would have tried."""
        pins = tuple(Pin(each["name"], each["version"], tuple(each["hashes"])) for each in plan.detail["pins"])
        return Trial(UpgradePythonParams.model_validate(dict(self.params())).source, plan.detail["freeze"], pins)

    def is_as_before(self) -> bool:
        """Tell whether the environment holds, byte for byte, what it held at the beginning, and works."""
        return freeze(self.venv) == self.before and self.says(["acme"]) == "1.0"

    def says(self, words: Sequence[str]) -> str:
        """Return what a command of the environment prints."""
        argv = [f"{self.venv}/bin/{words[0]}", *words[1:]]
        return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=20).stdout.strip()

    def left_beside(self) -> list[str]:
        """Return what of a stage lies beside the environment, and which notes there are."""
        stages = [path.name for path in self.directory.iterdir() if path.name.startswith(".venv.")]
        return sorted([*stages, *(path.name for path in (self.state / "environments").glob("*"))])


@contextmanager
def upgrade_site() -> Iterator[UpgradeSite]:
    """Make a site in a directory that every account may enter."""
    directory = Path(tempfile.mkdtemp(prefix="zen-agents-test-"))
    directory.chmod(0o755)
    try:
        yield UpgradeSite.made(directory)
    finally:
        shutil.rmtree(directory)
