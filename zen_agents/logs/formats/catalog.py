"""All formats by name, and which one a log is written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from zen_agents.logs.formats.access import Access
from zen_agents.logs.formats.base import Format
from zen_agents.logs.formats.json_lines import JsonLines
from zen_agents.logs.formats.logfmt import Logfmt
from zen_agents.logs.formats.plain import Plain
from zen_agents.logs.formats.syslog import NewSyslog, Syslog
from zen_agents.logs.stamps import Stamps

#: In the order in which they are tried: one that demands more comes before one that reads more.
FORMATS: Mapping[str, Callable[[], Format]] = {
    kind.name: kind for kind in (JsonLines, NewSyslog, Access, Syslog, Logfmt, Plain)
}
#: So many lines of a log tell its format, and so many of a hundred must be written in it: others get in between.
SAMPLE_LINES = 200
_OF_A_HUNDRED = 70


def made(name: str, *, time_key: str = "", security: bool = False) -> Format:
    """Return a format by its name; with `security`, what lines tell of log-ins and privileges is among their fields."""
    form = JsonLines(time_key) if name == JsonLines.name else FORMATS[name]()
    if not security:
        return form
    from zen_agents.logs.security.understood import Understood  # noqa: PLC0415 - only for whoever asks for it

    return Understood(form)


def detected(sample: Sequence[str], stamps: Stamps) -> Format:
    """Return the format in which most of these lines are written, the one that demands most if several; plain if none."""
    lines = [line for line in sample[:SAMPLE_LINES] if line.strip()]
    for make in FORMATS.values():
        candidate = make()
        read = sum(candidate.find(line, stamps) is not None for line in lines)
        if lines and read * 100 >= len(lines) * _OF_A_HUNDRED:
            return candidate
    return Plain()
