"""What a scan found: for each pattern how often, first, last, samples, and the commonest values of its groups. Bounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zen_agents.dataclass import dataclass

#: Samples of a pattern; characters of a line and of a value that are kept.
MOST_SAMPLES, MOST_TEXT, MOST_VALUE = 5, 500, 120
#: Values that are counted at once for one group, and for all of them together.
_MOST_VALUES, _MOST_IN_ALL = 256, 50_000


@dataclass(frozen=True, slots=True)
class TopValue:
    """A value of a group, and how often it was there: at least `count`, at most `count + missed`."""

    value: str
    count: int
    missed: int


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of one pattern. All texts are untrusted."""

    count: int
    first: str
    last: str
    samples: Sequence[str]
    #: Of each named group the commonest values, the commonest first.
    top: Mapping[str, Sequence[TopValue]]


class Commonest:
    """Counts values in bounded space: Misra and Gries (1982), cut in half when full (Anderson et al., 2017).

    Each value that is more than a share of `2 / most` of all is among those that are left.
    """

    def __init__(self, most: int) -> None:
        self._most, self._missed = max(most, 2), 0
        self._counts: dict[str, int] = {}

    def add(self, value: str) -> None:
        """Count a value once more; whoever chooses values pushes out the rarest alone."""
        value = value[:MOST_VALUE]
        self._counts[value] = self._counts.get(value, 0) + 1
        if len(self._counts) > self._most:
            cut = sorted(self._counts.values())[self._most // 2]
            self._counts = {each: count - cut for each, count in self._counts.items() if count > cut}
            self._missed += cut

    def top(self, most: int = 10) -> Sequence[TopValue]:
        """Return the commonest values; of equals the one that sorts first."""
        ordered = sorted(self._counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return [TopValue(value, count, self._missed) for value, count in ordered[:most]]


class Findings:
    """Collects hits of many patterns."""

    def __init__(self, groups: Sequence[Sequence[str]]) -> None:
        """Make room for patterns whose named groups are these."""
        most = min(_MOST_VALUES, _MOST_IN_ALL // max(sum(map(len, groups)), 1))
        self._tallies = [_Tally({name: Commonest(most) for name in names}) for names in groups]

    def add(self, pattern: int, line: bytes, taken: Sequence[bytes | None]) -> None:
        """Count a line that holds a pattern, with what its groups took, in their order."""
        tally = self._tallies[pattern]
        tally.count += 1
        tally.last = line[: 4 * MOST_TEXT]
        if len(tally.samples) < MOST_SAMPLES:
            tally.samples.append(tally.last)
        for add, value in zip(tally.adds, taken, strict=True):
            if value is not None:
                add(value.decode("utf-8", "replace"))

    def found(self) -> Sequence[Found]:
        """Return what is known of each pattern, in their order."""
        return [tally.found() for tally in self._tallies]


class _Tally:
    __slots__ = ("adds", "count", "last", "samples", "values")

    def __init__(self, values: Mapping[str, Commonest]) -> None:
        self.count, self.last = 0, b""
        self.samples: list[bytes] = []
        self.values = values
        self.adds = [counts.add for counts in values.values()]

    def found(self) -> Found:
        samples = [_text(line) for line in self.samples]
        top = {name: most for name, counts in self.values.items() if (most := counts.top())}
        return Found(self.count, samples[0] if samples else "", _text(self.last), samples, top)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")[:MOST_TEXT]
