"""What is known of the packages in one place: what is weak, what could be upgraded, and what policy says of that.

The worker of the agent and the commands `packages outdated`, `plan` and `why` look by this alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from zen_agents.adapters.advisories_audit import Sources, audit_of
from zen_agents.adapters.advisories_cache import AdvisoryCache
from zen_agents.adapters.advisories_decisions import DecisionsError, read_vex
from zen_agents.adapters.packages_dpkg import STATUS
from zen_agents.adapters.packages_found import inventories
from zen_agents.adapters.packages_newer import NotAskedError, newer_python
from zen_agents.adapters.packages_withdrawn import NOTHING_WITHDRAWN, Withdrawn, withdrawn
from zen_agents.errors import ZenError
from zen_agents.model.package_look import PackageLook, PackageQuestion, Update, Weakness
from zen_agents.packages.advisories.addresses import PYPI
from zen_agents.packages.advisories.answer import Finding
from zen_agents.packages.advisories.ignoring import Ignore
from zen_agents.packages.advisories.vex import Statement
from zen_agents.packages.package import Ecosystem, Inventory, Package
from zen_agents.packages.plan import Change
from zen_agents.packages.policy import Policy, Updates, judge
from zen_agents.packages.updates import NOBODY_ASKED, Available, possible

_MOST_SUMMARY: Final = 160
_THIS_HOST: Final = "/"
_SITES: Final = "lib/python3*/site-packages"
#: So often it is looked while somebody changes what is looked at.
_LOOKS: Final = 3


def look(asked: PackageQuestion, now: datetime) -> PackageLook:
    """Return what is known. What could not be read or asked is among the untold; nothing is raised for it.

    What is installed and what could be had are asked one after the other: where somebody installs in between, it is looked
    again, else what was upgraded just now would be weak with no way out.

    Raises ModuleNotFoundError if the extra `packages` is not installed.
    """
    for _ in range(_LOOKS):
        before = _state_of(asked)
        found = _looked(asked, now)
        if _state_of(asked) == before:
            return found
    return PackageLook(found.packages, untold=(f"packages of {asked.place} are being changed at this moment",))


def _state_of(asked: PackageQuestion) -> Sequence[tuple[str, int, int]]:
    """Return what is another one once something was installed: dpkg's list, the directories of an environment."""
    place, found = Path(asked.place), list[tuple[str, int, int]]()
    for path in (place / STATUS, place, *sorted(place.glob(_SITES))):
        with contextlib.suppress(OSError):
            state = path.stat()
            found.append((str(path), state.st_ino, 0 if path == place else state.st_mtime_ns))
    return found


def _looked(asked: PackageQuestion, now: datetime) -> PackageLook:
    ecosystem, untold = Ecosystem(asked.ecosystem), list[str]()
    ignores = [Ignore(advisory, reason, date.fromisoformat(day), name) for advisory, reason, day, name in asked.ignore]
    made = audit_of(
        _inventories(asked, ecosystem, untold), _sources(asked), now, ignores=ignores, statements=_statements(asked, untold)
    )  # fmt: skip
    packages, outcome = made.packages, made.outcome
    untold += [each.why if each.package is None else f"{each.package.name}: {each.why}" for each in outcome.unknown]
    notes = list[str]()
    available, held = _available(asked, ecosystem, packages, untold, notes) if packages else (NOBODY_ASKED, ())
    withdrawn = _yanked(asked, ecosystem, packages, now)
    changes = possible(packages, outcome.findings, available)
    policy = replace(policy_of(asked), hold=(*asked.hold, *held))
    updates = tuple(_update(policy, ecosystem, each) for each in changes)
    weaknesses = tuple(_weakness(each) for each in outcome.findings)
    unweighed = len(outcome.ignored) + len(outcome.excused)
    return PackageLook(
        len(packages), weaknesses, updates, unweighed, tuple(dict.fromkeys(untold)), withdrawn.releases, withdrawn.untold,
        tuple(notes),
    )  # fmt: skip


def policy_of(asked: PackageQuestion) -> Policy:
    """Return the policy that a question holds."""
    return Policy(Updates(asked.security), Updates(asked.minor), Updates(asked.major), asked.hold)


def _inventories(asked: PackageQuestion, ecosystem: Ecosystem, untold: list[str]) -> Sequence[Inventory]:
    try:
        found = [each for each in inventories(Path(asked.place)) if each.ecosystem is ecosystem]
    except ZenError as error:
        untold.append(str(error))
        return ()
    if not found:
        untold.append(f"{asked.place} holds no packages of {ecosystem}")
    return found


def _sources(asked: PackageQuestion) -> Sources:
    cache = Path(asked.cache_directory) if asked.cache_directory else None
    max_age = timedelta(seconds=asked.max_age_seconds)
    return Sources(cache, asked.osv, asked.npm, asked.tracker, exploited=asked.exploited, max_age=max_age)


def _statements(asked: PackageQuestion, untold: list[str]) -> Sequence[Statement]:
    """Return what is said of weaknesses; of a document that cannot be read nothing counts, so more is weak, not less."""
    said: list[Statement] = []
    for file in asked.vex:
        try:
            said += read_vex(Path(file))
        except DecisionsError as error:
            untold.append(str(error))
    return said


def _available(
    asked: PackageQuestion, ecosystem: Ecosystem, packages: Sequence[Package], untold: list[str], notes: list[str]
) -> tuple[Available, Sequence[str]]:
    """Return which versions can be had, and names of packages that a person has put on hold."""
    try:
        if ecosystem is Ecosystem.NPM and asked.index:
            from zen_agents.adapters.packages_newer_npm import newer_npm  # noqa: PLC0415  where a registry is asked

            return newer_npm((each.name for each in packages), asked.index), ()
        if ecosystem is Ecosystem.DEBIAN and asked.place == _THIS_HOST:
            from zen_agents.adapters.packages_newer_debian import age_of_lists, newer_debian  # noqa: PLC0415  where apt is asked

            found = newer_debian(refresh_after_seconds=asked.refresh_after_seconds)
            notes += filter(None, (age_of_lists(),))
            untold += filter(None, (found.untold,))
            return found.available, found.held
        if ecosystem is not Ecosystem.PYPI:
            return NOBODY_ASKED, ()
        return newer_python(Path(asked.place), index=asked.index, wheels=asked.wheels), ()
    except NotAskedError as error:
        untold.append(f"which later versions can be had is not known: {error}")
        return NOBODY_ASKED, ()


def _yanked(asked: PackageQuestion, ecosystem: Ecosystem, packages: Sequence[Package], now: datetime) -> Withdrawn:
    """Return what authors have withdrawn of what is installed; directories of wheels know nothing of that."""
    if ecosystem is not Ecosystem.PYPI or not packages or (asked.wheels and not asked.index):
        return NOTHING_WITHDRAWN
    cache = AdvisoryCache(Path(asked.cache_directory) if asked.cache_directory else None, now)
    try:
        return withdrawn(packages, asked.index or PYPI, cache, now, timedelta(seconds=asked.max_age_seconds))
    finally:
        cache.close()


def _update(policy: Policy, ecosystem: Ecosystem, each: Change) -> Update:
    judgement = judge(policy, ecosystem, each)
    why = "; ".join(judgement.reasons)
    return Update(each.name, each.installed, each.wanted, each.fixes, each.kind.value, judgement.stance.value, why)


def _weakness(found: Finding) -> Weakness:
    package = found.package
    return Weakness(
        package.name, package.version, found.advisory, found.severity.rating.value, found.exploited is not None,
        found.fixed_in, found.summary[:_MOST_SUMMARY],
    )  # fmt: skip
