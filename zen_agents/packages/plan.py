"""What would be upgraded in one place, as its ecosystem's own resolver says, and how far each step goes.

How far is told by the ecosystem's version scheme. A step that cannot be told to be small counts as a major one: backwards,
between versions that have no order, or where the first number that is not zero becomes another. A first number from 1000 on
is a date, which says nothing of what changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from enum import StrEnum
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.packages.package import Ecosystem
from zen_agents.packages.versions.order import InvalidVersionError, key_of, leading_numbers

#: The place of a plan for the Debian packages of this host.
DEBIAN_PLACE: Final = "debian"
_LEAST_DATE: Final = 1000


class MalformedPlanError(ValueError):
    """What should be a plan is none; the message says which part."""


class UpdateKind(StrEnum):
    """What a step is for, and how far it goes; a major one stays major when it fixes something."""

    SECURITY = "security"
    MINOR = "minor"
    MAJOR = "major"


@dataclass(frozen=True, slots=True)
class Change:
    """One package goes from a version to another."""

    #: As its ecosystem normalises it.
    name: str
    installed: str
    wanted: str
    #: Advisories that it ends, by id; () when it only comes along.
    fixes: tuple[str, ...]
    kind: UpdateKind


@dataclass(frozen=True, slots=True)
class UpgradePlan:
    """What one place would become: an environment, or the Debian packages of this host."""

    ecosystem: Ecosystem
    #: The path of the environment, or `debian`.
    place: str
    changes: tuple[Change, ...]
    #: What is not there yet, as `NAME VERSION`.
    adds: tuple[str, ...] = ()
    #: What would no longer be there, by name.
    removes: tuple[str, ...] = ()
    #: Whether exactly what is there now can be given back.
    reversible: bool = True
    #: Why a person is asked first, each a sentence; () if policy alone decides.
    asks: tuple[str, ...] = ()
    #: Units that would have to be restarted.
    restarts: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over all of it, as sorted JSON; hex. What was approved is what runs."""
        text = json.dumps(self.plain(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def plain(self) -> Mapping[str, Any]:
        """Return it as plain JSON values, which `plan_of` reads."""
        return asdict(self)


def plan_of(value: object) -> UpgradePlan:
    """Return the plan that plain JSON values are; MalformedPlanError if they are none."""
    try:
        found = _checked(value, UpgradePlan)
        changes = tuple(_change(each) for each in found.pop("changes"))
        texts = {name: _texts(found.pop(name)) for name in ("adds", "removes", "asks", "restarts")}
        ecosystem, place, reversible = Ecosystem(found["ecosystem"]), found["place"], found["reversible"]
    except (TypeError, ValueError) as error:
        raise MalformedPlanError(f"this is no plan of an upgrade: {error}") from None
    if not isinstance(place, str) or not isinstance(reversible, bool):
        raise MalformedPlanError("this is no plan of an upgrade: place or reversible is wrong")
    return UpgradePlan(ecosystem, place, changes, reversible=reversible, **texts)


def change(ecosystem: Ecosystem, name: str, installed: str, wanted: str, fixes: Sequence[str] = ()) -> Change:
    """Return a change with its kind."""
    kind = kind_of(ecosystem, installed, wanted, is_fix=bool(fixes))
    return Change(name, installed, wanted, tuple(fixes), kind)


def kind_of(ecosystem: Ecosystem, installed: str, wanted: str, *, is_fix: bool) -> UpdateKind:
    """Return what a step between two versions is; a fix is SECURITY only as long as it is no major step."""
    try:
        key = key_of(ecosystem)
        is_major = key(wanted) < key(installed) or _series(ecosystem, installed) != _series(ecosystem, wanted)
    except InvalidVersionError:
        is_major = True
    if is_major:
        return UpdateKind.MAJOR
    return UpdateKind.SECURITY if is_fix else UpdateKind.MINOR


def _series(ecosystem: Ecosystem, version: str) -> tuple[int, ...]:
    """Return what stays the same until something is broken on purpose: epoch, and numbers up to the first that counts."""
    epoch, *numbers = leading_numbers(ecosystem, version)
    if numbers and numbers[0] >= _LEAST_DATE:
        return (epoch, _LEAST_DATE)
    first = next((place for place, number in enumerate(numbers) if number), len(numbers))
    return (epoch, *numbers[: first + 1])


def next_series(ecosystem: Ecosystem, version: str) -> str:
    """Return the first version to which a step from this one is a major one; InvalidVersionError if it has no order."""
    epoch, *numbers = _series(ecosystem, version)
    *same, last = numbers or (0,)
    return f"{f'{epoch}!' if epoch else ''}{'.'.join(map(str, (*same, last + 1)))}"


def _change(value: object) -> Change:
    found = _checked(value, Change)
    fixes, kind = _texts(found.pop("fixes")), UpdateKind(found.pop("kind"))
    name, installed, wanted = _texts([found[each] for each in ("name", "installed", "wanted")])
    return Change(name, installed, wanted, fixes, kind)


def _checked(value: object, kind: type[UpgradePlan] | type[Change]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    if not isinstance(value, Mapping) or value.keys() != names:
        raise ValueError(f"it has other keys than {', '.join(sorted(names))}")
    return dict(value)


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) for each in value):
        raise ValueError("a text is missing")
    return tuple(value)
