"""What a check saw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass


class Status(StrEnum):
    """A check's answer. UNKNOWN means it could not tell, and is never a ground for an action."""

    OK = "ok"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


#: One for all observations, which exist in thousands; nobody changes it.
_NO_FACTS: Mapping[str, str] = {}


class Observation(NamedTuple):
    """One check's answer about one target at one moment."""

    # A tuple and no dataclass: each look makes thousands of them, in less than half of the time.

    #: Dotted name, the word rules use: `cpu.percent`, `disk.percent`, `service.web`, `port.web`.
    name: str
    #: What was looked at: `host`, `service:web`, `disk:/srv`, `path:uploads`.
    target: str
    #: OK or PROBLEM for a check that judges (a probe); a plain measurement is OK. UNKNOWN if it could not tell.
    status: Status
    at: Instant
    #: The measured number, None where there is none or it is not known.
    value: float | None = None
    #: One sentence for people. Untrusted text: escaped where it is shown.
    detail: str = ""
    #: Identity of the thing seen (`pid:start_time`, `device:inode:mtime`), to notice that it changed since.
    fingerprint: str = ""
    #: Short evidence as text, names only, never environments.
    facts: Mapping[str, str] = _NO_FACTS


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule's condition says now about one target."""

    status: Status
    at: Instant
    detail: str = ""
    value: float | None = None
    fingerprint: str = ""
    #: True when this finding needs no hold: the exit of a watched main process, not a probe that may flicker.
    certain: bool = False


#: The fact of a kept observation that holds what was measured since the one kept before it.
BETWEEN = "between"


def samples_text(at: float, samples: Sequence[float]) -> str:
    """Return moments and values (one after the other, steady seconds) as text: how long before `at`, and the value."""
    return " ".join(f"{at - when:.3f}:{value:.9g}" for when, value in zip(samples[::2], samples[1::2], strict=True))


def samples_of(at: float, text: str) -> Iterator[tuple[float, float]]:
    """Yield what `samples_text` wrote as (moment, value), oldest first; ValueError if it is damaged."""
    for sample in text.split():
        ago, _, value = sample.partition(":")
        yield at - float(ago), float(value)


class Line(NamedTuple):
    """A fact that is a line, or what several lines say together. The text is untrusted."""

    #: What it is: `line`, `operation`, `statement`.
    kind: str
    text: str
    #: When it was written as it says itself (seconds since the epoch), None where that is not known.
    at: float | None = None


def lines_in(facts: Mapping[str, str]) -> Sequence[Line]:
    """Return the facts that are lines, called like `line 1`."""
    parts = ((name.partition(" "), text) for name, text in facts.items())
    return [Line(kind, text, _written_at(facts, kind, number)) for (kind, _, number), text in parts if number.isdecimal()]


#: By what something belongs to others: what it is (`address`, `user`, `target`), and its value. Untrusted text.
SharedKey = tuple[str, str]
#: So many of them one observation names.
MOST_SHARED = 8
_SHARED, _WRITTEN = "shared ", "written "


def facts_of_lines(lines: Sequence[str], written: Sequence[float], shared: Iterable[SharedKey]) -> dict[str, str]:
    """Return lines as facts, each with when it was written (seconds since the epoch), and by what they belong to others."""
    facts = {f"line {number}": line for number, line in enumerate(lines, start=1)}
    facts |= {f"{_WRITTEN}line {number}": f"{at:.3f}" for number, at in enumerate(written, start=1)}
    keys = list(dict.fromkeys(shared))[:MOST_SHARED]
    return facts | {f"{_SHARED}{kind} {number}": value for number, (kind, value) in enumerate(keys, start=1)}


def _written_at(facts: Mapping[str, str], kind: str, number: str) -> float | None:
    try:
        return float(facts[f"{_WRITTEN}{kind} {number}"])
    except (KeyError, ValueError):
        return None


def shared_in(facts: Mapping[str, str]) -> frozenset[SharedKey]:
    """Return by what an observation belongs to others."""
    found = (
        (name.removeprefix(_SHARED).rpartition(" ")[0], text) for name, text in facts.items() if name.startswith(_SHARED)
    )
    return frozenset((kind, text) for kind, text in found if kind)
