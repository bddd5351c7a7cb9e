"""Debian's security tracker, by the feed of each release: from an address, a directory of feeds, or one file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote

from zen_agents.adapters.advisories_cache import AdvisoryCache
from zen_agents.adapters.advisories_place import Fetched, fetched
from zen_agents.adapters.advisories_source import SourceUnavailableError, is_address
from zen_agents.packages.advisories.advisory import MalformedAdvisoryError
from zen_agents.packages.advisories.answer import Answer, Finding, Unknown
from zen_agents.packages.advisories.debsecan import Feed, feed_of
from zen_agents.packages.advisories.severity import Severity
from zen_agents.packages.package import Ecosystem, Package
from zen_agents.packages.versions.order import InvalidVersionError

_DEBIAN: Final = "debian"


class DebianTracker:
    """The feeds at one place. `suite` is the release of packages whose environment does not say which it is."""

    def __init__(self, location: str, cache: AdvisoryCache, now: datetime, max_age: timedelta, *, suite: str = "") -> None:
        self._location, self._cache, self._now, self._max_age = location, cache, now, max_age
        self._suite = suite

    def ask(self, packages: Sequence[Package]) -> Answer:
        """See `AdvisorySource`."""
        by_suite: dict[str, list[Package]] = {}
        unknown: list[Unknown] = []
        strange: dict[str, int] = {}
        for package in packages:
            if package.ecosystem is not Ecosystem.DEBIAN:
                continue
            name = package.distribution.name or _DEBIAN
            if name != _DEBIAN:
                strange[name] = strange.get(name, 0) + 1
            else:
                by_suite.setdefault(self._suite or package.distribution.release, []).append(package)
        for name, count in strange.items():
            unknown.append(Unknown(self._location, f"tells of Debian alone; packages of {name} that stay unknown: {count}"))
        findings: list[Finding] = []
        ages = [self._ask(suite, of_it, findings, unknown) for suite, of_it in by_suite.items()]
        as_of = min((at for at in ages if at is not None), default=None)
        return Answer(self._location, frozenset({Ecosystem.DEBIAN}), tuple(findings), tuple(unknown), as_of)

    def _ask(
        self, suite: str, packages: Sequence[Package], findings: list[Finding], unknown: list[Unknown]
    ) -> datetime | None:
        try:
            found = self._feed(suite)
        except (SourceUnavailableError, MalformedAdvisoryError) as error:
            unknown.append(Unknown(self._location, f"{error}; packages of Debian that stay unknown: {len(packages)}"))
            return None
        if found.why:
            unknown.append(Unknown(self._location, found.why))
        for package in packages:
            try:
                findings += [
                    Finding(
                        package, entry.id, frozenset(), Severity(entry.rating), entry.fixed_in(package), entry.summary,
                        self._location,
                    )
                    for entry in found.content.of(package)
                    if entry.affects(package)
                ]  # fmt: skip
            except InvalidVersionError as error:
                unknown.append(Unknown(self._location, str(error), package))
        return found.at

    def _feed(self, suite: str) -> Fetched[Feed]:
        """Return the feed; raises SourceUnavailableError or MalformedAdvisoryError if there is none."""
        is_file = not is_address(self._location) and not Path(self._location).is_dir()
        if not suite and not is_file:
            raise SourceUnavailableError("which release this is is not known; name it: --suite CODENAME")
        place = self._location if is_file else f"{self._location.rstrip('/')}/{quote(suite, safe='')}"
        return fetched(place, feed_of, self._cache, self._now, self._max_age)
