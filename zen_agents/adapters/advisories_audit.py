"""An audit: what places have installed, and what everybody who is asked says of it. Commands and workers call it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from zen_agents.adapters.advisories_cache import AdvisoryCache
from zen_agents.adapters.advisories_source import is_address
from zen_agents.adapters.packages_found import inventories
from zen_agents.dataclass import dataclass
from zen_agents.errors import ZenError
from zen_agents.packages.advisories.addresses import OSV, TRACKER
from zen_agents.packages.advisories.answer import AdvisorySource, Answer, Exploited, Told, Unknown, nobody
from zen_agents.packages.advisories.audit import Audit, Known, audited
from zen_agents.packages.advisories.ignoring import Ignore
from zen_agents.packages.advisories.vex import Statement
from zen_agents.packages.package import Ecosystem, Inventory, Package

MAX_AGE: Final = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Sources:
    """Whom to ask, each an address or a path; nobody is asked about what is not there."""

    #: The directory in which answers are kept, None for none.
    cache: Path | None
    #: Asked about Python and npm.
    osv: tuple[str, ...] = (OSV,)
    #: A registry that is asked about npm besides, "" for none.
    npm: str = ""
    #: Asked about Debian, "" for nobody.
    debsecan: str = TRACKER
    #: The release of Debian packages whose environment does not say which it is.
    suite: str = ""
    #: The catalogue of what is known to be exploited, "" for none.
    exploited: str = ""
    #: What was answered longer ago is asked again.
    max_age: timedelta = MAX_AGE


@dataclass(frozen=True, slots=True)
class Audited:
    """What came of it."""

    inventories: tuple[Inventory, ...]
    answers: tuple[Answer, ...]
    outcome: Audit
    #: Why answers were not kept, "" if they were.
    cache_problem: str

    @property
    def packages(self) -> tuple[Package, ...]:
        """Return every package that was found."""
        return tuple(package for inventory in self.inventories for package in inventory.packages)


def audit(
    places: Sequence[Path], sources: Sources, now: datetime, *, ignores: Sequence[Ignore] = (),
    statements: Sequence[Statement] = (), told: Told = nobody,
) -> Audited:  # fmt: skip
    """Look at absolute paths and ask about what they have; a place without packages is unknown, like all that is.

    Raises ModuleNotFoundError alone, if the extra `packages` is needed and not installed.
    """
    found: list[Inventory] = []
    unseen: list[Unknown] = []
    for place in places:
        try:
            found += inventories(place)
        except ZenError as error:
            unseen.append(Unknown(str(place), str(error)))
    return audit_of(found, sources, now, ignores=ignores, statements=statements, unseen=unseen, told=told)


def audit_of(
    found: Sequence[Inventory], sources: Sources, now: datetime, *, ignores: Sequence[Ignore] = (),
    statements: Sequence[Statement] = (), unseen: Sequence[Unknown] = (), told: Told = nobody,
) -> Audited:  # fmt: skip
    """Ask about what was found already; what an inventory could not tell is unknown."""
    packages = [package for inventory in found for package in inventory.packages]
    cache = AdvisoryCache(sources.cache, now)
    try:
        answers: list[Answer] = []
        asked = _asked(sources, packages, cache, now, told)
        for number, source in enumerate(asked, 1):
            told(f"asking source {number} of {len(asked)} about packages: {len(packages)}", 0, 0)
            answers.append(source.ask(packages))
        exploited: Mapping[str, Exploited] = {}
        if sources.exploited and any(answer.findings for answer in answers):
            from zen_agents.adapters.advisories_exploited import exploited_at  # noqa: PLC0415  where it is asked

            exploited, answer = exploited_at(_place(sources.exploited), cache, now, sources.max_age)
            answers.append(answer)
    finally:
        cache.close()
    unread = [Unknown(each.environment, str(problem)) for each in found for problem in each.problems]
    outcome = audited(packages, answers, Known(ignores, statements, exploited), now.date(), [*unseen, *unread])
    return Audited(tuple(found), tuple(answers), outcome, cache.problem)


def _asked(
    sources: Sources, packages: Sequence[Package], cache: AdvisoryCache, now: datetime, told: Told
) -> list[AdvisorySource]:  # fmt: skip
    """Make the sources that know these packages; the code of one that is not asked is not loaded."""
    ecosystems = {package.ecosystem for package in packages}
    made: list[AdvisorySource] = []
    if ecosystems - {Ecosystem.DEBIAN}:
        made += [_osv(place, cache, now, sources.max_age, told) for place in dict.fromkeys(sources.osv)]
    if sources.npm and Ecosystem.NPM in ecosystems:
        from zen_agents.adapters.advisories_npm import NpmRegistry  # noqa: PLC0415  as above

        made.append(NpmRegistry(sources.npm, cache, now, sources.max_age))
    if sources.debsecan and Ecosystem.DEBIAN in ecosystems:
        from zen_agents.adapters.advisories_debsecan import DebianTracker  # noqa: PLC0415  as above

        made.append(DebianTracker(_place(sources.debsecan), cache, now, sources.max_age, suite=sources.suite))
    return made


def _osv(place: str, cache: AdvisoryCache, now: datetime, max_age: timedelta, told: Told) -> AdvisorySource:
    if is_address(place):
        from zen_agents.adapters.advisories_osv import OsvApi  # noqa: PLC0415  as above

        return OsvApi(place, cache, now, max_age, told=told)
    from zen_agents.adapters.advisories_records import OsvRecords  # noqa: PLC0415  as above

    return OsvRecords(Path(_place(place)), told=told)


def _place(location: str) -> str:
    """Return an address as it is, a path in whole."""
    return location if is_address(location) else str(Path(location.removeprefix("file://")).absolute())
