"""Lines that cannot make a difference yet, held to be counted together: from warm caches, that takes a third of the time."""

from __future__ import annotations

from collections.abc import Collection

from zen_agents.logs.stamps import Stamps

#: So many lines of a match are held, so many of all, and so many bytes: before a finding is told all of them are counted.
_MOST_LINES, _MOST_IN_ALL, _MOST_BYTES = 100, 250, 1 << 20

#: A line, the path of its file, and what reads its time.
Held = tuple[bytes, str, Stamps]


class HeldLines:
    """Holds lines by what they match. None may be held while it is asked how a pattern stands."""

    def __init__(self) -> None:
        self._lines: dict[int, list[Held]] = {}
        self._count = self._bytes = 0
        #: By match, with how many of its lines one may make a difference; of one that is not there, with the first.
        self._room: dict[int, int] = {}

    @property
    def matches(self) -> Collection[int]:
        """Of which matches there are lines."""
        return tuple(self._lines)

    def add(self, match: int, line: Held) -> Collection[int]:
        """Hold a line; return the matches of which lines have to be counted now."""
        lines = self._lines.get(match)
        if lines is None:
            lines = self._lines[match] = []
        lines.append(line)
        self._count += 1
        self._bytes += len(line[0])
        if self._count >= _MOST_IN_ALL or self._bytes > _MOST_BYTES:
            return self.matches
        return (match,) if len(lines) >= self._room.get(match, 1) else ()

    def take(self, match: int) -> list[Held]:
        """Return the lines that are held of a match, and hold them no more."""
        lines = self._lines.pop(match, [])
        self._count -= len(lines)
        self._bytes -= sum(len(line) for line, _, _ in lines)
        return lines

    def make_room(self, match: int, lines: int) -> None:
        """Hold fewer lines of a match than this many: one more may make a difference."""
        self._room[match] = min(_MOST_LINES, lines)
