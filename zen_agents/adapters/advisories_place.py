"""What lies whole at one place, an address or a file: kept with its age, and told as old where the place is gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Generic, TypeVar

from zen_agents.adapters.advisories_cache import AdvisoryCache, Kept
from zen_agents.adapters.advisories_source import SourceUnavailableError, answer_of, is_address
from zen_agents.adapters.linux_view_reading import read_regular_file
from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError
from zen_agents.model.duration import duration
from zen_agents.packages.advisories.advisory import MalformedAdvisoryError

#: The largest feed, packed, has a tenth of it.
_MOST_BYTES: Final = 64 << 20
_WITHIN_SECONDS: Final = 60.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fetched(Generic[T]):
    """What a place holds, since when, and why it is an old answer, "" if it is none."""

    content: T
    at: datetime
    why: str = ""


def fetched(
    location: str, read: Callable[[bytes], T], cache: AdvisoryCache, now: datetime, max_age: timedelta
) -> Fetched[T]:  # fmt: skip
    """Return what `read` makes of what lies at an address or a path.

    Raises SourceUnavailableError, or MalformedAdvisoryError as `read` does, if there is neither that nor an old answer.
    """
    if not is_address(location):
        return _of_file(Path(location), read)
    kept = _kept(cache.get(location, ""), read)
    if kept is not None and now - kept.at <= max_age:
        return kept
    try:
        content = answer_of(location, until=time.monotonic() + _WITHIN_SECONDS, most_bytes=_MOST_BYTES)
        made = _named(location, content, read)
    except (SourceUnavailableError, MalformedAdvisoryError) as error:
        if kept is None:
            raise
        age = duration((now - kept.at).total_seconds())
        return Fetched(kept.content, kept.at, f"{error}; it is told what was answered {age} ago")
    cache.put(location, [("", content)])
    return Fetched(made, now)


def _kept(kept: Kept | None, read: Callable[[bytes], T]) -> Fetched[T] | None:
    """Return what was kept; what cannot be read any more was not."""
    try:
        return Fetched(read(kept.content), kept.at) if kept is not None else None
    except MalformedAdvisoryError:
        return None


def _of_file(path: Path, read: Callable[[bytes], T]) -> Fetched[T]:
    try:
        found = read_regular_file(str(path.resolve()), limit=_MOST_BYTES + 1)
    except HostError as error:
        raise SourceUnavailableError(str(error)) from error
    if found is None:
        raise SourceUnavailableError(f"{path} is not there")
    return Fetched(_named(str(path), found[0], read), datetime.fromtimestamp(found[1].st_mtime, UTC))


def _named(place: str, content: bytes, read: Callable[[bytes], T]) -> T:
    try:
        return read(content)
    except MalformedAdvisoryError as error:
        raise MalformedAdvisoryError(f"{place} {error}") from None
