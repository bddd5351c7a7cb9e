"""`packages audit`: what is known of the packages that were found, what is not, and how old that knowledge is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from zen_agents.adapters.advisories_cache import AdvisoryCache
from zen_agents.adapters.advisories_debsecan import DebianTracker
from zen_agents.adapters.advisories_http import is_address
from zen_agents.adapters.advisories_osv import OsvApi
from zen_agents.adapters.advisories_records import OsvRecords
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.packages_audit_arguments import OSV, TRACKER
from zen_agents.cli.packages_sarif import sarif
from zen_agents.cli.render import next_steps, note, plural, say, table
from zen_agents.cli.times import seconds_of
from zen_agents.clock import SystemClock
from zen_agents.errors import UsageError
from zen_agents.model.duration import duration
from zen_agents.packages.advisories.answer import AdvisorySource, Answer, Finding, Unknown
from zen_agents.packages.advisories.audit import Audit, audited
from zen_agents.packages.advisories.ignoring import Ignore, MalformedIgnoreListError, ignore_list
from zen_agents.packages.package import Ecosystem, Inventory, Package

_FOUND, _NOT_KNOWN = 1, 6
_MOST_UNKNOWN: Final = 20
_MOST_IGNORE_BYTES: Final = 1 << 20


def audit(call: Call, found: Sequence[Inventory]) -> int:
    """Ask who knows, print what they say; 1 if a package has a weakness, 6 if none is known and not all could be told."""
    ignores = _ignores(call.arguments.ignore)
    now = SystemClock().now().wall
    packages = [package for inventory in found for package in inventory.packages]
    with _sources(call, packages, now) as sources:
        answers = [source.ask(packages) for source in sources]
    outcome = audited(packages, answers, ignores, now.date())
    unread = [Unknown(each.environment, str(problem)) for each in found for problem in each.problems]
    outcome = Audit(outcome.findings, outcome.ignored, (*unread, *outcome.unknown), outcome.expired)
    _print(call, packages, answers, outcome, now)
    if outcome.findings:
        return _FOUND
    return _NOT_KNOWN if outcome.unknown else 0


@contextmanager
def _sources(call: Call, packages: Sequence[Package], now: datetime) -> Iterator[Sequence[AdvisorySource]]:
    """Make the sources that know these packages; nobody is asked about what is not there."""
    max_age = timedelta(seconds=seconds_of(call.arguments.max_age))
    ecosystems = {package.ecosystem for package in packages}
    cache = AdvisoryCache(call.state_dir, now)
    sources: list[AdvisorySource] = []
    if ecosystems - {Ecosystem.DEBIAN}:
        for place in dict.fromkeys(call.arguments.osv or (OSV,)):
            sources.append(OsvApi(place, cache, now, max_age) if is_address(place) else OsvRecords(Path(place).absolute()))
    if Ecosystem.DEBIAN in ecosystems:
        place = call.arguments.debsecan or TRACKER
        place = place if is_address(place) else str(Path(place.removeprefix("file://")).absolute())
        sources.append(DebianTracker(place, cache, now, max_age, suite=call.arguments.suite))
    try:
        yield sources
    finally:
        cache.close()
        if cache.problem:
            note(cache.problem)


def _ignores(path: Path | None) -> Sequence[Ignore]:
    """Return the decisions in a file; UsageError if it cannot be read or understood: nobody looks at half of them."""
    if path is None:
        return ()
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_IGNORE_BYTES)
        return ignore_list(yaml.safe_load(text))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, MalformedIgnoreListError, RecursionError) as error:
        raise UsageError(f"{path}: {' '.join(str(error).split())}") from error


# -- what is printed --------------------------------------------------------------------------------------------------
def _print(call: Call, packages: Sequence[Package], answers: Sequence[Answer], outcome: Audit, now: datetime) -> None:
    if call.output == "sarif":
        print(json.dumps(sarif(outcome), indent=2))
    elif call.output in ("jsonl", "name") or call.fields:
        data(call, "packages-audit", [_as_json(each) for each in outcome.findings])
    elif call.machine:
        data(call, "packages-audit", _body(packages, answers, outcome))
    else:
        _show(call, packages, answers, outcome, now)
    for unknown in outcome.unknown[:_MOST_UNKNOWN]:
        note(f"unknown: {_about(unknown)}")
    if len(outcome.unknown) > _MOST_UNKNOWN:
        note(f"and {len(outcome.unknown) - _MOST_UNKNOWN} more; -o json has all")


def _show(call: Call, packages: Sequence[Package], answers: Sequence[Answer], outcome: Audit, now: datetime) -> None:
    if outcome.findings:
        rows = [
            (each.package.name, each.package.version, each.advisory, str(each.severity.rating), each.fixed_in or None,
             each.package.where, each.summary)
            for each in outcome.findings
        ]  # fmt: skip
        heads = ("PACKAGE", "VERSION", "ADVISORY", "SEVERITY", "FIXED IN", "WHERE", "WHAT")
        table(call, heads, rows, spare=("WHERE", "SEVERITY"), whole=("ADVISORY", "FIXED IN"), goes_on="WHAT")
        say(call, "")
    for finding, ignore in outcome.ignored:
        say(call, f"ignored until {ignore.until}: {finding.package.name} {finding.advisory}: {ignore.reason}")
    for ignore in outcome.expired:
        say(call, f"no longer ignored since {ignore.until}: {ignore.advisory}: {ignore.reason}")
    for answer in answers:
        age = "nothing was learned" if answer.as_of is None else _age(now, answer.as_of)
        say(call, f"asked: {answer.source} ({age})")
    say(call, _sum(packages, outcome))
    if outcome.findings:
        next_steps(call, "zen-agents packages audit -o json")


def _sum(packages: Sequence[Package], outcome: Audit) -> str:
    told = plural(len(packages), "package")
    if outcome.findings:
        affected = plural(len({finding.package for finding in outcome.findings}), "package")
        told += f", {_weaknesses(len(outcome.findings))} in {affected}"
    elif not outcome.unknown:
        told += ", no known weakness"
    unknown = f"; UNKNOWN: {plural(len(outcome.unknown), 'thing')} could not be told" if outcome.unknown else ""
    return f"{told}{unknown}"


def _weaknesses(count: int) -> str:
    return "1 known weakness" if count == 1 else f"{count} known weaknesses"


def _age(now: datetime, at: datetime) -> str:
    seconds = (now - at).total_seconds()
    return f"as of {duration(seconds)} ago" if seconds >= 1 else "as of now"


def _about(unknown: Unknown) -> str:
    package = f"{unknown.package.name} {unknown.package.version}: " if unknown.package else ""
    return f"{package}{unknown.why}"


def _body(packages: Sequence[Package], answers: Sequence[Answer], outcome: Audit) -> Mapping[str, Any]:
    return {
        "packages": len(packages),
        "findings": [_as_json(each) for each in outcome.findings],
        "ignored": [{**_as_json(each), **_decision(ignore)} for each, ignore in outcome.ignored],
        "expired": [{"advisory": each.advisory, "package": each.package, **_decision(each)} for each in outcome.expired],
        "unknown": [
            {"source": each.source, "why": each.why, "purl": each.package.purl if each.package else None}
            for each in outcome.unknown
        ],
        "sources": [
            {"source": each.source, "ecosystems": sorted(each.ecosystems), "as_of": _moment(each.as_of)} for each in answers
        ],
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _decision(ignore: Ignore) -> Mapping[str, str]:
    return {"reason": ignore.reason, "until": ignore.until.isoformat()}


def _as_json(finding: Finding) -> Mapping[str, Any]:
    package, severity = finding.package, finding.severity
    return {
        "name": package.name, "version": package.version, "ecosystem": str(package.ecosystem), "environment": package.where,
        "purl": package.purl, "advisory": finding.advisory, "aliases": sorted(finding.aliases),
        "severity": str(severity.rating), "score": severity.score, "vector": severity.vector, "fixed_in": finding.fixed_in,
        "summary": finding.summary, "source": finding.source,
    }  # fmt: skip
