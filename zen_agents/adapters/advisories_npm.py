"""What `npm audit` goes by: the advisories of a registry, asked as npm asks and without it, so no `.npmrc` has a say."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from zen_agents.adapters.advisories_asking import known_of
from zen_agents.adapters.advisories_cache import AdvisoryCache
from zen_agents.adapters.advisories_source import SourceUnavailableError, answer_of
from zen_agents.dataclass import dataclass
from zen_agents.packages.advisories.advisory import MalformedAdvisoryError
from zen_agents.packages.advisories.answer import Answer, Finding, Unknown
from zen_agents.packages.advisories.npm import RegistryAdvisory, advisories_of, answered, asked_of, finding_of
from zen_agents.packages.package import Ecosystem, Package
from zen_agents.packages.versions.order import InvalidVersionError

_PLACE: Final = "/-/npm/v1/security/advisories/bulk"
_MOST_BYTES: Final = 64 << 20
_WITHIN_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class _Known:
    """The advisories about a package, and when that was answered."""

    advisories: Sequence[RegistryAdvisory]
    at: datetime


class NpmRegistry:
    """A registry at an address; what it answered in the last `max_age` is not asked again."""

    def __init__(self, url: str, cache: AdvisoryCache, now: datetime, max_age: timedelta) -> None:
        self._url, self._cache, self._now, self._max_age = url.rstrip("/"), cache, now, max_age

    def ask(self, packages: Sequence[Package]) -> Answer:
        """See `AdvisorySource`. Which versions an advisory is about is judged here, as npm judges it."""
        own = [package for package in packages if package.ecosystem is Ecosystem.NPM]
        unknown: list[Unknown] = []
        findings: list[Finding] = []
        known = self._known(asked_of(own), unknown)
        for package in own:
            for advisory in known[package.name].advisories if package.name in known else ():
                try:
                    found = finding_of(package, advisory, self._url)
                except InvalidVersionError as error:
                    unknown.append(Unknown(self._url, f"{advisory.name}: {error}", package))
                else:
                    findings += [found] if found else []
        as_of = min((each.at for each in known.values()), default=None)
        return Answer(self._url, frozenset({Ecosystem.NPM}), tuple(findings), tuple(unknown), as_of)

    def _known(self, asked: Mapping[str, Sequence[str]], unknown: list[Unknown]) -> dict[str, _Known]:
        until = time.monotonic() + _WITHIN_SECONDS
        known, why = known_of(
            asked, lambda name: self._kept(name, asked[name]),
            lambda names: self._answered({name: asked[name] for name in names}, until),
            now=self._now, max_age=self._max_age, untold="packages of npm",
        )  # fmt: skip
        if why:
            unknown.append(Unknown(self._url, why))
        return known

    def _answered(self, asked: Mapping[str, Sequence[str]], until: float) -> dict[str, _Known]:
        url = f"{self._url}{_PLACE}"
        content = answer_of(url, until=until, most_bytes=_MOST_BYTES, body=json.dumps(asked).encode())
        try:
            found = advisories_of(content)
        except MalformedAdvisoryError as error:
            raise SourceUnavailableError(f"{url} {error}") from None
        told = {name: found.get(name, ()) for name in asked}
        self._cache.put(
            self._url, ((_key(name, asked[name]), answered(name, advisories)) for name, advisories in told.items())
        )
        return {name: _Known(advisories, self._now) for name, advisories in told.items()}

    def _kept(self, name: str, versions: Sequence[str]) -> _Known | None:
        if (kept := self._cache.get(self._url, _key(name, versions))) is None:
            return None
        try:
            return _Known(advisories_of(kept.content).get(name, ()), kept.at)
        except MalformedAdvisoryError:
            return None


def _key(name: str, versions: Sequence[str]) -> str:
    return f"npm:{name}@{','.join(versions)}"
