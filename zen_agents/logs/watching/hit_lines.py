"""The lines of a chunk that may count, found in one pass; and with them those that may go on with the line above."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from zen_agents.logs.matching.base import Groups, Hit, Matcher
from zen_agents.logs.matching.choose import RESIDENT, choose

#: Where nothing else is sought every line is read anyway, and re2 would take its 2.5 MB for the beginnings of records alone.
_FOR_RECORDS: Final = ("plain",)
#: Where a line begins and ends, and the matches that it holds.
Line = tuple[int, int, tuple[int, ...]]


class HitLines:
    """Looks for matches, which are known by their places."""

    def __init__(self, matches: Sequence[str], *, multiline: bool, every_line: bool) -> None:
        """With `multiline`, it is found where lines begin that may go on; with `every_line`, all lines count."""
        sought = [*matches, _goes_on()] if multiline else matches
        self._matcher: Matcher | None = choose(sought, RESIDENT if matches else _FOR_RECORDS).matcher if sought else None
        self._groups = self._matcher.groups if self._matcher is not None else None
        self._every_line, self._goes_on = every_line, len(matches)
        #: By match, the names of its groups.
        self.groups_of = [pattern.groups for pattern in self._matcher.patterns[: len(matches)]] if self._matcher else []

    def of(self, chunk: bytes) -> tuple[Iterable[Line], Sequence[int]]:
        """Return the lines that may count, and where those begin that may belong to the one above them."""
        found, below = list[Line](), list[int]()
        for line in _by_line(self._matcher.hits(chunk)) if self._matcher is not None else ():
            start, end, matched = line
            if matched[-1] == self._goes_on:
                below.append(start)
                if len(matched) > 1:
                    found.append((start, end, matched[:-1]))
            else:
                found.append(line)
        return (_with_every_line(chunk, iter(found)) if self._every_line else found), below

    def matched_in(self, record: bytes) -> Mapping[int, bytes]:
        """Return the matches of a record, each with the first of its lines that holds it."""
        found: dict[int, bytes] = {}
        for match, start, end in self._matcher.hits(record) if self._matcher is not None else ():
            if match != self._goes_on:
                found.setdefault(match, record[start:end])
        return found

    def groups(self, match: int, line: bytes) -> Groups:
        """Return what the groups of a match took of a line that holds it."""
        return (self._groups is not None and self._groups(match, line)) or ()

    def fields(self, match: int, line: bytes) -> Mapping[str, str]:
        """Return the same by their names, without those that took no part."""
        return self._matcher.fields(match, line) if self._matcher is not None else {}


def _goes_on() -> str:
    from zen_agents.logs.watching.records import GOES_ON  # noqa: PLC0415 - only where lines may be one record

    return GOES_ON


def _by_line(hits: Iterator[Hit]) -> Iterator[Line]:
    """Yield each line that is hit, with all that it holds."""
    at = until = -1
    matched: tuple[int, ...] = ()
    for match, start, end in hits:
        if start == at:
            matched = (*matched, match)
            continue
        if matched:
            yield at, until, matched
        at, until, matched = start, end, (match,)
    if matched:
        yield at, until, matched


def _with_every_line(chunk: bytes, found: Iterator[Line]) -> Iterator[Line]:
    """Yield every line of a chunk, with what was found of it."""
    start, ahead = 0, next(found, None)
    while start < len(chunk):
        end = chunk.find(b"\n", start)
        end = len(chunk) if end < 0 else end
        if ahead is not None and ahead[0] == start:
            yield start, end, ahead[2]
            ahead = next(found, None)
        elif end > start:
            yield start, end, ()
        start = end + 1
