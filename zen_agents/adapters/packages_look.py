"""What is known of the packages in one place: what is weak, what could be upgraded, and what policy says of that.

The worker of the agent and the commands `packages outdated`, `plan` and `why` look by this alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from zen_agents.adapters.advisories_cache import AdvisoryCache
from zen_agents.adapters.advisories_debsecan import DebianTracker
from zen_agents.adapters.advisories_http import is_address
from zen_agents.adapters.advisories_osv import OsvApi
from zen_agents.adapters.advisories_records import OsvRecords
from zen_agents.adapters.packages_found import inventories
from zen_agents.adapters.packages_newer import NotAskedError, newer_python
from zen_agents.errors import ZenError
from zen_agents.model.package_look import PackageLook, PackageQuestion, Update, Weakness
from zen_agents.packages.advisories.answer import AdvisorySource, Finding
from zen_agents.packages.advisories.audit import Audit, audited
from zen_agents.packages.advisories.ignoring import Ignore
from zen_agents.packages.package import Ecosystem, Package
from zen_agents.packages.plan import Change
from zen_agents.packages.policy import Policy, Updates, judge
from zen_agents.packages.updates import NOBODY_ASKED, Available, possible

_MOST_SUMMARY: Final = 160


def look(asked: PackageQuestion, now: datetime) -> PackageLook:
    """Return what is known. What could not be read or asked is among the untold; nothing is raised for it.

    Raises ModuleNotFoundError if the extra `packages` is not installed.
    """
    ecosystem, untold = Ecosystem(asked.ecosystem), list[str]()
    packages = _packages(asked, ecosystem, untold)
    outcome = _audited(asked, packages, now)
    untold += [each.why if each.package is None else f"{each.package.name}: {each.why}" for each in outcome.unknown]
    available = _available(asked, ecosystem, untold) if packages else NOBODY_ASKED
    changes = possible(packages, outcome.findings, available)
    updates = tuple(_update(policy_of(asked), ecosystem, each) for each in changes)
    weaknesses = tuple(_weakness(each) for each in outcome.findings)
    return PackageLook(len(packages), weaknesses, updates, len(outcome.ignored), tuple(dict.fromkeys(untold)))


def policy_of(asked: PackageQuestion) -> Policy:
    """Return the policy that a question holds."""
    return Policy(Updates(asked.security), Updates(asked.minor), Updates(asked.major), asked.hold)


def _packages(asked: PackageQuestion, ecosystem: Ecosystem, untold: list[str]) -> Sequence[Package]:
    try:
        found = [each for each in inventories(Path(asked.place)) if each.ecosystem is ecosystem]
    except ZenError as error:
        untold.append(str(error))
        return ()
    if not found:
        untold.append(f"{asked.place} holds no packages of {ecosystem}")
    untold += [str(problem) for inventory in found for problem in inventory.problems]
    return [package for inventory in found for package in inventory.packages]


def _audited(asked: PackageQuestion, packages: Sequence[Package], now: datetime) -> Audit:
    ignores = [Ignore(advisory, reason, date.fromisoformat(day), name) for advisory, reason, day, name in asked.ignore]
    with _sources(asked, now) as sources:
        answers = [source.ask(packages) for source in sources]
    return audited(packages, answers, ignores, now.date())


@contextmanager
def _sources(asked: PackageQuestion, now: datetime) -> Iterator[Sequence[AdvisorySource]]:
    max_age = timedelta(seconds=asked.max_age_seconds)
    cache = AdvisoryCache(Path(asked.cache_directory), now)
    sources: list[AdvisorySource] = []
    if asked.ecosystem != Ecosystem.DEBIAN:
        for place in asked.osv:
            sources.append(OsvApi(place, cache, now, max_age) if is_address(place) else OsvRecords(Path(place)))
    elif asked.tracker:
        sources.append(DebianTracker(asked.tracker, cache, now, max_age))
    try:
        yield sources
    finally:
        cache.close()


def _available(asked: PackageQuestion, ecosystem: Ecosystem, untold: list[str]) -> Available:
    if ecosystem is not Ecosystem.PYPI:
        return NOBODY_ASKED
    try:
        return newer_python(Path(asked.place), index=asked.index, wheels=asked.wheels)
    except NotAskedError as error:
        untold.append(f"which later versions can be had is not known: {error}")
        return NOBODY_ASKED


def _update(policy: Policy, ecosystem: Ecosystem, each: Change) -> Update:
    judgement = judge(policy, ecosystem, each)
    why = "; ".join(judgement.reasons)
    return Update(each.name, each.installed, each.wanted, each.fixes, each.kind.value, judgement.stance.value, why)


def _weakness(found: Finding) -> Weakness:
    package = found.package
    rating = found.severity.rating.value
    return Weakness(
        package.name, package.version, found.advisory, rating, False, found.fixed_in, found.summary[:_MOST_SUMMARY]
    )
