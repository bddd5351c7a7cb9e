"""`packages audit`: what is known of the packages that were found, what is not, and how old that knowledge is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from zen_agents.adapters.advisories_audit import Audited, Sources, audit_of
from zen_agents.adapters.advisories_decisions import read_ignores, read_vex
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.progress import Progress
from zen_agents.cli.render import next_steps, note, plural, say, table
from zen_agents.cli.times import seconds_of
from zen_agents.clock import SystemClock
from zen_agents.model.duration import duration
from zen_agents.packages.advisories.addresses import OSV, TRACKER
from zen_agents.packages.advisories.answer import Finding, Unknown
from zen_agents.packages.advisories.audit import Audit
from zen_agents.packages.advisories.ignoring import Ignore
from zen_agents.packages.advisories.severity import Rating
from zen_agents.packages.package import Inventory, Package

_FOUND, _NOT_KNOWN = 1, 6
_MOST_UNKNOWN: Final = 20


def audit(call: Call, found: Sequence[Inventory]) -> int:
    """Ask who knows, print what they say; 1 if a package has a weakness that counts, 6 if not and not all could be told."""
    arguments = call.arguments
    ignores = read_ignores(arguments.ignore) if arguments.ignore else ()
    statements = [statement for path in arguments.vex or () for statement in read_vex(path)]
    now = SystemClock().now().wall
    with Progress(call) as shown:
        made = audit_of(
            found, _sources(call), now, ignores=ignores, statements=statements,
            told=lambda what, done, of: shown.show(what, done / of if of else None),
        )  # fmt: skip
    if made.cache_problem:
        note(made.cache_problem)
    _print(call, made, now)
    if any(_counts(each, Rating(arguments.at_least)) for each in made.outcome.findings):
        return _FOUND
    return _NOT_KNOWN if made.outcome.unknown else 0


def _counts(finding: Finding, least: Rating) -> bool:
    """Tell whether a weakness is as bad as that; what nobody rated may be, and what is exploited is."""
    rating = finding.severity.rating
    return finding.exploited is not None or rating is Rating.UNKNOWN or rating.rank >= least.rank


def _sources(call: Call) -> Sources:
    arguments = call.arguments
    return Sources(
        call.state_dir, tuple(arguments.osv or (OSV,)), arguments.npm, arguments.debsecan or TRACKER, arguments.suite,
        arguments.exploited, timedelta(seconds=seconds_of(arguments.max_age)),
    )  # fmt: skip


# -- what is printed --------------------------------------------------------------------------------------------------
def _print(call: Call, made: Audited, now: datetime) -> None:
    outcome = made.outcome
    if call.output == "sarif":
        from zen_agents.cli.packages_sarif import sarif  # noqa: PLC0415  where it is asked for

        print(json.dumps(sarif(outcome), indent=2))
    elif call.output in ("jsonl", "name") or call.fields:
        data(call, "packages-audit", [_as_json(each) for each in outcome.findings])
    elif call.machine:
        data(call, "packages-audit", _body(made))
    else:
        _show(call, made, now)
    for unknown in outcome.unknown[:_MOST_UNKNOWN]:
        note(f"unknown: {_about(unknown)}")
    if len(outcome.unknown) > _MOST_UNKNOWN:
        note(f"and {len(outcome.unknown) - _MOST_UNKNOWN} more; -o json has all")


def _show(call: Call, made: Audited, now: datetime) -> None:
    outcome = made.outcome
    if outcome.findings:
        rows = [
            (each.package.name, each.package.version, each.advisory, _how_bad(each), each.fixed_in or None,
             each.package.where, each.summary)
            for each in outcome.findings
        ]  # fmt: skip
        heads = ("PACKAGE", "VERSION", "ADVISORY", "SEVERITY", "FIXED IN", "WHERE", "WHAT")
        table(call, heads, rows, spare=("WHERE", "SEVERITY"), whole=("ADVISORY", "FIXED IN"), goes_on="WHAT")
        say(call, "")
    for finding, ignore in outcome.ignored:
        say(call, f"ignored until {ignore.until}: {finding.package.name} {finding.advisory}: {ignore.reason}")
    for finding, said in outcome.excused:
        why = f": {said.reason}" if said.reason else ""
        say(call, f"{said.status} by {said.source}: {finding.package.name} {finding.advisory}{why}")
    for ignore in outcome.expired:
        say(call, f"no longer ignored since {ignore.until}: {ignore.advisory}: {ignore.reason}")
    for answer in made.answers:
        age = "nothing was learned" if answer.as_of is None else _age(now, answer.as_of)
        say(call, f"asked: {answer.source} ({age})")
    say(call, _sum(made.packages, outcome))
    if outcome.findings:
        next_steps(call, "zen-agents packages audit -o json")


def _how_bad(finding: Finding) -> str:
    return f"{finding.severity.rating}, exploited" if finding.exploited else str(finding.severity.rating)


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


def _body(made: Audited) -> Mapping[str, Any]:
    outcome = made.outcome
    return {
        "packages": len(made.packages),
        "findings": [_as_json(each) for each in outcome.findings],
        "ignored": [{**_as_json(each), **_decision(ignore)} for each, ignore in outcome.ignored],
        "excused": [
            {**_as_json(each), "status": str(said.status), "reason": said.reason, "by": said.source}
            for each, said in outcome.excused
        ],
        "expired": [{"advisory": each.advisory, "package": each.package, **_decision(each)} for each in outcome.expired],
        "unknown": [
            {"source": each.source, "why": each.why, "purl": each.package.purl if each.package else None}
            for each in outcome.unknown
        ],
        "sources": [
            {"source": each.source, "ecosystems": sorted(each.ecosystems), "as_of": _moment(each.as_of)}
            for each in made.answers
        ],
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _decision(ignore: Ignore) -> Mapping[str, str]:
    return {"reason": ignore.reason, "until": ignore.until.isoformat()}


def _as_json(finding: Finding) -> Mapping[str, Any]:
    package, severity, mark = finding.package, finding.severity, finding.exploited
    return {
        "name": package.name, "version": package.version, "ecosystem": str(package.ecosystem), "environment": package.where,
        "purl": package.purl, "advisory": finding.advisory, "aliases": sorted(finding.aliases),
        "severity": str(severity.rating), "score": severity.score, "vector": severity.vector, "fixed_in": finding.fixed_in,
        "summary": finding.summary, "source": finding.source,
        "exploited": mark and {
            "since": mark.since.isoformat(), "due": mark.due.isoformat() if mark.due else None,
            "ransomware": mark.is_used_by_ransomware,
        },
    }  # fmt: skip
