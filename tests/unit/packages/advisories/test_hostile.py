"""Whatever a source or a file holds, its reader ends with what it says or with its own refusal, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.advisories import WHERE, catalogue, feed, pypi, record
from zen_agents.packages.advisories.advisory import MalformedAdvisoryError
from zen_agents.packages.advisories.answer import Finding
from zen_agents.packages.advisories.debsecan import feed_of
from zen_agents.packages.advisories.exploited import exploited_of
from zen_agents.packages.advisories.ignore_lists import MalformedIgnoreListError, ignore_list
from zen_agents.packages.advisories.matching import judge
from zen_agents.packages.advisories.npm import advisories_of, finding_of
from zen_agents.packages.advisories.osv import advisory_of
from zen_agents.packages.advisories.severity import Severity
from zen_agents.packages.advisories.vex import Statements
from zen_agents.packages.advisories.vex_documents import MalformedVexError, statements_of
from zen_agents.packages.package import Ecosystem, package
from zen_agents.packages.versions.order import InvalidVersionError

_RANDOM = settings(max_examples=60, deadline=None)
_WORDS = st.sampled_from((
    "", "0", "1.0", "CVE-1", "pkg:pypi/jinja2@3.1.3", "pkg:deb/debian/x?arch=source", f"file://{WHERE}", "\ud800", "\0",
    "not_affected", "9" * 400, "2026-01-01T00:00:00Z", "<1.0.0 || *", "https://openvex.dev/ns", "CycloneDX", "x" * 3000,
))  # fmt: skip
_KEYS = st.sampled_from((
    "id", "name", "purl", "@id", "@context", "bomFormat", "statements", "products", "status", "vulnerability", "analysis",
    "state", "affects", "ref", "versions", "version", "ranges", "events", "introduced", "fixed", "limit", "affected",
    "package", "ecosystem", "vulnerabilities", "count", "cveID", "dateAdded", "vulnerable_versions", "url", "cvss", "score",
    "severity", "timestamp",
))  # fmt: skip
_PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _WORDS
_ANYTHING = st.recursive(
    _PLAIN, lambda part: st.lists(part, max_size=3) | st.dictionaries(_KEYS, part, max_size=6), max_leaves=25
)
JINJA = pypi("jinja2", "3.1.3")
LODASH = package(Ecosystem.NPM, "lodash", "4.17.20", "/a")


def _osv(content: bytes) -> None:
    judge(JINJA, advisory_of(content))


def _npm(content: bytes) -> None:
    for advisories in advisories_of(content).values():
        for advisory in advisories:
            finding_of(LODASH, advisory, "npm")


def _vex(content: bytes) -> None:
    found = Statements(statements_of(content, "vex.json"))
    found.about(Finding(JINJA, "CVE-1", frozenset(), Severity(), "", "", "osv"), {WHERE: [JINJA]})


_READERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "osv": (_osv, record("PYSEC-1", "jinja2", [{"introduced": "0"}, {"fixed": "3.1.4"}])),
    "npm": (_npm, b'{"lodash": [{"id": 7, "url": "u", "title": "t", "severity": "low", "vulnerable_versions": "<1.0.0"}]}'),
    "vex": (_vex, b'{"@context": "https://openvex.dev/ns", "timestamp": "2026-01-01T00:00:00Z", "statements": [{"status": '
                  b'"not_affected", "vulnerability": "CVE-1", "products": ["pkg:pypi/jinja2"], "justification": "x"}]}'),
    "cyclonedx": (_vex, b'{"bomFormat": "CycloneDX", "vulnerabilities": [{"id": "CVE-1", "analysis": {"state": "resolved"},'
                        b'"affects": [{"ref": "pkg:pypi/jinja2@3.1.3", "versions": [{"version": "1"}]}]}]}'),
    "exploited": (exploited_of, catalogue("CVE-2026-1111")),
}  # fmt: skip
_REFUSALS = (MalformedAdvisoryError, MalformedVexError, InvalidVersionError)


def _read(reader: Callable[[bytes], object], content: bytes) -> None:
    try:
        reader(content)
    except _REFUSALS as error:
        assert str(error)


@pytest.mark.parametrize("name", _READERS)
@_RANDOM
@given(st.data())
def test_a_document_in_which_one_part_is_something_else(name: str, data: st.DataObject) -> None:
    reader, content = _READERS[name]
    _read(reader, json.dumps(_with_another_part(json.loads(content), data)).encode())


def _with_another_part(value: Any, data: st.DataObject) -> Any:
    if isinstance(value, (dict, list)) and value and data.draw(st.integers(0, 3)):
        places = list(value) if isinstance(value, dict) else list(range(len(value)))
        place = data.draw(st.sampled_from(places))
        value[place] = _with_another_part(value[place], data)
        return value
    return data.draw(_ANYTHING)


@pytest.mark.parametrize("name", _READERS)
@_RANDOM
@given(st.binary(max_size=40), st.integers(0, 400))
def test_a_document_that_is_damaged(name: str, bytes_between: bytes, place: int) -> None:
    reader, content = _READERS[name]
    _read(reader, content[:place] + bytes_between + content[place:])
    _read(reader, content[:place])


@pytest.mark.parametrize("name", _READERS)
@pytest.mark.parametrize("depth", [200, 900, 100_000])
def test_a_document_that_is_nested_deeply(name: str, depth: int) -> None:
    reader, _ = _READERS[name]
    _read(reader, b"[" * depth + b"]" * depth)
    inside = b'{"bomFormat": "CycloneDX", "components": [' * depth + b"]}" * depth
    _read(reader, inside)


@_RANDOM
@given(st.binary(max_size=60), st.integers(0, 100))
@example(b"\0" * 60, 3)
def test_a_feed_that_is_damaged(bytes_between: bytes, place: int) -> None:
    content = feed(["bash,0,SHRF,5.2,5.1-2"])
    _read(feed_of, content[:place] + bytes_between + content[place:])


@_RANDOM
@given(_ANYTHING)
def test_a_list_of_what_is_ignored(value: Any) -> None:
    try:
        ignore_list(value)
    except MalformedIgnoreListError as error:
        assert str(error)
