"""Which engine matches: the fastest that is installed and takes the patterns, and what is said when it is a slower one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.matching.base import Matcher, PatternRefusedError
from zen_agents.logs.matching.syntax import LinePattern, line_patterns

#: Engines for what runs all the time: Vectorscan would take 20 MB for speed that following a log does not need.
RESIDENT: Final = ("re2", "plain")
#: Engines for a scan of gigabytes, in a process of its own.
BULK: Final = ("vectorscan", "re2", "plain")
_MISSING: Final = {
    "vectorscan": "Vectorscan is not installed, which is twice as fast: pip install 'zen-agents[fast-logs]'",
    "re2": "google-re2 is not installed: matching takes ten times as long; pip install google-re2",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A matcher, and why it is not a faster one; "" if it is the fastest."""

    matcher: Matcher
    why: str = ""


def choose(patterns: Sequence[str], engines: Sequence[str] = RESIDENT) -> Chosen:
    """Return a matcher of the first of these engines that is installed and takes all patterns.

    Raises:
        PatternRefusedError: a pattern is none, or no engine takes it; its `index` says which.
        ValueError: there are no patterns, or no engines.
    """
    if not patterns or not engines:
        raise ValueError("a matcher needs a pattern and an engine")
    parsed = line_patterns(patterns)
    why: list[str] = []
    for number, name in enumerate(engines, start=1):
        try:
            return Chosen(_MAKERS[name](parsed), "; ".join(why))
        except ImportError:
            why.append(_MISSING[name])
        except PatternRefusedError as error:
            if number == len(engines):
                raise
            why.append(f"pattern {error.index + 1} {error.what}")
    raise ValueError("none of these engines is installed")


def _vectorscan(patterns: Sequence[LinePattern]) -> Matcher:
    from zen_agents.logs.matching.with_vectorscan import VectorscanMatcher  # noqa: PLC0415 - an extra

    try:
        from zen_agents.logs.matching.with_re2 import line_search  # noqa: PLC0415 - has no wheel everywhere
    except ImportError:
        from zen_agents.logs.matching.plain import line_search, steady  # noqa: PLC0415

        steady(patterns)
    return VectorscanMatcher(patterns, line_search)


def _re2(patterns: Sequence[LinePattern]) -> Matcher:
    from zen_agents.logs.matching.with_re2 import Re2Matcher  # noqa: PLC0415 - has no wheel everywhere

    return Re2Matcher(patterns)


def _plain(patterns: Sequence[LinePattern]) -> Matcher:
    from zen_agents.logs.matching.plain import PlainMatcher  # noqa: PLC0415 - one engine is loaded, not three

    return PlainMatcher(patterns)


_MAKERS: Final[dict[str, Callable[[Sequence[LinePattern]], Matcher]]] = {
    "vectorscan": _vectorscan,
    "re2": _re2,
    "plain": _plain,
}
