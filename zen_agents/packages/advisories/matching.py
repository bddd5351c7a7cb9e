"""Whether an advisory affects a package, by the evaluation that the OSV schema prescribes.

What cannot be compared is never taken for unaffected: the advisory is undecided then, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.packages.advisories.advisory import Advisory, Affected, Bound, Event
from zen_agents.packages.package import Package
from zen_agents.packages.versions.order import InvalidVersionError, key_of


class Verdict(StrEnum):
    """Whether this version of the package has the weakness."""

    AFFECTED = "affected"
    UNAFFECTED = "unaffected"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict; the least later version without the weakness if it is affected and one is named; why it is undecided."""

    verdict: Verdict
    fixed_in: str = ""
    why: str = ""


_UNAFFECTED: Final = Judgement(Verdict.UNAFFECTED)
_EVERY_VERSION: Final = "*"
_Place = tuple[Any, ...]


def judge(package: Package, advisory: Advisory) -> Judgement:
    """Say whether an advisory affects a package. One that was withdrawn affects none."""
    named = [
        one for one in advisory.affected if (one.ecosystem, one.name) == (package.ecosystem, package.name)
    ]  # fmt: skip
    if advisory.is_withdrawn or not named:
        return _UNAFFECTED
    judgements = [each for one in named for each in _judgements(package, one)]
    fixes = [each for each in judgements if each.verdict is Verdict.AFFECTED]
    if fixes:
        # A version is rid of the weakness when it has left every range that holds the present one.
        return Judgement(Verdict.AFFECTED, _latest(package, [each.fixed_in for each in fixes]))
    return next((each for each in judgements if each.verdict is Verdict.UNDECIDED), _UNAFFECTED)


def _judgements(package: Package, affected: Affected) -> Iterable[Judgement]:
    if not affected.ranges and not affected.versions:
        yield Judgement(Verdict.UNDECIDED, why=f"does not say which versions of {affected.name} it is about")
        return
    key = key_of(package.ecosystem)
    try:
        installed: _Place | None = (1, key(package.version))
    except InvalidVersionError as error:
        installed = None
        if package.version not in affected.versions:
            yield Judgement(Verdict.UNDECIDED, why=str(error))
    if installed is not None:
        for events in affected.ranges:
            yield _in_range(installed, events, key)
    if package.version in affected.versions or (installed and _is_listed(installed, affected.versions, key)):
        yield Judgement(Verdict.AFFECTED)


def _is_listed(installed: _Place, versions: Iterable[str], key: Callable[[str], Any]) -> bool:
    """Tell whether a version is listed that means the same, like 1.0 and 1.0.0. What is no version is none that means it."""
    for version in versions:
        try:
            if (1, key(version)) == installed:
                return True
        except InvalidVersionError:
            continue
    return False


def _in_range(installed: _Place, events: tuple[Event, ...], key: Callable[[str], Any]) -> Judgement:
    if not any(event.bound is Bound.INTRODUCED for event in events):
        return Judgement(Verdict.UNDECIDED, why="has a range that does not say where it begins")
    try:
        placed = sorted(((_place(event, key), event) for event in events), key=lambda pair: pair[0])
    except InvalidVersionError as error:
        return Judgement(Verdict.UNDECIDED, why=f"has a range that cannot be compared: {error}")
    limits = [place for place, event in placed if event.bound is Bound.LIMIT]
    if limits and not any(installed < limit for limit in limits):
        return _UNAFFECTED
    is_affected, fixed_in = False, ""
    for place, event in placed:
        if event.bound is Bound.INTRODUCED and installed >= place:
            is_affected, fixed_in = True, ""
        elif event.bound is Bound.FIXED:
            is_affected = is_affected and installed < place
            fixed_in = fixed_in or event.version
        elif event.bound is Bound.LAST_AFFECTED and installed > place:
            is_affected = False
    return Judgement(Verdict.AFFECTED, fixed_in) if is_affected else _UNAFFECTED


def _place(event: Event, key: Callable[[str], Any]) -> _Place:
    """Return where an event stands among versions, which are `(1, key)`."""
    if event.bound is Bound.INTRODUCED and event.version == "0":
        return (0,)
    return (2,) if event.bound is Bound.LIMIT and event.version == _EVERY_VERSION else (1, key(event.version))


def _latest(package: Package, versions: Iterable[str]) -> str:
    return max((version for version in versions if version), key=key_of(package.ecosystem), default="")
