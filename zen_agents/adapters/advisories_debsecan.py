"""Debian's security tracker, by the feed of each release: from an address, a directory of feeds, or one file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote

from zen_agents.adapters.advisories_cache import AdvisoryCache, Kept
from zen_agents.adapters.advisories_http import SourceUnavailableError, answer_of, is_address
from zen_agents.adapters.linux_view_reading import read_regular_file
from zen_agents.errors import HostError
from zen_agents.model.duration import duration
from zen_agents.packages.advisories.advisory import MalformedAdvisoryError
from zen_agents.packages.advisories.answer import Answer, Finding, Unknown
from zen_agents.packages.advisories.debsecan import Feed, feed_of
from zen_agents.packages.advisories.severity import Severity
from zen_agents.packages.package import Ecosystem, Package
from zen_agents.packages.versions.order import InvalidVersionError

_DEBIAN: Final = "debian"
#: Packed; the largest feed has a tenth of it.
_MOST_BYTES: Final = 64 << 20
_WITHIN_SECONDS: Final = 60.0


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
            feed, at, why = self._feed(suite)
        except (SourceUnavailableError, MalformedAdvisoryError) as error:
            unknown.append(Unknown(self._location, f"{error}; packages of Debian that stay unknown: {len(packages)}"))
            return None
        if why:
            unknown.append(Unknown(self._location, why))
        for package in packages:
            try:
                findings += [
                    Finding(
                        package, entry.id, frozenset(), Severity(entry.rating), entry.fixed_in(package), entry.summary,
                        self._location,
                    )
                    for entry in feed.of(package)
                    if entry.affects(package)
                ]  # fmt: skip
            except InvalidVersionError as error:
                unknown.append(Unknown(self._location, str(error), package))
        return at

    def _feed(self, suite: str) -> tuple[Feed, datetime, str]:
        """Return the feed, its age, and why it is an old one.

        Raises SourceUnavailableError or MalformedAdvisoryError if there is none.
        """
        if not suite and not Path(self._location).is_file():
            raise SourceUnavailableError("which release this is is not known; name it: --suite CODENAME")
        if not is_address(self._location):
            return *_read(Path(self._location), suite), ""
        url = f"{self._location.rstrip('/')}/{quote(suite, safe='')}"
        kept = self._cache.get(url, suite)
        if kept is not None and self._now - kept.at <= self._max_age:
            return _of_kept(kept)
        try:
            content = answer_of(url, until=time.monotonic() + _WITHIN_SECONDS, most_bytes=_MOST_BYTES)
            feed = _named(url, content)
        except (SourceUnavailableError, MalformedAdvisoryError) as error:
            if kept is None:
                raise
            age = duration((self._now - kept.at).total_seconds())
            return _of_kept(kept, f"{error}; it is told what was answered {age} ago")
        self._cache.put(url, [(suite, content)])
        return feed, self._now, ""


def _of_kept(kept: Kept, why: str = "") -> tuple[Feed, datetime, str]:
    return feed_of(kept.content), kept.at, why


def _named(place: str, content: bytes) -> Feed:
    try:
        return feed_of(content)
    except MalformedAdvisoryError as error:
        raise MalformedAdvisoryError(f"{place} {error}") from None


def _read(path: Path, suite: str) -> tuple[Feed, datetime]:
    place = path / suite if path.is_dir() else path
    try:
        read = read_regular_file(str(place.resolve()), limit=_MOST_BYTES + 1)
    except HostError as error:
        raise SourceUnavailableError(str(error)) from error
    if read is None:
        raise SourceUnavailableError(f"{place} is not there")
    return _named(str(place), read[0]), datetime.fromtimestamp(read[1].st_mtime, UTC)
