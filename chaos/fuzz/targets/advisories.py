"""What sources of advisories answer, and vendors write: read whole or refused, and nothing is excused by half of it."""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Callable

from chaos.fuzz.promise import promise
from zen_agents.packages.advisories.advisory import MalformedAdvisoryError
from zen_agents.packages.advisories.answer import Finding
from zen_agents.packages.advisories.debsecan import feed_of
from zen_agents.packages.advisories.exploited import exploited_of
from zen_agents.packages.advisories.matching import Verdict, judge
from zen_agents.packages.advisories.npm import advisories_of, finding_of
from zen_agents.packages.advisories.osv import advisory_of
from zen_agents.packages.advisories.severity import Severity
from zen_agents.packages.advisories.vex import Statements, VexStatus
from zen_agents.packages.advisories.vex_documents import MalformedVexError, statements_of
from zen_agents.packages.package import Ecosystem, package
from zen_agents.packages.versions.order import InvalidVersionError

_JINJA = package(Ecosystem.PYPI, "jinja2", "3.1.3", "/srv/app")
_LODASH = package(Ecosystem.NPM, "lodash", "4.17.20", "/srv/web")
_BASH = package(Ecosystem.DEBIAN, "bash", "5.1", "/")


def _osv(data: bytes) -> None:
    judgement = judge(_JINJA, advisory_of(data))
    promise(judgement.verdict is not Verdict.UNDECIDED or bool(judgement.why), "undecided without a reason")


def _npm(data: bytes) -> None:
    for advisory in advisories_of(data).get(_LODASH.name, ()):
        found = finding_of(_LODASH, advisory, "npm")
        promise(found is None or bool(found.advisory), "a finding without a name")


def _vex(data: bytes) -> None:
    finding = Finding(_JINJA, "CVE-2026-1", frozenset(), Severity(), "", "", "osv")
    said = Statements(statements_of(data, "vex.json")).about(finding, {_JINJA.where: [_JINJA]})
    if said is not None and said.excuses:
        promise("CVE-2026-1" in said.names, "excused by what is said of another weakness")
        promise(said.status is VexStatus.FIXED or bool(said.reason), "excused without a reason")


def _feed(data: bytes) -> None:
    for entry in feed_of(zlib.compress(data)).of(_BASH):
        entry.affects(_BASH)


_READERS: tuple[Callable[[bytes], object], ...] = (_osv, _npm, _vex, _feed, exploited_of)
_RANGE = {
    "type": "ECOSYSTEM",
    "events": [{"introduced": "0"}, {"fixed": "3.1.4"}, {"introduced": "3.2"}, {"last_affected": "4"}],
}
_STATEMENT = {
    "vulnerability": {"name": "CVE-2026-1", "aliases": ["GHSA-x"]}, "products": [{"@id": "pkg:pypi/jinja2@3.1.3"}],
    "status": "not_affected", "justification": "component_not_present", "timestamp": "2026-01-01T00:00:00Z",
}  # fmt: skip
_DOCUMENTS: tuple[tuple[int, object], ...] = (
    (0, {"id": "PYSEC-1", "aliases": ["CVE-2026-1"], "affected": [
        {"package": {"ecosystem": "PyPI", "name": "Jinja2"}, "ranges": [_RANGE], "versions": ["3.1.3"]}
    ], "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}),
    (1, {"lodash": [{"id": 1, "url": "https://x/GHSA-aaaa-bbbb-cccc", "title": "t", "severity": "high",
                     "vulnerable_versions": ">=1.0.0 <2.0.0 || 3.0.0 - 4.17.20", "cvss": {"vectorString": None}}]}),
    (2, {"@context": "https://openvex.dev/ns/v0.2.0", "timestamp": "2026-01-01T00:00:00Z", "statements": [_STATEMENT]}),
    (2, {"bomFormat": "CycloneDX", "components": [{"bom-ref": "x", "purl": "pkg:pypi/jinja2@3.1.3"}], "vulnerabilities": [
        {"id": "CVE-2026-1", "analysis": {"state": "resolved", "detail": "d"}, "affects": [
            {"ref": "urn:cdx:0/1#x"}, {"ref": "x", "versions": [{"version": "3.1.3", "status": "unaffected"}]}]}]}),
    (4, {"count": 1, "vulnerabilities": [{"cveID": "CVE-2026-1111", "dateAdded": "2026-01-02", "dueDate": "2026-01-23"}]}),
)  # fmt: skip
SEEDS = (
    *(bytes([kind]) + json.dumps(document).encode() for kind, document in _DOCUMENTS),
    b"\x03VERSION 1\nCVE-2026-1,,a hole\n\nbash,0,SHRF,5.2,5.1-2\nlibfoo1,0,BM F,2.0,\n\nsrc,src\n\n",
)
WORDS = (
    b'"introduced"', b'"fixed"', b'"limit"', b'"not_affected"', b'"resolved"', b'"subcomponents"', b'"identifiers"',
    b"pkg:pypi/", b"pkg:deb/debian/x?arch=source", b"file:///srv/app", b" || ", b" - ", b">=", b"2026-01-01", b"VERSION 1\n",
)  # fmt: skip


def fuzz(data: bytes) -> None:
    """Read one document; the first byte says what it is taken for."""
    if not data:
        return
    with contextlib.suppress(MalformedAdvisoryError, MalformedVexError, InvalidVersionError):
        _READERS[data[0] % len(_READERS)](data[1:])
