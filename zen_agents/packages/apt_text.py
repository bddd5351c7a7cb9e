"""What apt's commands print in the C locale, read strictly: a line that is not understood is never passed over silently."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Final, NamedTuple

_INSTALL: Final = re.compile(
    r"Inst (?P<name>\S+)(?: \[(?P<installed>[^]\s]+)\])? \((?P<wanted>\S+) (?:.*?)\[(?P<architecture>[a-z0-9-]+)\]\)"
)
_REMOVE: Final = re.compile(r"(?:Remv|Purg) (?P<name>\S+)(?: |$)")
_STEPS: Final = ("Inst ", "Remv ", "Purg ")
_PACKAGE: Final = re.compile(r"(?P<name>[a-z0-9][a-z0-9+.-]*(?::[a-z0-9-]+)?):")
_VERSION: Final = re.compile(r" (?P<is_installed>\*\*\*|   ) (?P<version>\S+) (?P<priority>-?\d+)(?: |$)")
_NONE: Final = "(none)"
_MOST_CHARACTERS: Final = 600


#: Name and version -> the fields that are known of that.
Records = Mapping[tuple[str, str], Mapping[str, str]]


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


def records(text: str) -> Records:
    """Return what `apt-cache show` says, by name and version; of fields that go on over several lines only the first."""
    found = {}
    for paragraph in text.split("\n\n"):
        lines = (line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] not in " \t")
        fields = {key: value.strip() for key, value in lines}
        if "Package" in fields and "Version" in fields:
            found[fields["Package"], fields["Version"]] = fields
    return found


def automatic(text: str) -> frozenset[str]:
    """Return what apt's file of extended states says was installed automatically, by `NAME` and `NAME:ARCHITECTURE`."""
    names = set()
    for paragraph in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line)
        if fields.get("Auto-Installed", "0").strip() == "1":
            name = fields.get("Package", "")
            names |= {name, f"{name}:{fields.get('Architecture', '')}"}
    return frozenset(names)


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
    rows = [found for line in lines if (found := _VERSION.match(line))]
    before = takewhile(lambda row: row["is_installed"] != "***", rows)
    # What a pin of less than zero forbids cannot be had.
    later = [row["version"] for row in before if int(row["priority"]) >= 0]
    installed, candidate = ("" if head[each] == _NONE else head[each] for each in ("Installed", "Candidate"))
    return Versions(name, installed, candidate, tuple(reversed(later)) if installed else ())
