"""Configuration of logrotate and tmpfiles.d: who covers a path, or an error of the host."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chaos.fuzz.given import joined, sections
from chaos.fuzz.promise import promise
from zen_agents.actions.coverage import logrotate_covers, logrotate_patterns, matches, tmpfiles_covers
from zen_agents.errors import HostError

SEEDS = (
    joined(
        b"include /etc/logrotate.d\n/var/log/app/*.log {\n weekly\n postrotate\n  x }\n endscript\n}\n",
        b"d /srv/tmp 1777 root root 10d\n",
    ),
    joined(b'"/var/log/a b.log" /var/log/app/app.log{\nrotate 4 }\n# "\n', b"x /srv/tmp\n# d\nD! /srv/tm? - - - 1w\n"),
    joined(b"/var/log/'odd {\n", b"q /srv/[a-z]* 0 0 0 30d -\n"),
    joined(b"{}}}{\n{{{{\n/a", b"d\nd \n\n"),
    joined(b"/var/log/app/[!a]pp.log {\n}\n/**/**/**/*a*a*a*a*b {", b""),
    joined(b"include /etc/logrotate.conf\n", b""),
)
WORDS = (
    b"/var/log/app/app.log",
    b"include ",
    b"postrotate\n",
    b"endscript\n",
    b"{\n",
    b"}\n",
    b"/srv/tmp",
    b"[!",
    b"**",
    b"10d",
)


@dataclass(frozen=True, slots=True)
class _Entry:
    path: str
    kind: str


class _Host:
    """A host on which both are installed, each with one configuration."""

    def __init__(self, logrotate: str, tmpfiles: str) -> None:
        self._texts = {"/etc/logrotate.conf": logrotate, "/etc/tmpfiles.d/a.conf": tmpfiles, "/usr/sbin/logrotate": ""}

    def file(self, path: str) -> _Entry | None:
        """Return what is there."""
        if path in self._texts:
            return _Entry(path, "file")
        return _Entry(path, "directory") if any(name.startswith(f"{path}/") for name in self._texts) else None

    def read_text(self, path: str, *, limit: int) -> str:
        """Return what is written there."""
        if path not in self._texts:
            raise HostError(f"{path} does not exist")
        return self._texts[path][:limit]

    def list_directory(self, path: str) -> Sequence[_Entry]:
        """Return the files below it."""
        return [_Entry(name, "file") for name in self._texts if name.startswith(f"{path}/")]

    def has_systemd(self) -> bool:
        """It runs."""
        return True


def fuzz(data: bytes) -> None:
    """Ask who covers a log and a directory of temporary files."""
    logrotate, tmpfiles = (part.decode("utf-8", "replace") for part in sections(data, 2))
    host: Any = _Host(logrotate, tmpfiles)
    with contextlib.suppress(HostError):
        covered = logrotate_covers("/var/log/app/app.log", host)
        promise(covered in ("", "/etc/logrotate.conf", "/etc/tmpfiles.d/a.conf", "/usr/sbin/logrotate"), covered)
    for pattern in logrotate_patterns(logrotate):
        promise(pattern.startswith("/"), f"the pattern {pattern!r} is no path")
        matches("/var/log/app/app.log", pattern)
    with contextlib.suppress(HostError):
        tmpfiles_covers("/srv/tmp", host)
