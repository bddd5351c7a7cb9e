"""What all sources together say of packages. A package that no source was asked about is unknown, never clean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from zen_agents.dataclass import dataclass
from zen_agents.packages.advisories.answer import Answer, Finding, Unknown
from zen_agents.packages.advisories.ignoring import Ignore
from zen_agents.packages.advisories.severity import Rating
from zen_agents.packages.package import Ecosystem, Package

#: Whose name a weakness goes by where several describe it: an ecosystem's own database before those of others.
_FIRST_NAMES = ("PYSEC-", "CVE-", "GHSA-")


@dataclass(frozen=True, slots=True)
class Audit:
    """The outcome; clean only if it has neither findings nor anything unknown."""

    #: The worst first.
    findings: tuple[Finding, ...]
    ignored: tuple[tuple[Finding, Ignore], ...]
    unknown: tuple[Unknown, ...]
    #: Decisions whose day has passed, of weaknesses that are there.
    expired: tuple[Ignore, ...]


def audited(packages: Sequence[Package], answers: Sequence[Answer], ignores: Sequence[Ignore], today: date) -> Audit:
    """Put answers together: one finding for each package and weakness, also where two sources know it by two names."""
    found = sorted(_merged(each for answer in answers for each in answer.findings), key=_worst_first)
    kept: list[Finding] = []
    ignored: list[tuple[Finding, Ignore]] = []
    expired: dict[Ignore, None] = {}
    for finding in found:
        covering = [each for each in ignores if each.covers(finding)]
        in_force = next((each for each in covering if today <= each.until), None)
        if in_force is not None:
            ignored.append((finding, in_force))
        else:
            kept.append(finding)
            expired |= dict.fromkeys(covering)
    unknown = [each for answer in answers for each in answer.unknown]
    return Audit(tuple(kept), tuple(ignored), (*unknown, *_not_asked(packages, answers)), tuple(expired))


def _merged(findings: Iterable[Finding]) -> Iterable[Finding]:
    by_package: dict[Package, list[list[Finding]]] = {}
    for finding in findings:
        groups = by_package.setdefault(finding.package, [])
        # It may be what tells that two others are the same.
        same = [group for group in groups if any(finding.names & each.names for each in group)]
        groups[:] = [group for group in groups if group not in same]
        groups.append([*(each for group in same for each in group), finding])
    for groups in by_package.values():
        yield from (_one_of(group) for group in groups)


def _one_of(group: Sequence[Finding]) -> Finding:
    """Return one finding for all of the same weakness: by its first name, as bad as the worst of them says."""
    names = frozenset[str]().union(*(each.names for each in group))
    name = min(names, key=lambda name: (_place_of(name), name))
    first = min(group, key=lambda each: (_place_of(each.advisory), each.advisory))
    rated = [each for each in group if each.severity.rating is not Rating.UNKNOWN] or group
    worst = max(rated, key=lambda each: (each.severity.rating.rank, each.severity.score or 0.0))
    return Finding(
        first.package, name, names - {name}, worst.severity,
        first.fixed_in or next((each.fixed_in for each in group if each.fixed_in), ""),
        first.summary or next((each.summary for each in group if each.summary), ""),
        ", ".join(sorted({each.source for each in group})),
    )  # fmt: skip


def _place_of(name: str) -> int:
    return next((place for place, prefix in enumerate(_FIRST_NAMES) if name.startswith(prefix)), len(_FIRST_NAMES))


def _worst_first(finding: Finding) -> tuple[int, float, str, str, str]:
    severity, package = finding.severity, finding.package
    return -severity.rating.rank, -(severity.score or 0.0), package.name, package.where, finding.advisory


def _not_asked(packages: Sequence[Package], answers: Sequence[Answer]) -> Iterable[Unknown]:
    covered = {ecosystem for answer in answers for ecosystem in answer.ecosystems}
    for ecosystem in Ecosystem:
        count = sum(package.ecosystem is ecosystem for package in packages)
        if count and ecosystem not in covered:
            yield Unknown("", f"no source was asked about packages of {ecosystem}: {count}")
