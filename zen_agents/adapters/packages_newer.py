"""Which later versions can be had, as each ecosystem's own tool says. Nothing of an environment is run.

Python packages are asked of uv, with this interpreter over the directory of packages: to read what an environment has, uv
would otherwise run the environment's own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from zen_agents.adapters.worker_process import environment
from zen_agents.errors import ZenError
from zen_agents.packages.updates import Available

_WITHIN_SECONDS: Final = 120.0
_MOST_SAID: Final = 300


class NotAskedError(ZenError):
    """Which versions can be had could not be found out; the message says why. It is not known then, never "none"."""


def newer_python(place: Path, *, index: str = "", wheels: Sequence[str] = ()) -> Available:
    """Return the latest version of each package of a Python environment that is behind; raises NotAskedError."""
    found: list[Any] = []
    for site in _sites(place):
        argv = ["pip", "list", "--outdated", "--format", "json", "--target", str(site), "--python", sys.executable]
        found += _outdated(_uv([*argv, *_sources(index, wheels)]))
    return Available({name: (version,) for name, version in found})


def _sites(place: Path) -> Sequence[Path]:
    sites = sorted(place.glob("lib/python3*/site-packages"))
    if not sites:
        raise NotAskedError(f"{place} has no directory of packages")
    return sites


def _sources(index: str, wheels: Sequence[str]) -> list[str]:
    words = ["--no-config", "--no-cache", "--no-progress", "--no-python-downloads"]
    for directory in wheels:
        words += ["--find-links", directory]
    if index:
        words += ["--index-url", index]
    elif wheels:
        words.append("--no-index")
    return words


def _uv(words: Sequence[str]) -> bytes:
    program = Path(sys.executable).with_name("uv")
    if not program.exists():
        raise NotAskedError("uv is not installed, which is asked for later versions: pip install 'zen-agents[packages]'")
    try:
        ended = subprocess.run(
            [str(program), *words], capture_output=True, check=False, timeout=_WITHIN_SECONDS, env=environment(), cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotAskedError(f"uv did not answer: {error}") from error
    if ended.returncode != 0:
        raise NotAskedError(f"uv: {_said(ended.stderr)}")
    return ended.stdout


def _outdated(output: bytes) -> list[tuple[str, str]]:
    try:
        return [(str(each["name"]), str(each["latest_version"])) for each in json.loads(output)]
    except (ValueError, TypeError, KeyError) as error:
        raise NotAskedError("uv answered something else than a list of packages") from error


def _said(said: bytes) -> str:
    """Return what uv says went wrong, without how it began, on one line."""
    lines = said.decode("utf-8", "replace").splitlines()
    wrong = [line.strip() for line in lines if not line.startswith("Using Python")]
    return " ".join(wrong)[:_MOST_SAID] or "it failed without a word"
