"""Which upgrades are possible of what is installed: of what is weak the least one that ends it, of the rest the latest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from zen_agents.dataclass import dataclass
from zen_agents.packages.advisories.answer import Finding
from zen_agents.packages.package import Ecosystem, Package
from zen_agents.packages.plan import Change, UpdateKind, change
from zen_agents.packages.versions.order import InvalidVersionError, key_of


@dataclass(frozen=True, slots=True)
class Available:
    """Which later versions of packages can be had, by name and the earliest first; None where nobody could be asked."""

    versions: Mapping[str, Sequence[str]] | None = None
    #: True if `versions` has all of them, False if only the latest, and before a major one the latest that is none.
    is_whole: bool = False


NOBODY_ASKED: Final = Available()


def possible(packages: Iterable[Package], findings: Sequence[Finding], available: Available) -> Iterator[Change]:
    """Yield the change of each package that is wanted, by name; before a major one the latest that is none, if any."""
    by_package: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        by_package.setdefault((finding.package.name, finding.package.version), []).append(finding)
    seen = {(each.name, each.version): each for each in packages}
    for key, package in sorted(seen.items()):
        found = _fix(package, by_package.get(key, ()), available) or _latest(package, available)
        if found is None:
            continue
        if found.kind is UpdateKind.MAJOR and (smaller := _before_major(package, available)) is not None:
            yield smaller
        yield found


def _fix(package: Package, findings: Sequence[Finding], available: Available) -> Change | None:
    """Return the least step that ends as many weaknesses as can be ended."""
    ended = {finding.advisory: finding.fixed_in for finding in findings if finding.fixed_in}
    for wanted in _latest_first(package.ecosystem, set(ended.values())):
        fixes = [advisory for advisory, fixed in ended.items() if not _is_later(package.ecosystem, fixed, wanted)]
        if had := _had(package, wanted, available):
            return change(package.ecosystem, package.name, package.version, had, sorted(fixes))
    return None


def _latest(package: Package, available: Available) -> Change | None:
    versions = (available.versions or {}).get(package.name, ())
    if not versions or not _is_later(package.ecosystem, versions[-1], package.version):
        return None
    return change(package.ecosystem, package.name, package.version, versions[-1])


def _before_major(package: Package, available: Available) -> Change | None:
    """Return the step to the latest version that is no major one, None if there is none."""
    for version in reversed((available.versions or {}).get(package.name, ())):
        if _is_later(package.ecosystem, version, package.version):
            step = change(package.ecosystem, package.name, package.version, version)
            if step.kind is not UpdateKind.MAJOR:
                return step
    return None


def _had(package: Package, wanted: str, available: Available) -> str:
    """Return the least version from `wanted` on that can be had, "" if none can."""
    if available.versions is None:
        return wanted
    later = [each for each in available.versions.get(package.name, ()) if not _is_later(package.ecosystem, wanted, each)]
    if not later:
        return ""
    return later[0] if available.is_whole else wanted


def _latest_first(ecosystem: Ecosystem, versions: Iterable[str]) -> list[str]:
    """Return the versions that have an order, the latest first."""
    key = key_of(ecosystem)
    ordered = []
    for version in versions:
        try:
            ordered.append((key(version), version))
        except InvalidVersionError:
            continue
    return [version for _, version in sorted(ordered, key=lambda each: each[0], reverse=True)]


def _is_later(ecosystem: Ecosystem, one: str, other: str) -> bool:
    """Tell whether one is later than another; what has no order is not."""
    key = key_of(ecosystem)
    try:
        return key(other) < key(one)
    except InvalidVersionError:
        return False
