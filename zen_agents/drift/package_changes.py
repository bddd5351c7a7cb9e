"""What the package manager brought: which packages dpkg changed lately, and whether one of them has this file.

Its log is in local time and rotated, so the file before it is read too where the log is young.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from zen_agents.drift.declared import distrust
from zen_agents.ports.host import HostView

LOGS = ("/var/log/dpkg.log", "/var/log/dpkg.log.1")
_LISTS = "/var/lib/dpkg/info"
#: So much of a log is looked at (bytes): the upgrade of some thousand packages.
_MOST_BYTES = 1 << 20
#: What begins a change of a package, and the state that ends it.
_BEGINS, _DONE = frozenset({"install", "upgrade", "configure"}), "installed"
#: dpkg may know a file by its old place where /bin and others are links (bytes of its lists).
_MERGED = "/usr"


def changes(path: str, host: HostView, *, since: float) -> Iterator[tuple[float, float]]:
    """Yield from when to when dpkg changed a package that has this file, in seconds since the epoch, from `since` on.

    Logs and lists that others could have written say nothing.
    """
    spans: dict[str, tuple[float, float]] = {}
    for log in LOGS:
        for at, package, begins in _lines(log, host, since):
            first, last = spans.get(package, (at, at))
            if begins or package in spans:
                spans[package] = (min(first, at), max(last, at))
    for package, span in spans.items():
        if _has(package, path, host):
            yield span


def _lines(log: str, host: HostView, since: float) -> Iterator[tuple[float, str, bool]]:
    state = host.file(log)
    if state is None or state.modified < since or distrust(state, host):
        return
    for line in (host.content_end(log, _MOST_BYTES) or b"").decode("utf-8", "replace").splitlines():
        day, hour, what, *rest = (*line.split(), "", "", "")[:5]
        package = rest[0] if what in _BEGINS else rest[1] if (what, rest[0]) == ("status", _DONE) else ""
        at = _seconds(day, hour) if package else None
        if at is not None and at >= since:
            yield at, package, what in _BEGINS


def _seconds(day: str, hour: str) -> float | None:
    parts = (*day.split("-"), *hour.split(":"))
    if len(parts) != 6 or not all(part.isdecimal() for part in parts):
        return None
    year, month, of_month, of_day, minute, second = map(int, parts)
    try:
        return time.mktime((year, month, of_month, of_day, minute, second, 0, 0, -1))
    except (OverflowError, ValueError):
        # A day that no calendar has.
        return None


def _has(package: str, path: str, host: HostView) -> bool:
    name, _, architecture = package.partition(":")
    places = {path, path.removeprefix(_MERGED)} if path.startswith(f"{_MERGED}/") else {path}
    for listed in (f"{name}:{architecture}", name):
        if "/" in listed or (state := host.file(f"{_LISTS}/{listed}.list")) is None or distrust(state, host):
            continue
        lines = (host.content_end(state.path, _MOST_BYTES) or b"").decode("utf-8", "replace").splitlines()
        return not places.isdisjoint(lines)
    return False
