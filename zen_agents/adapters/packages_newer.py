"""Which later versions can be had, as each ecosystem's own tool says. Nothing of an environment is run.

Python packages are asked of uv, with this interpreter over the directory of packages: to read what an environment has, uv
would otherwise run the environment's own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from zen_agents.adapters.worker_process import environment
from zen_agents.errors import ZenError
from zen_agents.packages.package import Ecosystem, normal_name
from zen_agents.packages.plan import UpdateKind, kind_of, next_series
from zen_agents.packages.updates import Available
from zen_agents.packages.versions.order import InvalidVersionError

_WITHIN_SECONDS: Final = 120.0
_MOST_SAID: Final = 300
_AT_ONCE: Final = 4


class NotAskedError(ZenError):
    """Which versions can be had could not be found out; the message says why. It is not known then, never "none"."""


class _Behind(NamedTuple):
    """A package that is behind."""

    name: str
    installed: str
    latest: str


def newer_python(place: Path, *, index: str = "", wheels: Sequence[str] = ()) -> Available:
    """Return the latest version of each package of a Python environment that is behind, and the one before a major step.

    Raises NotAskedError.
    """
    found, smaller = list[_Behind](), dict[str, str]()
    for site in _sites(place):
        argv = ["pip", "list", "--outdated", "--format", "json", "--target", str(site), "--python", sys.executable]
        behind = _outdated(_uv([*argv, *_sources(index, wheels)]))
        python = site.parent.name.removeprefix("python")
        smaller |= _before_major([each for each in behind if _is_major(each)], python, _sources(index, wheels))
        found += behind
    return Available({each.name: (*filter(None, (smaller.get(each.name),)), each.latest) for each in found})


def _is_major(behind: _Behind) -> bool:
    return kind_of(Ecosystem.PYPI, behind.installed, behind.latest, is_fix=False) is UpdateKind.MAJOR


def _before_major(behind: Sequence[_Behind], python: str, sources: Sequence[str]) -> dict[str, str]:
    """Return the latest versions to which a step is no major one, as uv says; what fails together is asked one by one."""
    asked = [line for each in behind if (line := _series_of(each))]
    if not asked:
        return {}
    try:
        return _resolved(asked, python, sources)
    except NotAskedError:
        if len(asked) == 1:
            return {}
    # One that the index does not have any more keeps the others from being told.
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        alone = threads.map(lambda each: _before_major([each], python, sources), behind)
        return {name: version for told in alone for name, version in told.items()}


def _series_of(behind: _Behind) -> str:
    """Return what is asked for: versions from the installed one on that are no major step; "" if it has no order."""
    try:
        return f"{behind.name}>={behind.installed},<{next_series(Ecosystem.PYPI, behind.installed)}"
    except InvalidVersionError:
        return ""


def _resolved(asked: Sequence[str], python: str, sources: Sequence[str]) -> dict[str, str]:
    argv = ["pip", "compile", "-", "--no-deps", "--no-header", "--no-annotate", "--quiet", "--python", sys.executable]
    said = _uv([*argv, "--python-version", python, *sources], given="\n".join(asked)).decode("utf-8", "replace")
    pins = (line.partition(" ")[0].split("==") for line in said.splitlines() if "==" in line)
    return {normal_name(Ecosystem.PYPI, name): version for name, version in pins}


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


def _uv(words: Sequence[str], *, given: str = "") -> bytes:
    program = Path(sys.executable).with_name("uv")
    if not program.exists():
        raise NotAskedError("uv is not installed, which is asked for later versions: pip install 'zen-agents[packages]'")
    try:
        ended = subprocess.run(
            [str(program), *words], input=given.encode(), capture_output=True, check=False, timeout=_WITHIN_SECONDS,
            env=environment(), cwd="/",
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotAskedError(f"uv did not answer: {error}") from error
    if ended.returncode != 0:
        raise NotAskedError(f"uv: {_said(ended.stderr)}")
    return ended.stdout


def _outdated(output: bytes) -> list[_Behind]:
    try:
        rows = [(str(each["name"]), str(each["version"]), str(each["latest_version"])) for each in json.loads(output)]
        return [_Behind(normal_name(Ecosystem.PYPI, name), *versions) for name, *versions in rows]
    except (ValueError, TypeError, KeyError) as error:
        raise NotAskedError("uv answered something else than a list of packages") from error


def _said(said: bytes) -> str:
    """Return what uv says went wrong, without how it began, on one line."""
    lines = said.decode("utf-8", "replace").splitlines()
    wrong = [line.strip() for line in lines if not line.startswith("Using Python")]
    return " ".join(wrong)[:_MOST_SAID] or "it failed without a word"
