"""Which installed releases of Python packages their authors have withdrawn (yanked), as the index says.

By the simple API, in JSON or in HTML. What was answered is kept with the answers of advisory sources.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from zen_agents.adapters.advisories_asking import known_of
from zen_agents.adapters.advisories_cache import AdvisoryCache
from zen_agents.adapters.advisories_source import NotThereError, SourceUnavailableError, answer_of
from zen_agents.dataclass import dataclass
from zen_agents.model.package_look import Yanked
from zen_agents.packages.package import Package

_AT_ONCE: Final = 8
_MOST_BYTES: Final = 32 << 20
_WITHIN_SECONDS: Final = 60.0
_MOST_REASON: Final = 300
_ACCEPTS: Final = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"


class Withdrawn(NamedTuple):
    """What is known of that."""

    releases: tuple[Yanked, ...] = ()
    #: Why it is not known of all, "" if it is.
    untold: str = ""


NOTHING_WITHDRAWN: Final = Withdrawn()


@dataclass(frozen=True, slots=True)
class _Said:
    """Why a release was withdrawn, None if it was not; and when that was said."""

    reason: str | None
    at: datetime


def withdrawn(
    packages: Sequence[Package], index: str, cache: AdvisoryCache, now: datetime, max_age: timedelta
) -> Withdrawn:  # fmt: skip
    """Ask an index about installed releases; one that it does not have was not withdrawn there."""
    asked = {(each.name, each.version): each for each in packages}
    source, until = f"yanked:{_bare(index)}", time.monotonic() + _WITHIN_SECONDS

    def kept(key: tuple[str, str]) -> _Said | None:
        found = cache.get(source, "==".join(key))
        return _Said(json.loads(found.content), found.at) if found is not None else None

    def ask(keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], _Said]:
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            answers = [*zip(keys, threads.map(lambda key: _answer(index, key, until), keys), strict=True)]
        failed.extend(why for _, why in answers if isinstance(why, SourceUnavailableError))
        told = {key: why for key, why in answers if not isinstance(why, SourceUnavailableError)}
        cache.put(source, (("==".join(key), json.dumps(why).encode()) for key, why in told.items()))
        return {key: _Said(why, now) for key, why in told.items()}

    failed: list[SourceUnavailableError] = []
    known, _ = known_of(asked, kept, ask, now=now, max_age=max_age, untold="releases")
    found = (Yanked(*key, said.reason) for key, said in sorted(known.items()) if said.reason is not None)
    untold = f"which of {len(failed)} installed releases were withdrawn is not known: {failed[0]}" if failed else ""
    return Withdrawn(tuple(found), untold)


def _answer(index: str, release: tuple[str, str], until: float) -> str | SourceUnavailableError | None:
    try:
        return _reason(index, *release, until)
    except SourceUnavailableError as error:
        return error


def _reason(index: str, name: str, version: str, until: float) -> str | None:
    """Return why a release was withdrawn, None if it was not: it was if all of its files were."""
    url = f"{_bare(index).rstrip('/')}/{quote(name)}/"
    try:
        content = answer_of(url, until=until, most_bytes=_MOST_BYTES, headers={"Accept": _ACCEPTS, **_who_asks(index)})
    except NotThereError:
        return None
    reasons = [why for file, why in _files(url, content) if _is_of(file, version)]
    if not reasons or any(why is None for why in reasons):
        return None
    return next((why for why in reasons if why), "")[:_MOST_REASON]


def _files(url: str, content: bytes) -> Iterator[tuple[str, str | None]]:
    """Yield the name of each file, and why it was withdrawn: "" without a reason, None if it was not."""
    if not content.lstrip().startswith(b"{"):
        page = _Page()
        page.feed(content.decode("utf-8", "replace"))
        yield from page.files
        return
    try:
        for file in json.loads(content)["files"]:
            yanked = file.get("yanked", False)
            yield file["filename"], yanked if isinstance(yanked, str) else "" if yanked else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise SourceUnavailableError(f"{url} does not answer as an index does") from error


class _Page(HTMLParser):
    """The links of a page of an index."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        found = dict(attrs)
        if tag == "a" and found.get("href"):
            name = unquote(urlsplit(found["href"]).path.rpartition("/")[2])
            self.files.append((name, (found["data-yanked"] or "") if "data-yanked" in found else None))


def _is_of(file: str, version: str) -> bool:
    parse = parse_wheel_filename if file.endswith(".whl") else parse_sdist_filename
    try:
        return bool(parse(file)[1] == Version(version))
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return False


def _bare(index: str) -> str:
    """Return an address without who asks."""
    parts = urlsplit(index)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _who_asks(index: str) -> Mapping[str, str]:
    who = unquote(urlsplit(index).netloc.rpartition("@")[0])
    return {"Authorization": f"Basic {base64.b64encode(who.encode()).decode()}"} if who else {}
