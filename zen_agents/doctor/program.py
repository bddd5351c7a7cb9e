"""The program itself: its Python, its libraries, and how it is started and stopped."""

from __future__ import annotations

import grp
import importlib
import platform
import shlex
import sys
from pathlib import Path

import zen_agents
from zen_agents.adapters.control_access import OPS_GROUP, VIEW_GROUP
from zen_agents.doctor.examination import Finding, Site, State, fine, worst

#: The oldest Python that it runs on.
_OLDEST = (3, 11)
#: What it is built on, by the name under which it is imported; those with own machine code break with another Python.
_LIBRARIES = (
    "apscheduler", "psutil", "pydantic", "yaml", "tenacity", "pybreaker", "nacl.bindings", "sqlmodel", "alembic", "apprise",
)  # fmt: skip
_UNIT = "zen-agents.service"
_UNIT_FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
#: With this a configuration that is not valid is not tried again and again (its exit code is 78).
_NO_RESTART = "RestartPreventExitStatus=78"
_EMERGENCY_STOP = "/usr/local/sbin/zen-emergency-stop"


def python(_: Site) -> Finding:
    """Is this Python new enough, and does everything load with it?"""
    version = platform.python_version()
    if sys.version_info[:2] < _OLDEST:
        return Finding(State.FAILED, f"Python {version} is too old", "install Python 3.11 or newer, and zen-agents with it")
    missing = []
    for name in _LIBRARIES:
        try:
            importlib.import_module(name)
        except Exception as error:  # a library that is half there fails in its own ways
            missing.append(f"{name.partition('.')[0]} ({type(error).__name__})")
    if missing:
        how = f"install zen-agents anew with {sys.executable}"
        return Finding(State.FAILED, f"Python {version} cannot load {', '.join(missing)}", how)
    return fine(f"Python {version}, all {len(_LIBRARIES)} libraries load")


def unit(site: Site) -> Finding:
    """Does it start by itself after a reboot, with a Python that is still there?"""
    if not site.path("/run/systemd/system").is_dir():
        return fine("systemd does not run here; whoever starts it has to start it again")
    file = next((found for name in _UNIT_FOLDERS if (found := site.path(name) / _UNIT).is_file()), None)
    if file is None:
        return Finding(
            State.WARNING, f"there is no {_UNIT}: after a reboot it does not start by itself",
            "write a unit that runs: zen-agents run",
        )  # fmt: skip
    lines = [line.strip() for line in file.read_text(encoding="utf-8", errors="replace").splitlines()]
    program = next((line.partition("=")[2].lstrip("@-:+!") for line in lines if line.startswith("ExecStart=")), "")
    if gone := _gone(site, shlex.split(program)[:1]):
        return Finding(State.FAILED, f"{file}: {gone}", "install zen-agents anew there, or correct ExecStart=")
    if _NO_RESTART not in lines:
        return Finding(
            State.WARNING, f"{file} restarts it again and again with a configuration that is not valid",
            f"add {_NO_RESTART} to its [Service] section",
        )  # fmt: skip
    return fine(f"{file} starts it")


def _gone(site: Site, program: list[str]) -> str:
    """Return what of a program is not there any more; after an upgrade of the distribution that is often its Python."""
    if not program:
        return "it has no ExecStart="
    path = site.path(program[0])
    if not path.exists():
        return f"{program[0]} is not there"
    with path.open("rb") as file:
        first = file.readline(512)
    words = first[2:].decode("utf-8", "replace").split() if first.startswith(b"#!") else []
    return f"{words[0]}, the Python of {program[0]}, is not there any more" if words and _missing(site, words[0]) else ""


def _missing(site: Site, name: str) -> bool:
    return name.startswith("/") and not site.path(name).exists()


def emergency_stop(site: Site) -> Finding:
    """Can everything be stopped without Python?"""
    checkout = Path(zen_agents.__file__).parent.parent / "scripts" / "stop-agents.sh"
    if site.path(_EMERGENCY_STOP).exists():
        return fine(f"{_EMERGENCY_STOP} stops everything, also if zen-agents is broken")
    if checkout.exists():
        return fine(f"{checkout} --emergency stops everything, also if zen-agents is broken")
    return Finding(
        State.WARNING, "there is no script that stops everything if zen-agents is broken",
        f"link scripts/stop-agents.sh as {_EMERGENCY_STOP}",
    )  # fmt: skip


def groups(_: Site) -> Finding:
    """Are there groups for those who look and those who act?"""
    missing = [name for name in (VIEW_GROUP, OPS_GROUP) if not _is_group(name)]
    if missing:
        return fine(f"only root asks the engine (there is no group {' or '.join(missing)})")
    members = grp.getgrnam(OPS_GROUP).gr_mem
    text = f"{VIEW_GROUP} looks, {OPS_GROUP} acts ({len(members)} members)"
    return worst(
        [] if members else [Finding(State.WARNING, f"nobody is in {OPS_GROUP}", f"usermod -aG {OPS_GROUP} NAME")], text
    )


def _is_group(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True
