"""The API of OSV: which advisories affect packages (`/v1/querybatch`), and what these say (`/v1/vulns/ID`)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from zen_agents.adapters.advisories_asking import known_of
from zen_agents.adapters.advisories_cache import AdvisoryCache
from zen_agents.adapters.advisories_source import SourceUnavailableError, answer_of
from zen_agents.dataclass import dataclass
from zen_agents.packages.advisories.advisory import Advisory, MalformedAdvisoryError
from zen_agents.packages.advisories.answer import Answer, Finding, Told, Unknown, nobody
from zen_agents.packages.advisories.matching import judge
from zen_agents.packages.advisories.osv import MOST_RECORD_BYTES, NAMES, RecordId, advisory_of
from zen_agents.packages.advisories.severity import Severity
from zen_agents.packages.package import Ecosystem, Package
from zen_agents.packages.versions.order import InvalidVersionError, key_of

#: One version has no more pages of advisories; a server that goes on is broken.
_MOST_PAGES: Final = 100
_MOST_LIST_BYTES: Final = 64 << 20
_AT_ONCE: Final = 8
_WITHIN_SECONDS: Final = 300.0


class _Listed(BaseModel):
    id: RecordId
    modified: str = ""


class _Result(BaseModel):
    vulns: list[_Listed] | None = []
    next_page_token: str | None = None


class _Batch(BaseModel):
    results: list[_Result | None]


@dataclass(frozen=True, slots=True)
class _Version:
    """What is asked about: the same version may lie in many environments."""

    ecosystem: Ecosystem
    name: str
    version: str

    @property
    def key(self) -> str:
        return f"{self.ecosystem}:{self.name}@{self.version}"

    def query(self, page: str) -> Mapping[str, object]:
        asked = {"package": {"ecosystem": NAMES[self.ecosystem], "name": self.name}, "version": self.version}
        return {**asked, "page_token": page} if page else asked


@dataclass(frozen=True, slots=True)
class _Known:
    """The advisories that affect a version, and when that was answered."""

    ids: Mapping[str, str]
    at: datetime


class OsvApi:
    """A server that speaks the API; what it answered in the last `max_age` is not asked again."""

    def __init__(
        self, url: str, cache: AdvisoryCache, now: datetime, max_age: timedelta, *, within_seconds: float = _WITHIN_SECONDS,
        told: Told = nobody,
    ) -> None:  # fmt: skip
        self._url, self._cache, self._now, self._max_age = url.rstrip("/"), cache, now, max_age
        self._within_seconds, self._told = within_seconds, told

    def ask(self, packages: Sequence[Package]) -> Answer:
        """See `AdvisorySource`. What the server lists affects a version, whatever the record says of versions."""
        unknown: list[Unknown] = []
        asked: dict[_Version, list[Package]] = {}
        for package in packages:
            if package.ecosystem in NAMES:
                if why := _unordered(package):
                    unknown.append(Unknown(self._url, why, package))
                else:
                    asked.setdefault(_Version(package.ecosystem, package.name, package.version), []).append(package)
        until = time.monotonic() + self._within_seconds
        known = self._known(asked, until, unknown)
        advisories = self._advisories(known.values(), until, unknown)
        findings = [
            self._finding(package, id, advisory)
            for version, answer in known.items()
            for id in answer.ids
            if not ((advisory := advisories.get(id)) and advisory.is_withdrawn)
            for package in asked[version]
        ]
        as_of = min((answer.at for answer in known.values()), default=None)
        return Answer(self._url, frozenset(NAMES), tuple(findings), tuple(unknown), as_of)

    # -- which advisories ---------------------------------------------------------------------------------------------
    def _known(self, asked: Iterable[_Version], until: float, unknown: list[Unknown]) -> dict[_Version, _Known]:
        known, why = known_of(
            asked, self._kept, lambda versions: self._listed(versions, until),
            now=self._now, max_age=self._max_age, untold="versions",
        )  # fmt: skip
        if why:
            unknown.append(Unknown(self._url, why))
        return known

    def _kept(self, version: _Version) -> _Known | None:
        if (kept := self._cache.get(self._url, version.key)) is None:
            return None
        try:
            return _Known(_ids(_Result.model_validate_json(kept.content)), kept.at)
        except ValidationError:
            return None

    def _listed(self, versions: Sequence[_Version], until: float) -> dict[_Version, _Known]:
        found: dict[_Version, dict[str, str]] = {version: {} for version in versions}
        pages = dict.fromkeys(versions, "")
        for _ in range(_MOST_PAGES):
            if not pages:
                break
            results = self._page(pages, until)
            for version, result in zip(pages, results, strict=True):
                found[version] |= _ids(result)
            pages = {
                version: result.next_page_token
                for version, result in zip(pages, results, strict=True)
                if result.next_page_token
            }
        else:
            raise SourceUnavailableError(f"{self._url} answers with more than {_MOST_PAGES} pages")
        self._cache.put(self._url, ((version.key, _as_result(ids)) for version, ids in found.items()))
        return {version: _Known(ids, self._now) for version, ids in found.items()}

    def _page(self, pages: Mapping[_Version, str], until: float) -> list[_Result]:
        url = f"{self._url}/v1/querybatch"
        body = json.dumps({"queries": [version.query(page) for version, page in pages.items()]}).encode()
        content = answer_of(url, until=until, most_bytes=_MOST_LIST_BYTES, body=body)
        try:
            results = [result or _Result() for result in _Batch.model_validate_json(content).results]
        except ValidationError:
            raise SourceUnavailableError(f"{url} does not answer as OSV does") from None
        if len(results) != len(pages):
            raise SourceUnavailableError(f"{url} answers {len(results)} of {len(pages)} questions")
        return results

    # -- what they say ------------------------------------------------------------------------------------------------
    def _advisories(self, known: Iterable[_Known], until: float, unknown: list[Unknown]) -> Mapping[str, Advisory]:
        wanted = {id: modified for each in known for id, modified in sorted(each.ids.items())}
        found = {id: read for id, modified in wanted.items() if modified and (read := self._kept_record(id, modified))}
        missing = [id for id in wanted if id not in found]
        answers = self._records(missing, until) if missing else []
        records = [(id, answer) for id, answer in zip(missing, answers, strict=True) if isinstance(answer, bytes)]
        failed = [str(answer) for answer in answers if isinstance(answer, SourceUnavailableError)]
        good = []
        for id, record in records:
            try:
                found[id] = advisory_of(record)
                good.append((_record_key(id, wanted[id]), record))
            except MalformedAdvisoryError as error:
                failed.append(f"{id} {error}")
        self._cache.put(self._url, good)
        if failed:
            unknown.append(
                Unknown(self._url, f"advisories that could not be read: {len(failed)} of {len(wanted)}; {failed[0]}")
            )
        return found

    def _kept_record(self, id: str, modified: str) -> Advisory | None:
        if (kept := self._cache.get(self._url, _record_key(id, modified))) is None:
            return None
        try:
            return advisory_of(kept.content)
        except MalformedAdvisoryError:
            return None

    def _records(self, ids: Sequence[str], until: float) -> list[bytes | SourceUnavailableError]:
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  where not all is known already

        answers = []
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for answer in threads.map(lambda id: self._record(id, until), ids):
                answers.append(answer)
                self._told("reading advisories", len(answers), len(ids))
        return answers

    def _record(self, id: str, until: float) -> bytes | SourceUnavailableError:
        try:
            return answer_of(f"{self._url}/v1/vulns/{quote(id, safe='')}", until=until, most_bytes=MOST_RECORD_BYTES)
        except SourceUnavailableError as error:
            return error

    def _finding(self, package: Package, id: str, advisory: Advisory | None) -> Finding:
        if advisory is None:
            return Finding(package, id, frozenset(), Severity(), "", "", self._url)
        names = (advisory.aliases | {advisory.id}) - {id}
        fixed_in = judge(package, advisory).fixed_in
        return Finding(package, id, names, advisory.severity, fixed_in, advisory.summary, self._url)


def _unordered(package: Package) -> str:
    """Return why a version cannot be asked about: the server would refuse all that are asked with it."""
    try:
        key_of(package.ecosystem)(package.version)
    except InvalidVersionError as error:
        return str(error)
    return ""


def _ids(result: _Result) -> dict[str, str]:
    return {each.id: each.modified for each in result.vulns or ()}


def _as_result(ids: Mapping[str, str]) -> bytes:
    return _Result(vulns=[_Listed(id=id, modified=modified) for id, modified in ids.items()]).model_dump_json().encode()


def _record_key(id: str, modified: str) -> str:
    return f"{id} {modified}"
