"""Which places `packages outdated`, `plan` and `why` are about, and what is known of each: a look at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from zen_agents.adapters.packages_found import inventories
from zen_agents.adapters.packages_look import look
from zen_agents.agents.dependency_manager.looking import Looked, looked_at
from zen_agents.cli.call import Call
from zen_agents.cli.progress import Progress
from zen_agents.cli.render import note
from zen_agents.cli.times import seconds_of
from zen_agents.clock import SystemClock
from zen_agents.dataclass import dataclass
from zen_agents.model.package_look import PackageLook, PackageQuestion
from zen_agents.packages.advisories.addresses import NPM, OSV, TRACKER
from zen_agents.packages.package import Ecosystem
from zen_agents.settings.finding import find_config
from zen_agents.settings.loader import load

_AGENT: Final = "dependency_manager"
_MOST_UNTOLD: Final = 20


@dataclass(frozen=True, slots=True)
class Seen:
    """One place, what it is called, and what is known of it."""

    #: As the configuration calls it; the path where it names none.
    label: str
    asked: PackageQuestion
    known: PackageLook


def seen(call: Call) -> list[Seen]:
    """Look at what was named by `-e`, else at what the configuration lists, else at this host."""
    places = [*(_named(call) if call.arguments.environment else _configured(call) or _host(call))]
    found = []
    with Progress(call) as shown:
        for number, (label, asked) in enumerate(places, 1):
            shown.show(f"looking at {asked.place}, {number} of {len(places)}", number / len(places))
            found.append(Seen(label, asked, look(asked, SystemClock().now().wall)))
    return found


def untold_of(place: Seen) -> Sequence[str]:
    """Return all that could not be told of a place."""
    return (*place.known.untold, *filter(None, (place.known.yanked_untold,)))


def tell_untold(places: Sequence[Seen]) -> None:
    """Say beside the answer what keeps it from being complete."""
    untold = [f"unknown: {each.label}: {why}" for each in places for why in untold_of(each)]
    for text in untold[:_MOST_UNTOLD]:
        note(text)
    if len(untold) > _MOST_UNTOLD:
        note(f"and {len(untold) - _MOST_UNTOLD} more; -o json has all")


def _named(call: Call) -> Iterator[tuple[str, PackageQuestion]]:
    paths = dict.fromkeys(Path(word).absolute() for word in call.arguments.environment)
    for inventory in (each for path in paths for each in inventories(path)):
        yield inventory.environment, _question(call, inventory.ecosystem, inventory.environment)


def _host(call: Call) -> list[tuple[str, PackageQuestion]]:
    return [("/", _question(call, Ecosystem.DEBIAN, "/"))]


def configured(call: Call) -> list[Looked]:
    """Return the places that the configuration lists."""
    path = find_config(call.arguments.config or "", os.environ, os.geteuid())
    settings = load([path], os.environ).require().agents.get(_AGENT) if path is not None else None
    return [] if settings is None else [*looked_at(settings, str(call.state_dir))]


def _configured(call: Call) -> list[tuple[str, PackageQuestion]]:
    # A command that looks fetches no package lists for this host.
    return [(each.label, replace(each.asked, refresh_after_seconds=0.0)) for each in configured(call)]


def _question(call: Call, ecosystem: Ecosystem, place: str) -> PackageQuestion:
    """Return what is asked of a place that no configuration describes, by the policy that the specification begins with."""
    wanted = call.arguments
    sources: dict[str, Any] = {
        Ecosystem.PYPI: {"index": wanted.index, "wheels": tuple(str(Path(each).absolute()) for each in wanted.wheels or ())},
        Ecosystem.NPM: {"index": wanted.npm or NPM},
        Ecosystem.DEBIAN: {},
    }[ecosystem]
    osv = tuple(each if "://" in each else str(Path(each).absolute()) for each in wanted.osv or (OSV,))
    return PackageQuestion(
        ecosystem.value, place, osv, wanted.debsecan or TRACKER, wanted.exploited,
        vex=tuple(str(path.absolute()) for path in wanted.vex or ()), npm=wanted.npm,
        cache_directory=str(call.state_dir), max_age_seconds=seconds_of(wanted.max_age), **sources,
    )  # fmt: skip
