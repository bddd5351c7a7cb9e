"""Asks apt what could be upgraded, or what an upgrade would do: `python -m zen_agents.adapters.apt_look`.

Reads a `DebianQuestion` as JSON and writes a `DebianLook`. Nothing is changed but, where that is asked for, the package
lists. apt's own resolver decides, by a simulated run; what it prints is read strictly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from zen_agents.adapters.apt_files import files_of, units_of, units_running
from zen_agents.adapters.apt_programs import AptError, answer, run
from zen_agents.clock import SystemClock
from zen_agents.model.debian_upgrade import DebianCandidate, DebianChange, DebianLook, DebianQuestion
from zen_agents.packages.apt_text import (
    SimulatedInstall,
    UnreadableOutputError,
    Versions,
    refusal,
    simulated,
    versions,
)

_SECONDS, _REFRESH_SECONDS = 30.0, 300.0
#: More are told of no host.
_MOST_PACKAGES: Final = 2000
#: `NAME=VERSION` as dpkg takes it, with an architecture or without.
_WANTED: Final = re.compile(r"[a-z0-9][a-z0-9+.-]*(?::[a-z0-9-]+)?=[0-9A-Za-z][0-9A-Za-z.+~:-]*")
#: No recommended package comes along, no person's hold is passed over, nothing goes back: apt refuses what would need that.
SIMULATE: Final = ("apt-get", "--simulate", "--assume-yes", "--no-install-recommends", "install")
_REPACK: Final = "/usr/bin/dpkg-repack"
UNATTENDED: Final = Path("/usr/bin/unattended-upgrade")


def look(asked: DebianQuestion) -> DebianLook:
    """Return what apt says; what cannot be told is a problem."""
    try:
        problems = _refresh(asked.refresh_after_seconds) + _missing_lists()
        found = _upgrade(asked.wanted) if asked.wanted else DebianLook(candidates=_candidates())
        return _with(found, interrupted=_interrupted(), is_unattended=_is_unattended(), problems=problems)
    except (AptError, UnreadableOutputError, OSError) as error:
        return DebianLook(problems=(str(error),))


def _with(found: DebianLook, *, interrupted: str, is_unattended: bool, problems: tuple[str, ...]) -> DebianLook:
    return DebianLook(
        found.candidates, found.changes, found.adds, found.removes, found.phased, found.ships, found.restarts,
        found.refused, interrupted, is_unattended, problems,
    )  # fmt: skip


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
    with ThreadPoolExecutor(2) as asking:
        offered = asking.submit(_offered, names)
        auto = asking.submit(_auto, names)
        sources = asking.submit(_sources, names)
        phased = asking.submit(_phased, would.installs)
        files = {name: files_of(name) for name in (*names, *would.removes)}
    return DebianLook(
        changes=tuple(_change(each, sources.result(), offered.result().get(each.name), auto.result()) for each in upgrades),
        adds=tuple(f"{each.name} {each.wanted}" for each in would.installs if not each.installed),
        removes=would.removes,
        phased=phased.result(),
        ships=units_of(path for paths in files.values() for path in paths),
        restarts=units_running({path for name in names for path in files[name]}),
    )


def _change(
    found: SimulatedInstall, sources: Mapping[str, str], offered: Versions | None, auto: frozenset[str]
) -> DebianChange:
    kept = _kept_file(found)
    way_back = kept or ("archive" if offered and offered.offers_installed else "")
    way_back = way_back or ("repack" if Path(_REPACK).exists() else "")
    source = sources.get(_plain(found.name), _plain(found.name))
    is_auto = found.name in auto
    return DebianChange(found.name, found.installed, found.wanted, found.architecture, source, is_auto, way_back)


def _kept_file(found: SimulatedInstall) -> str:
    """Return the present .deb in apt's own cache, "" if it is not there; which it is, is compared before it is kept."""
    version = found.installed.replace(":", "%3a")
    folder = answer(("apt-config", "shell", "D", "Dir::Cache::archives/d"), _SECONDS).partition("=")[2].strip().strip("'")
    present = (Path(folder, f"{_plain(found.name)}_{version}_{each}.deb") for each in (found.architecture, "all"))
    return next((str(path) for path in present if path.is_file()), "")


def _offered(names: Sequence[str]) -> dict[str, Versions]:
    return {each.name: each for each in versions(answer(("apt-cache", "policy", *names), _SECONDS))} if names else {}


def _auto(names: Sequence[str]) -> frozenset[str]:
    return frozenset(answer(("apt-mark", "showauto", *names), _SECONDS).split()) if names else frozenset()


def _sources(names: Sequence[str]) -> dict[str, str]:
    shown = (
        answer(("dpkg-query", "--show", "--showformat=${Package} ${source:Package}\n", *names), _SECONDS) if names else ""
    )
    return dict(line.split(" ", 1) for line in shown.splitlines() if " " in line)


def _phased(installs: Sequence[SimulatedInstall]) -> tuple[str, ...]:
    if not installs:
        return ()
    shown = answer(("apt-cache", "show", *(f"{each.name}={each.wanted}" for each in installs)), _SECONDS)
    return tuple(_phases(shown))


def _phases(shown: str) -> Iterator[str]:
    name = ""
    for line in shown.splitlines():
        key, _, value = line.partition(": ")
        if key == "Package":
            name = value
        elif key == "Phased-Update-Percentage" and value.strip() != "100":
            yield f"{name}: {value.strip()} %"


# -- the state of apt and dpkg ----------------------------------------------------------------------------------------
def _refresh(after_seconds: float) -> tuple[str, ...]:
    """Fetch the package lists if they are older than that; return what could not be fetched."""
    if not after_seconds or _lists_age_seconds() < after_seconds:
        return ()
    ended = run(("apt-get", "update", "-o", "APT::Update::Error-Mode=any"), _REFRESH_SECONDS)
    return (f"the package lists could not be fetched: {refusal(ended.out + ended.error)}",) if ended.code else ()


def _lists_age_seconds() -> float:
    folder = answer(("apt-config", "shell", "D", "Dir::State::lists/d"), _SECONDS).partition("=")[2].strip().strip("'")
    # apt leaves the times of what the server has on the lists themselves; what it fetched changes the directory beside.
    times = [path.stat().st_mtime for path in (Path(folder), Path(folder, "partial")) if path.exists()]
    return SystemClock().now().wall.timestamp() - max(times) if times else float("inf")


def _missing_lists() -> tuple[str, ...]:
    """Return the sources of which no list of packages is there: what they offer is unknown."""
    wanted = "$(CREATED_BY)\t$(FILENAME)\t$(REPO_URI) $(RELEASE)"
    shown = answer(("apt-get", "indextargets", "--no-release-info", "--format", wanted), _SECONDS)
    lists = [line.split("\t")[1:] for line in shown.splitlines() if line.startswith("Packages\t")]
    fetched = {source for path, source in lists if _is_there(path)}
    missing = dict.fromkeys(source for _, source in lists if source not in fetched)
    return tuple(f"the list of {source.strip()} was never fetched; run: apt-get update" for source in missing)


def _is_there(path: str) -> bool:
    # Kept packed where the host says so.
    return any(Path(path + ending).exists() for ending in ("", ".lz4", ".xz", ".gz", ".zst"))


def _interrupted() -> str:
    """Return what dpkg began and did not finish, "" if there is nothing."""
    ended = run(("dpkg", "--audit"), _SECONDS)
    if ended.code != 0 or ended.out.strip():
        return " ".join((ended.out or ended.error).split())[:600] or "dpkg --audit failed"
    return ""


def _is_unattended() -> bool:
    """Tell whether unattended-upgrades is installed and switched on, as apt's daily job reads it."""
    said = answer(("apt-config", "shell", "U", "APT::Periodic::Unattended-Upgrade"), _SECONDS)
    interval = said.partition("=")[2].strip().strip("'")
    return interval not in ("", "0") and UNATTENDED.exists()
