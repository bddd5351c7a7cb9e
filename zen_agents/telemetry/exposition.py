"""The text format that Prometheus reads (version 0.0.4); imported only where metrics are configured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from zen_agents.dataclass import dataclass

#: What the endpoint says its answer is.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: So many sets of labels a counter keeps apart; what comes after them is counted as `(other)`.
MOST_SERIES = 2000
_OTHER = "(other)"

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One number, with what its name ends with (`_sum`, `_bucket`, or nothing)."""

    value: float
    labels: Mapping[str, str]
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric with all its numbers; `kind` is counter, gauge, histogram or summary."""

    name: str
    kind: str
    meaning: str
    samples: Sequence[Sample]


def exposition(metrics: Iterable[Metric]) -> str:
    """Return the whole text, metrics and numbers in the order they were given."""
    lines: list[str] = []
    for metric in metrics:
        lines += [f"# HELP {metric.name} {metric.meaning}", f"# TYPE {metric.name} {metric.kind}"]
        lines += [_line(metric.name, sample) for sample in metric.samples]
    return "\n".join(lines) + "\n"


def _line(name: str, sample: Sample) -> str:
    labels = ",".join(f'{key}="{_escaped(value)}"' for key, value in sample.labels.items())
    shown = f"{{{labels}}}" if labels else ""
    return f"{name}{sample.suffix}{shown} {repr(float(sample.value)).removesuffix('.0')}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


class Counter:
    """Counts by labels, bounded: rules and targets may be many, memory is not."""

    def __init__(self, *labels: str, most: int = MOST_SERIES) -> None:
        self._names, self._most = labels, most
        self._counts: dict[Labels, float] = {}

    def add(self, *labels: str, times: float = 1.0) -> None:
        """Count once more."""
        if labels not in self._counts and len(self._counts) >= self._most:
            labels = (_OTHER,) * len(self._names)
        self._counts[labels] = self._counts.get(labels, 0.0) + times

    def samples(self) -> list[Sample]:
        """Return a number for each set of labels, in their order."""
        return [Sample(count, dict(zip(self._names, labels, strict=True))) for labels, count in sorted(self._counts.items())]


class Histogram:
    """How long things took (seconds), by labels; bounded as a counter is."""

    #: Upper bounds (seconds): a restart takes seconds, a package minutes.
    BOUNDS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)

    def __init__(self, *labels: str) -> None:
        self._names = labels
        self._seen: dict[Labels, list[float]] = {}

    def observe(self, seconds: float, *labels: str) -> None:
        """Take one more."""
        if labels not in self._seen and len(self._seen) >= MOST_SERIES:
            labels = (_OTHER,) * len(self._names)
        # How many were within each bound, then all, then their sum.
        row = self._seen.setdefault(labels, [0.0] * (len(self.BOUNDS) + 2))
        for index, bound in enumerate(self.BOUNDS):
            row[index] += seconds <= bound
        row[-2] += 1
        row[-1] += seconds

    def samples(self) -> list[Sample]:
        """Return buckets, count and sum for each set of labels, in their order."""
        found: list[Sample] = []
        for labels, row in sorted(self._seen.items()):
            named = dict(zip(self._names, labels, strict=True))
            bounds = [*(f"{bound:g}" for bound in self.BOUNDS), "+Inf"]
            found += [Sample(row[at], {**named, "le": bound}, "_bucket") for at, bound in enumerate(bounds)]
            found += [Sample(row[-1], named, "_sum"), Sample(row[-2], named, "_count")]
        return found
