"""Who else takes care of a path: logrotate and systemd-tmpfiles. What they cover is told and left to them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from fnmatch import fnmatchcase

from zen_agents.errors import HostError
from zen_agents.ports.host import HostView

_LOGROTATE = ("/usr/sbin/logrotate", "/usr/bin/logrotate", "/sbin/logrotate")
_LOGROTATE_CONF = "/etc/logrotate.conf"
#: logrotate skips these endings of files in an included directory.
_SKIPPED = (".dpkg-old", ".dpkg-new", ".dpkg-dist", ".rpmsave", ".rpmorig", ".rpmnew", "~", ".bak", ".disabled", ",v")
_TMPFILES = ("/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/local/lib/tmpfiles.d", "/usr/lib/tmpfiles.d")
#: Line types of tmpfiles.d whose age is a cleaning rule, and those that take a path out of it.
_CLEANED, _TAKEN_OUT = frozenset("dDeqQvCxX"), frozenset("xX")


def logrotate_covers(path: str, host: HostView) -> str:
    """Return the file in which an installed logrotate is told to rotate this log, "" if none is.

    Raises HostError if a configuration is there and cannot be read: then nobody knows who rotates.
    """
    if not any(host.file(program) for program in _LOGROTATE):
        return ""
    for origin, text in _logrotate_files(host):
        if any(matches(path, pattern) for pattern in logrotate_patterns(text)):
            return origin
    return ""


def logrotate_patterns(text: str) -> tuple[str, ...]:
    """Return the paths and globs before each `{` of a logrotate configuration."""
    found: list[str] = []
    for line in _outside_blocks(text):
        head = line.split("{", 1)[0]
        if head.lstrip().startswith(("/", '"/', "'/")):
            try:
                found += shlex.split(head, comments=True)
            except ValueError:
                # An odd quote: take the words as they are, so that a path is rather covered than rotated twice.
                found += head.replace('"', " ").replace("'", " ").split()
    return tuple(pattern for pattern in found if pattern.startswith("/"))


def matches(path: str, pattern: str) -> bool:
    """Compare as glob(3) does: a wildcard stays within one component."""
    parts, patterns = path.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def tmpfiles_covers(path: str, host: HostView) -> str:
    """Return the tmpfiles.d file that has this directory cleaned by age, "" if none has; only where systemd runs."""
    if not host.has_systemd():
        return ""
    seen: set[str] = set()
    for directory in _TMPFILES:
        for file in _configurations(directory, host):
            name = file.rpartition("/")[2]
            if name in seen or not name.endswith(".conf"):
                continue
            seen.add(name)
            if _cleans(host.read_text(file, limit=1 << 20), path):
                return file
    return ""


def _cleans(text: str, path: str) -> bool:
    covered = False
    for line in text.splitlines():
        fields = line.split()
        if len(fields) < 2 or fields[0].startswith("#") or fields[0][0] not in _CLEANED:
            continue
        pattern = fields[1].rstrip("/") or "/"
        above = any(matches(top, pattern) for top in _upwards(path))
        if above and fields[0][0] in _TAKEN_OUT:
            return False
        covered = covered or (above and len(fields) > 5 and fields[5] not in ("-", "") and fields[0][0] not in _TAKEN_OUT)
    return covered


def _upwards(path: str) -> Iterator[str]:
    while path and path != "/":
        yield path
        path = path.rpartition("/")[0]


def _logrotate_files(host: HostView) -> Iterator[tuple[str, str]]:
    if host.file(_LOGROTATE_CONF) is None:
        return
    text = host.read_text(_LOGROTATE_CONF, limit=1 << 20)
    yield _LOGROTATE_CONF, text
    for match in re.finditer(r"^\s*include\s+(\S+)", text, re.MULTILINE):
        for file in _configurations(match[1].strip("\"'"), host):
            if not file.endswith(_SKIPPED):
                yield file, host.read_text(file, limit=1 << 20)


def _configurations(path: str, host: HostView) -> list[str]:
    """Return the files of a directory of configurations, or the one file itself."""
    state = host.file(path)
    if state is None:
        return []
    if state.kind == "file":
        return [path]
    if state.kind != "directory":
        raise HostError(f"{path} is a {state.kind}; what it configures cannot be told")
    return sorted(entry.path for entry in host.list_directory(path) if entry.kind == "file")


def _outside_blocks(text: str) -> Iterator[str]:
    depth = 0
    script = False
    for raw in text.splitlines():
        line = raw.strip()
        if script:
            script = line != "endscript"
            continue
        if depth == 0 and not line.startswith("#"):
            yield line
        elif line in ("prerotate", "postrotate", "firstaction", "lastaction", "preremove"):
            script = True
        if not line.startswith("#"):
            depth = max(0, depth + line.count("{") - line.count("}"))
