"""What time daemons do with a clock that is off when they start: slew it, or step it."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from zen_agents.ports.host import HostView

#: systemd-timesyncd slews no more than this, and ntpd likewise (seconds).
_TIMESYNCD, _NTPD = 0.4, 0.128
_CHRONY = ("/etc/chrony/chrony.conf", "/etc/chrony.conf")
_BY_UNIT = {
    "systemd-timesyncd.service": _TIMESYNCD,
    "ntp.service": _NTPD,
    "ntpd.service": _NTPD,
    "ntpsec.service": _NTPD,
    "openntpd.service": inf,
}
#: Of a daemon that is not known anything may be expected.
_UNKNOWN = 0.0


def steps_above(unit: str, host: HostView) -> float:
    """Return the offset in seconds from which a daemon may step the clock when it starts; infinity: it only slews."""
    if unit in ("chrony.service", "chronyd.service"):
        return min(_chrony(host), default=inf)
    return _BY_UNIT.get(unit, _UNKNOWN)


def _chrony(host: HostView) -> Iterator[float]:
    """Yield each limit that chrony's configuration sets; HostError if it cannot be read."""
    main = next((path for path in _CHRONY if host.file(path) is not None), None)
    if main is None:
        yield _UNKNOWN
        return
    waiting, seen = [main], {main}
    while waiting:
        for line in host.read_text(waiting.pop(), limit=1 << 16).splitlines():
            words = line.split()
            match words[:1]:
                case ["makestep"] if len(words) > 2 and words[2] != "0":
                    yield _number(words[1])
                case ["initstepslew"] if len(words) > 1:
                    yield _number(words[1])
                case ["confdir"]:
                    new = {path for folder in words[1:] for path in _files(folder, host)} - seen
                    seen |= new
                    waiting += sorted(new)
                case ["include"]:
                    # A pattern of files: what is in them is not followed.
                    yield _UNKNOWN


def _files(folder: str, host: HostView) -> list[str]:
    if host.file(folder) is None:
        return []
    entries = host.list_directory(folder, limit=100)
    return [entry.path for entry in entries if entry.kind == "file" and entry.path.endswith(".conf")]


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return _UNKNOWN
