"""What policy does of what could be upgraded: unasked, asked for, told, or left alone; always with the reason.

Pure. A major step is never made unasked, whatever it fixes (R26), and what is held is never touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from zen_agents.dataclass import dataclass
from zen_agents.packages.package import Ecosystem, normal_name
from zen_agents.packages.plan import Change, UpdateKind, UpgradePlan


class Updates(StrEnum):
    """What a host's configuration says of one kind of update."""

    AUTO = "auto"
    NOTIFY = "notify"
    DISABLED = "disabled"


class Stance(StrEnum):
    """What comes of an update; the later, the more hesitant."""

    DO = "do"
    ASK = "ask"
    TELL = "tell"
    LEAVE = "leave"

    @property
    def hesitation(self) -> int:
        """Return its place in the order."""
        return _STANCES.index(self)


_BRACKETS: Final = re.compile(r"(\[[^]]*\])")
_STANCES: Final = tuple(Stance)
_UNASKED: Final = {Updates.AUTO: Stance.DO, Updates.NOTIFY: Stance.TELL, Updates.DISABLED: Stance.LEAVE}
_ASKED: Final = {Updates.AUTO: Stance.ASK, Updates.NOTIFY: Stance.TELL, Updates.DISABLED: Stance.LEAVE}


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy of a host."""

    security: Updates = Updates.AUTO
    minor: Updates = Updates.NOTIFY
    major: Updates = Updates.DISABLED
    #: Patterns of names, as a shell has them: `postgresql-*`.
    hold: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What comes of an update, and why, each a sentence."""

    stance: Stance
    reasons: tuple[str, ...]


def judge(policy: Policy, ecosystem: Ecosystem, change: Change) -> Judgement:
    """Judge one possible change by itself. What is held and would be fixed is told, never touched."""
    if pattern := held_by(policy, ecosystem, change.name):
        held = f"{change.name} is held: hold: {pattern}"
        return Judgement(Stance.TELL if change.fixes else Stance.LEAVE, (held,))
    if change.kind is UpdateKind.SECURITY:
        return Judgement(_UNASKED[policy.security], (f"security_updates: {policy.security}",))
    if change.kind is UpdateKind.MINOR:
        return Judgement(_UNASKED[policy.minor], (f"minor_updates: {policy.minor}",))
    by_major = Judgement(_ASKED[policy.major], (f"major_updates: {policy.major}",))
    if not change.fixes:
        return by_major
    step = f"{change.name} {change.installed} -> {change.wanted} is a major upgrade, also if it fixes"
    by_security = Judgement(_ASKED[policy.security], (f"security_updates: {policy.security}", step))
    return min(by_security, by_major, key=lambda each: each.stance.hesitation)


def judge_plan(policy: Policy, plan: UpgradePlan) -> Judgement:
    """Judge all of a plan, with what comes along and what it would cost: the most hesitant word about it stands.

    What comes along with a fix and is a minor step is judged as the fix is; a major one asks.
    """
    if not plan.changes and not plan.adds and not plan.removes:
        return Judgement(Stance.LEAVE, ("nothing would change",))
    judged = [_within(policy, plan, change) for change in plan.changes]
    judged += [Judgement(Stance.TELL, (why,)) for why in _held_besides(policy, plan)]
    judged += [Judgement(Stance.ASK, (why,)) for why in costs(plan)]
    stance = max((each.stance for each in judged), key=lambda each: each.hesitation)
    reasons = dict.fromkeys(why for each in judged if each.stance is stance for why in each.reasons)
    return Judgement(stance, tuple(reasons))


def held_by(policy: Policy, ecosystem: Ecosystem, name: str) -> str:
    """Return the pattern of `hold` that a package's name matches, in the normal form of its ecosystem; "" if none does."""
    normal = normal_name(ecosystem, name)
    return next((each for each in policy.hold if fnmatchcase(normal, normal_pattern(ecosystem, each))), "")


def normal_pattern(ecosystem: Ecosystem, pattern: str) -> str:
    """Return a pattern of names in the form that names of the ecosystem have: of what stands in brackets, only the case."""
    if ecosystem is Ecosystem.NPM:
        return pattern
    parts = _BRACKETS.split(pattern)
    return "".join(part.lower() if place % 2 else normal_name(ecosystem, part) for place, part in enumerate(parts))


def _within(policy: Policy, plan: UpgradePlan, change: Change) -> Judgement:
    comes_along = not change.fixes and any(each.fixes for each in plan.changes)
    held = held_by(policy, plan.ecosystem, change.name)
    if not comes_along:
        return judge(policy, plan.ecosystem, change)
    if held:
        return Judgement(Stance.TELL, (f"{change.name} would come along and is held: hold: {held}",))
    if change.kind is UpdateKind.MAJOR:
        step = f"{change.name} {change.installed} -> {change.wanted} would come along, a major upgrade"
        return Judgement(_ASKED[policy.security], (step,))
    return Judgement(_UNASKED[policy.security], (f"security_updates: {policy.security}",))


def _held_besides(policy: Policy, plan: UpgradePlan) -> Iterable[str]:
    for name in plan.removes:
        if pattern := held_by(policy, plan.ecosystem, name):
            yield f"{name} would be removed and is held: hold: {pattern}"


def costs(plan: UpgradePlan) -> Sequence[str]:
    """Return why a person decides on a plan whatever policy says, each a sentence."""
    found = list(plan.asks)
    if not plan.changes and plan.adds:
        found.append(f"it only adds {', '.join(plan.adds)}")
    if plan.removes:
        found.append(f"it removes {', '.join(plan.removes)}")
    if not plan.reversible:
        found.append("it cannot be undone: what is there now could not be given back")
    return found
