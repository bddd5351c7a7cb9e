"""Asks apt what could be upgraded, or what an upgrade would do: `python -m zen_agents.adapters.apt_look`.

Reads a `DebianQuestion` as JSON and writes a `DebianLook`. Nothing is changed but, where that is asked for, the package
lists. apt's own resolver decides, by a simulated run; what it prints is read strictly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from zen_agents.adapters.apt_files import files_of, units_of, units_running
from zen_agents.adapters.apt_programs import AptError, answer, run
from zen_agents.adapters.apt_state import (
    answer_file,
    configured,
    interrupted,
    is_unattended,
    missing_lists,
    old_lists,
    refreshed,
)
from zen_agents.model.debian_upgrade import DebianCandidate, DebianChange, DebianLook, DebianQuestion
from zen_agents.packages.apt_text import (
    Records,
    SimulatedInstall,
    UnreadableOutputError,
    automatic,
    records,
    refusal,
    simulated,
    versions,
)

_SECONDS: Final = 30.0
#: More are told of no host.
_MOST_PACKAGES: Final = 2000
#: `NAME=VERSION` as dpkg takes it, with an architecture or without.
_WANTED: Final = re.compile(r"[a-z0-9][a-z0-9+.-]*(?::[a-z0-9-]+)?=[0-9A-Za-z][0-9A-Za-z.+~:-]*")
#: No recommended package comes along, no person's hold is passed over, nothing goes back: apt refuses what would need that.
SIMULATE: Final = ("apt-get", "--simulate", "--assume-yes", "--no-install-recommends", "install")
_REPACK: Final = "/usr/bin/dpkg-repack"


def look(asked: DebianQuestion) -> DebianLook:
    """Return what apt says; what cannot be told is a problem."""
    try:
        problems = refreshed(asked.refresh_after_seconds) + missing_lists()
        if asked.wanted:
            found = _upgrade(asked.wanted)
        else:
            found, problems = DebianLook(candidates=_candidates()), problems + old_lists()
        return replace(found, interrupted=interrupted(), is_unattended=is_unattended(), problems=problems)
    except (AptError, UnreadableOutputError, OSError) as error:
        return DebianLook(problems=(str(error),))


# -- what could be upgraded -------------------------------------------------------------------------------------------
def _candidates() -> tuple[DebianCandidate, ...]:
    shown = answer(("dpkg-query", "--show", "--showformat=${binary:Package} ${db:Status-Abbrev}\n"), _SECONDS)
    states = dict(line.split()[:2] for line in shown.splitlines() if len(line.split()) > 1)
    names = [name for name, state in states.items() if len(state) > 1 and state[1] not in "nc"]
    if not names:
        return ()
    held = {_plain(name) for name, state in states.items() if state.startswith("h")}
    offered = versions(answer(("apt-cache", "policy", *names), _SECONDS))
    found = [
        DebianCandidate(each.name, each.installed, each.candidate, each.later[-20:], _plain(each.name) in held)
        for each in offered
        if each.later
    ]
    return tuple(found[:_MOST_PACKAGES])


def _plain(name: str) -> str:
    """Return a name without the host's own architecture, which dpkg writes and apt does not."""
    return name.partition(":")[0]


# -- what an upgrade would do -----------------------------------------------------------------------------------------
def _upgrade(wanted: Sequence[str]) -> DebianLook:
    if odd := next((each for each in wanted if not _WANTED.fullmatch(each)), None):
        return DebianLook(refused=f"{odd[:100]!r} is no package with a version")
    ended = run((*SIMULATE, *wanted), _SECONDS)
    if ended.code != 0:
        return DebianLook(refused=refusal(ended.out + ended.error))
    would = simulated(ended.out)
    upgrades = [each for each in would.installs if each.installed]
    names = tuple(each.name for each in upgrades)
    known, auto = _records(would.installs), automatic(answer_file("Dir::State::extended_states/f"))
    files = {name: files_of(name) for name in (*names, *would.removes)}
    return DebianLook(
        changes=tuple(_change(each, known, auto) for each in upgrades),
        adds=tuple(f"{each.name} {each.wanted}" for each in would.installs if not each.installed),
        removes=would.removes,
        phased=tuple(_phased(would.installs, known)),
        ships=units_of(path for paths in files.values() for path in paths),
        restarts=units_running({path for name in names for path in files[name]}),
    )


def _change(found: SimulatedInstall, known: Records, auto: frozenset[str]) -> DebianChange:
    name = _plain(found.name)
    present = known.get((name, found.installed), {})
    # What only dpkg knows any more has no place in an archive.
    way_back = _kept_file(found) or ("archive" if "Filename" in present else "")
    way_back = way_back or ("repack" if Path(_REPACK).exists() else "")
    source = present.get("Source", name).partition(" ")[0]
    # What fits all architectures is marked under the host's own.
    is_auto = (name if found.architecture == "all" else f"{name}:{found.architecture}") in auto
    return DebianChange(found.name, found.installed, found.wanted, found.architecture, source, is_auto, way_back)


def _kept_file(found: SimulatedInstall) -> str:
    """Return the present .deb in apt's own cache, "" if it is not there; which it is, is compared before it is kept."""
    version = found.installed.replace(":", "%3a")
    folder = configured("Dir::Cache::archives/d")
    present = (Path(folder, f"{_plain(found.name)}_{version}_{each}.deb") for each in (found.architecture, "all"))
    return next((str(path) for path in present if path.is_file()), "")


def _records(installs: Sequence[SimulatedInstall]) -> Records:
    """Return what apt knows of the versions that would be installed, and of those that are there."""
    names = [f"{each.name}={version}" for each in installs for version in (each.wanted, each.installed) if version]
    return records(answer(("apt-cache", "show", *names), _SECONDS)) if names else {}


def _phased(installs: Sequence[SimulatedInstall], known: Records) -> Iterator[str]:
    for each in installs:
        percent = known.get((_plain(each.name), each.wanted), {}).get("Phased-Update-Percentage", "100")
        if percent != "100":
            yield f"{each.name}: {percent} %"
