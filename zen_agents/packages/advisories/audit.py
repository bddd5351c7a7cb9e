"""What all sources together say of packages. A package that no source was asked about is unknown, never clean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import date

from zen_agents.dataclass import dataclass
from zen_agents.packages.advisories.answer import Answer, Exploited, Finding, Unknown
from zen_agents.packages.advisories.ignoring import Ignore
from zen_agents.packages.advisories.severity import Rating
from zen_agents.packages.advisories.vex import Statement, Statements
from zen_agents.packages.package import Ecosystem, Package
from zen_agents.packages.versions.order import InvalidVersionError, key_of

#: Whose name a weakness goes by where several describe it: an ecosystem's own database before those of others.
_FIRST_NAMES = ("PYSEC-", "CVE-", "GHSA-")


@dataclass(frozen=True, slots=True)
class Audit:
    """The outcome; clean only if it has neither findings nor anything unknown."""

    #: What is known to be exploited first, then the worst.
    findings: tuple[Finding, ...]
    ignored: tuple[tuple[Finding, Ignore], ...]
    #: What does not count because somebody who knows says why.
    excused: tuple[tuple[Finding, Statement], ...]
    unknown: tuple[Unknown, ...]
    #: Decisions whose day has passed, of weaknesses that are there.
    expired: tuple[Ignore, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known besides answers: what people decided and said, and what attackers use, by CVE."""

    ignores: Sequence[Ignore] = ()
    statements: Sequence[Statement] = ()
    exploited: Mapping[str, Exploited] = field(default_factory=dict)


def audited(
    packages: Sequence[Package], answers: Sequence[Answer], known: Known, today: date, unread: Sequence[Unknown] = ()
) -> Audit:
    """Put answers together: one finding for each package and weakness, also where two sources know it by two names.

    `unread` is what could not be told before anybody was asked.
    """
    kept: list[Finding] = []
    ignored: list[tuple[Finding, Ignore]] = []
    excused: list[tuple[Finding, Statement]] = []
    expired: dict[Ignore, None] = {}
    statements, by_place = Statements(known.statements), _by_place(packages)
    merged = _merged(each for answer in answers for each in answer.findings)
    for finding in sorted((_marked(each, known.exploited) for each in merged), key=_worst_first):
        covering = [each for each in known.ignores if each.covers(finding)]
        in_force = next((each for each in covering if today <= each.until), None)
        said = statements.about(finding, by_place)
        if said is not None and said.excuses:
            excused.append((finding, said))
        elif in_force is not None:
            ignored.append((finding, in_force))
        else:
            kept.append(finding)
            expired |= dict.fromkeys(covering)
    unknown = (*unread, *(each for answer in answers for each in answer.unknown), *_not_asked(packages, answers))
    return Audit(tuple(kept), tuple(ignored), tuple(excused), unknown, tuple(expired))


def _by_place(packages: Iterable[Package]) -> Mapping[str, Sequence[Package]]:
    found: dict[str, list[Package]] = {}
    for package in packages:
        found.setdefault(package.where, []).append(package)
    return found


def _marked(finding: Finding, exploited: Mapping[str, Exploited]) -> Finding:
    mark = next((exploited[name] for name in sorted(finding.names) if name in exploited), None)
    return finding if mark is None else replace(finding, exploited=mark)


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
        first.package, name, names - {name}, worst.severity, _fixed_in(first, group),
        first.summary or next((each.summary for each in group if each.summary), ""),
        ", ".join(sorted({each.source for each in group})),
    )  # fmt: skip


def _fixed_in(first: Finding, group: Sequence[Finding]) -> str:
    """Return the version that none of them is about any more: the latest that is named, else what the first names."""
    named = {each.fixed_in for each in group if each.fixed_in}
    if len(named) < 2:
        return min(named, default="")
    try:
        return max(named, key=key_of(first.package.ecosystem))
    except InvalidVersionError:
        return first.fixed_in or min(named)


def _place_of(name: str) -> int:
    return next((place for place, prefix in enumerate(_FIRST_NAMES) if name.startswith(prefix)), len(_FIRST_NAMES))


def _worst_first(finding: Finding) -> tuple[bool, int, float, str, str, str]:
    severity, package = finding.severity, finding.package
    return (
        finding.exploited is None, -severity.rating.rank, -(severity.score or 0.0), package.name, package.where,
        finding.advisory,
    )  # fmt: skip


def _not_asked(packages: Sequence[Package], answers: Sequence[Answer]) -> Iterable[Unknown]:
    covered = {ecosystem for answer in answers for ecosystem in answer.ecosystems}
    for ecosystem in Ecosystem:
        count = sum(package.ecosystem is ecosystem for package in packages)
        if count and ecosystem not in covered:
            yield Unknown("", f"no source was asked about packages of {ecosystem}: {count}")
