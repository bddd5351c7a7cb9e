"""Lines that end in CR LF: an engine is given them as LF alone, and its hits are told as places of what was read."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator

from zen_agents.logs.matching.base import Hit

_LINE_END = re.compile(rb"\r\n")


def has_carriage_returns(chunk: bytes) -> bool:
    """Tell whether lines of a chunk end in CR LF."""
    return b"\r" in chunk and b"\r\n" in chunk  # the first test is five times as fast


def without_carriage_returns(chunk: bytes, hits: Callable[[bytes], Iterator[Hit]]) -> Iterator[Hit]:
    """Yield the hits of a chunk as if its lines ended in LF, at their places in the chunk as it is."""
    if not has_carriage_returns(chunk):
        yield from hits(chunk)
        return
    #: Of each CR that is left out, where it would stand in what is searched.
    left_out = [found.start() - number for number, found in enumerate(_LINE_END.finditer(chunk))]
    for pattern, start, end in hits(chunk.replace(b"\r\n", b"\n")):
        yield Hit(pattern, start + bisect_left(left_out, start), end + bisect_left(left_out, end))
