"""What every engine of matching does, and how a pattern is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from zen_agents.errors import ZenError

if TYPE_CHECKING:
    from zen_agents.logs.matching.syntax import LinePattern


class Hit(NamedTuple):
    """One line that holds one pattern."""

    #: Which of the matcher's patterns, from 0.
    pattern: int
    #: Where the line begins in the chunk, and where it ends: before its LF or CR LF (bytes).
    start: int
    end: int


#: What the named groups of a pattern took of a line, in their order; None for those that took no part.
Groups = Sequence[bytes | None]
#: A hit: its pattern, its line without the end, and what the groups took; () for a pattern without groups.
Taken = tuple[int, bytes, Groups]


class Matcher(Protocol):
    r"""Finds many patterns in many lines at once.

    A pattern sees one line of bytes without its end (LF or CR LF); it never reaches over a line's end. `^` and `$` are the
    ends of the line, `.` is any one byte, `\w`, `\d`, `\s` and `\b` know ASCII. What is not ASCII in a pattern stands for
    its UTF-8 bytes. NULs and bytes that are no UTF-8 are bytes like others.
    """

    #: The engine: "re2", "vectorscan" or "plain".
    name: str
    #: What it seeks, in the order of `Hit.pattern`.
    patterns: Sequence[LinePattern]

    def hits(self, chunk: bytes) -> Iterator[Hit]:
        """Yield each line that holds a pattern, once for each pattern, in the order of lines, then of patterns.

        `chunk` is whole lines; its last one may lack its end. What is held in memory is bounded by the chunk's size.
        """

    def taken(self, chunk: bytes) -> Iterator[Taken]:
        """Yield the hits of a chunk, in the same order, with what there is to know of each: cheaper than one by one."""

    def groups(self, index: int, line: bytes) -> Groups | None:
        """Return what the named groups of one pattern took of a line, in their order; None if the line does not hold it."""

    def fields(self, index: int, line: bytes) -> Mapping[str, str]:
        """Return what the named groups of one pattern took of a line, without those that took no part.

        Empty if the line does not hold the pattern. Bytes that are no UTF-8 are replaced.
        """


class PatternRefusedError(ZenError):
    """The pattern cannot be matched in linear time; write it without look-around and back-references."""

    def __init__(self, message: str, *, position: int = 0, next_step: str = "", index: int = 0) -> None:
        super().__init__(f"{message}; {next_step}" if next_step else message)
        #: What is wrong, as a predicate: "has a look-ahead".
        self.what = message
        #: Where in the pattern (characters from 0).
        self.position = position
        self.next_step = next_step
        #: Which pattern of those that were given.
        self.index = index
