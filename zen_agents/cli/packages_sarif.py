"""The outcome of an audit as SARIF 2.1.0, for code scanning: what is not known fails the run there as well."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from zen_agents import __version__
from zen_agents.packages.advisories.answer import Finding
from zen_agents.packages.advisories.audit import Audit
from zen_agents.packages.advisories.severity import Rating
from zen_agents.packages.advisories.vex import Statement

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {Rating.CRITICAL: "error", Rating.HIGH: "error", Rating.LOW: "note"}


def sarif(outcome: Audit) -> Mapping[str, Any]:
    """Return the document: a rule for each weakness, what does not count as suppressed, what is unknown as notifications."""
    found: list[tuple[Finding, str]] = [(finding, "") for finding in outcome.findings]
    found += [(finding, f"{ignore.reason} (until {ignore.until})") for finding, ignore in outcome.ignored]
    found += [(finding, _excuse(said)) for finding, said in outcome.excused]
    rules = {finding.advisory: _rule(finding) for finding, _ in found}
    invocation = {
        "executionSuccessful": not outcome.unknown,
        "toolExecutionNotifications": [
            {"level": "error", "message": {"text": f"{each.source}: {each.why}" if each.source else each.why}}
            for each in outcome.unknown
        ],
    }
    run = {
        "tool": {"driver": {"name": "zen-agents", "version": __version__, "rules": [*rules.values()]}},
        "invocations": [invocation],
        "results": [_result(finding, why_not) for finding, why_not in found],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _excuse(said: Statement) -> str:
    return ": ".join(filter(None, (f"{said.status} by {said.source}", said.reason)))


def _rule(finding: Finding) -> Mapping[str, Any]:
    score = finding.severity.score
    tags = ["security", "known-exploited"] if finding.exploited else ["security"]
    rule: dict[str, Any] = {
        "id": finding.advisory,
        "shortDescription": {"text": finding.summary or finding.advisory},
        "properties": {"aliases": sorted(finding.aliases), "tags": tags},
    }
    if score is not None:
        rule["properties"]["security-severity"] = f"{score:.1f}"
    return rule


def _result(finding: Finding, why_not: str) -> Mapping[str, Any]:
    """Return a weakness in a package; `why_not` it does not count, "" if it does."""
    package = finding.package
    remedy = f"; fixed in {finding.fixed_in}" if finding.fixed_in else "; no fixed version is named"
    place = {"physicalLocation": {"artifactLocation": {"uri": Path(package.where).as_uri()}}}
    result: dict[str, Any] = {
        "ruleId": finding.advisory,
        "level": "error" if finding.exploited else _LEVELS.get(finding.severity.rating, "warning"),
        "message": {"text": f"{package.name} {package.version} has {finding.advisory}{remedy}"},
        "locations": [{**place, "logicalLocations": [{"fullyQualifiedName": package.purl, "kind": "package"}]}],
        "partialFingerprints": {"package/v1": f"{package.ecosystem}:{package.name}:{finding.advisory}"},
    }
    if why_not:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": why_not}]
    return result
