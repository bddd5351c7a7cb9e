"""What apt's commands print in the C locale, read strictly: a line that is not understood is never passed over silently."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_INSTALL: Final = re.compile(
    r"Inst (?P<name>\S+)(?: \[(?P<installed>[^]\s]+)\])? \((?P<wanted>\S+) (?:.*?)\[(?P<architecture>[a-z0-9-]+)\]\)"
)
_REMOVE: Final = re.compile(r"(?:Remv|Purg) (?P<name>\S+)(?: |$)")
_STEPS: Final = ("Inst ", "Remv ", "Purg ")
_PACKAGE: Final = re.compile(r"(?P<name>[a-z0-9][a-z0-9+.-]*(?::[a-z0-9-]+)?):")
_VERSION: Final = re.compile(r" (?P<is_installed>\*\*\*|   ) (?P<version>\S+) (?P<priority>-?\d+)(?: |$)")
_SOURCE: Final = re.compile(r" {8} *-?\d+ (?P<source>\S.*)")
_NONE: Final = "(none)"
_MOST_CHARACTERS: Final = 600


class UnreadableOutputError(ValueError):
    """A command printed what it never prints; nothing can be told from it."""


class SimulatedInstall(NamedTuple):
    """One package that would be installed or upgraded."""

    name: str
    #: "" for one that is not there yet.
    installed: str
    wanted: str
    architecture: str


class Simulated(NamedTuple):
    """What `apt-get --simulate` would do, in its order."""

    installs: tuple[SimulatedInstall, ...]
    removes: tuple[str, ...]


class Versions(NamedTuple):
    """What `apt-cache policy` says of one package."""

    name: str
    #: "" if it is not installed.
    installed: str
    #: "" if there is none.
    candidate: str
    #: Later than the installed one, the earliest first.
    later: tuple[str, ...]
    #: Whether a package list still offers the installed one.
    offers_installed: bool


def simulated(text: str) -> Simulated:
    """Return what a simulated run would do; UnreadableOutputError for a step that is not understood."""
    installs, removes = [], []
    for line in text.splitlines():
        if not line.startswith(_STEPS):
            continue
        if found := _INSTALL.match(line):
            installs.append(
                SimulatedInstall(found["name"], found["installed"] or "", found["wanted"], found["architecture"])
            )
        elif gone := _REMOVE.match(line):
            removes.append(gone["name"])
        else:
            raise UnreadableOutputError(f"apt-get would do what is not understood: {line[:200]!r}")
    return Simulated(tuple(installs), tuple(removes))


def refusal(text: str) -> str:
    """Return why apt would not do something: its errors, and what it says of unmet dependencies; on one line."""
    lines = text.splitlines()
    errors = [line[2:].strip() for line in lines if line.startswith("E:")]
    unmet = [line.strip() for line in lines if re.match(r" \S+ : ", line)]
    return "; ".join([*unmet, *errors])[:_MOST_CHARACTERS] or "apt-get failed and did not say why"


def versions(text: str) -> tuple[Versions, ...]:
    """Return what `apt-cache policy` says of each package; UnreadableOutputError if it is another text."""
    return tuple(_versions(name, lines) for name, lines in _blocks(text))


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    name, lines = "", list[str]()
    for line in text.splitlines():
        if line.startswith(" "):
            lines.append(line)
            continue
        if name:
            yield name, lines
        found = _PACKAGE.fullmatch(line)
        if found is None:
            raise UnreadableOutputError(f"apt-cache names no package: {line[:200]!r}")
        name, lines = found["name"], []
    if name:
        yield name, lines


def _versions(name: str, lines: list[str]) -> Versions:
    head = dict(line.strip().split(": ", 1) for line in lines[:2] if ": " in line)
    if head.keys() != {"Installed", "Candidate"}:
        raise UnreadableOutputError(f"apt-cache does not say what is installed of {name}")
    later, offers, before, at_installed = [], False, True, False
    for line in lines:
        if found := _VERSION.match(line):
            at_installed = found["is_installed"] == "***"
            before = before and not at_installed
            # What a pin of less than zero forbids cannot be had.
            later += [found["version"]] if before and int(found["priority"]) >= 0 else []
        elif (source := _SOURCE.match(line)) and at_installed:
            offers = offers or not source["source"].endswith("/dpkg/status")
    installed, candidate = ("" if head[each] == _NONE else head[each] for each in ("Installed", "Candidate"))
    return Versions(name, installed, candidate, tuple(reversed(later)) if installed else (), offers)
