"""Which version of an npm package is the latest, as a registry says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import quote

from zen_agents.adapters.advisories_source import SourceUnavailableError, answer_of
from zen_agents.adapters.packages_newer import NotAskedError
from zen_agents.packages.updates import Available

_AT_ONCE: Final = 8
_MOST_BYTES: Final = 4 << 20
_WITHIN_SECONDS: Final = 120.0


def newer_npm(names: Iterable[str], registry: str) -> Available:
    """Return the version that a registry calls the latest of each package; NotAskedError if it cannot be asked of one."""
    wanted, until = sorted(set(names)), time.monotonic() + _WITHIN_SECONDS
    try:
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            latest = list(threads.map(lambda name: _latest(registry, name, until), wanted))
    except SourceUnavailableError as error:
        raise NotAskedError(str(error)) from error
    return Available({name: (version,) for name, version in zip(wanted, latest, strict=True)})


def _latest(registry: str, name: str, until: float) -> str:
    url = f"{registry.rstrip('/')}/{quote(name, safe='@')}/latest"
    try:
        version = json.loads(answer_of(url, until=until, most_bytes=_MOST_BYTES))["version"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise SourceUnavailableError(f"{url} does not answer as a registry of npm does") from error
    if not isinstance(version, str):
        raise SourceUnavailableError(f"{url} does not answer as a registry of npm does")
    return version
