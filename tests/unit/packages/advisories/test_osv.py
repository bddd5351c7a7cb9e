"""Records of OSV: what they say of a version, by the evaluation that its schema prescribes; and those that say nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.advisories import pypi, record
from zen_agents.packages.advisories.advisory import MalformedAdvisoryError
from zen_agents.packages.advisories.matching import Verdict, judge
from zen_agents.packages.advisories.osv import advisory_of
from zen_agents.packages.advisories.severity import Rating, severity_of
from zen_agents.packages.package import Ecosystem, package

AFFECTED, UNAFFECTED, UNDECIDED = Verdict.AFFECTED, Verdict.UNAFFECTED, Verdict.UNDECIDED
FROM_0 = {"introduced": "0"}


def said(version: str, *ranges: list[dict[str, str]], versions: list[str] | None = None) -> tuple[Verdict, str]:
    more = {} if versions is None else {"versions": versions}
    judgement = judge(pypi("Jinja2", version), advisory_of(record("PYSEC-1", "jinja2", *ranges, **more)))
    return judgement.verdict, judgement.fixed_in


@pytest.mark.parametrize(
    ("version", "verdict"), [("3.1.3", AFFECTED), ("3.1.4", UNAFFECTED), ("3.1.4rc1", AFFECTED), ("3.10", UNAFFECTED)]
)
def test_what_is_fixed_is_affected_up_to_there_in_the_order_of_its_ecosystem(version: str, verdict: Verdict) -> None:
    assert said(version, [FROM_0, {"fixed": "3.1.4"}])[0] is verdict


def test_the_last_affected_version_is_affected_and_names_no_fix() -> None:
    events = [{"introduced": "2.0"}, {"last_affected": "2.5"}]
    assert [said(version, events) for version in ("1.9", "2.5", "2.5.1")] == [
        (UNAFFECTED, ""), (AFFECTED, ""), (UNAFFECTED, "")
    ]  # fmt: skip


def test_a_range_may_end_and_begin_again_and_its_events_stand_in_any_order() -> None:
    events = [{"fixed": "3.2"}, {"introduced": "3.0"}, {"fixed": "2.4"}, {"introduced": "2.0"}]
    found = [said(version, events) for version in ("2.1", "2.4", "3.1", "3.2")]
    assert found == [(AFFECTED, "2.4"), (UNAFFECTED, ""), (AFFECTED, "3.2"), (UNAFFECTED, "")]


def test_the_fix_is_what_leaves_every_range() -> None:
    assert said("1.0", [FROM_0, {"fixed": "1.9"}], [FROM_0, {"fixed": "1.10"}]) == (AFFECTED, "1.10")


def test_a_limit_bounds_a_range() -> None:
    assert said("4.0", [FROM_0, {"limit": "4.0"}]) == (UNAFFECTED, "")
    assert said("3.9", [FROM_0, {"limit": "4.0"}]) == (AFFECTED, "")
    assert said("9", [FROM_0, {"limit": "*"}]) == (AFFECTED, "")


def test_listed_versions_are_affected_however_they_are_written() -> None:
    assert said("1.0.0", versions=["0.9", "1.0", "no version"]) == (AFFECTED, "")
    assert said("1.1", versions=["0.9", "1.0"]) == (UNAFFECTED, "")
    assert said("weird!", versions=["weird!"])[0] is AFFECTED


@pytest.mark.parametrize(
    ("version", "ranges"),
    [
        ("1.0", []),  # neither ranges nor versions
        ("1.0", [[]]),  # a range without events
        ("1.0", [[{"fixed": "2.0"}]]),  # one that begins nowhere
        ("1.0", [[FROM_0, {"fixed": "not a version"}]]),
        ("not a version", [[FROM_0, {"fixed": "2.0"}]]),
    ],
)
def test_what_cannot_be_compared_is_undecided_and_never_unaffected(version: str, ranges: list[list[dict[str, str]]]) -> None:
    judgement = judge(pypi("jinja2", version), advisory_of(record("PYSEC-1", "jinja2", *ranges)))
    assert judgement.verdict is UNDECIDED
    assert judgement.why


def test_ranges_of_commits_alone_say_nothing_of_versions() -> None:
    body = json.loads(record("PYSEC-1", "jinja2", [FROM_0]))
    body["affected"][0]["ranges"][0]["type"] = "GIT"
    assert judge(pypi("jinja2", "1.0"), advisory_of(json.dumps(body).encode())).verdict is UNDECIDED


def test_a_withdrawn_record_affects_nobody() -> None:
    assert judge(pypi("jinja2", "1"), advisory_of(record("A", "jinja2", [FROM_0], withdrawn="2026-01-01T00:00:00Z"))) == (
        judge(pypi("jinja2", "1"), advisory_of(record("A", "other", [FROM_0])))
    )


def test_names_that_differ_in_case_or_dashes_are_one_package_in_python_alone() -> None:
    for_python = advisory_of(record("A", "Flask_SQLAlchemy", [FROM_0]))
    assert judge(pypi("flask-sqlalchemy", "1"), for_python).verdict is AFFECTED
    for_npm = advisory_of(record("A", "JSONStream", [FROM_0], ecosystem="npm"))
    assert judge(package(Ecosystem.NPM, "JSONStream", "1.0.0", "/a"), for_npm).verdict is AFFECTED
    assert judge(package(Ecosystem.NPM, "jsonstream", "1.0.0", "/a"), for_npm).verdict is UNAFFECTED
    assert judge(pypi("JSONStream", "1.0.0"), for_npm).verdict is UNAFFECTED


def test_severity_is_the_score_of_the_vector_or_the_publishers_word() -> None:
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    read = advisory_of(record("A", "x", [FROM_0], severity=[{"type": "CVSS_V3", "score": vector}])).severity
    assert (read.rating, read.score, read.vector) == (Rating.CRITICAL, 9.8, vector)
    newer = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"
    assert severity_of([vector, newer]).vector == newer
    assert severity_of([newer, vector, "AV:N/AC:L/Au:N/C:P/I:P/A:P"]).score == 6.9
    oldest = severity_of(["AV:N/AC:L/Au:N/C:P/I:P/A:P"])
    assert (oldest.rating, oldest.score) == (Rating.HIGH, 7.5)
    assert severity_of(["CVSS:3.1/nonsense"], "MODERATE").rating is Rating.MEDIUM
    assert severity_of([], "dreadful").rating is Rating.UNKNOWN
    assert severity_of([], "HIGH").rating is Rating.HIGH


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"null", b"{}", b"<html>not here</html>", b'{"id": "../../etc/passwd"}', b'{"id": "A", "affected": 7}',
        record("A", "x", [{"introduced": "0", "reverted": "2"}]), record("A", "x", [FROM_0], schema_version="2.0.0"),
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused_with_the_reason(content: bytes) -> None:
    with pytest.raises(MalformedAdvisoryError, match="OSV"):
        advisory_of(content)


@given(st.integers(0, 9), st.lists(st.tuples(st.sampled_from(["introduced", "fixed"]), st.integers(0, 9)), max_size=6))
def test_a_range_is_walked_as_the_schema_walks_it(version: int, events: list[tuple[str, int]]) -> None:
    """The schema's own pseudo code over whole numbers, without two events of one version, which it does not order."""
    events = list({number: (bound, number) for bound, number in events}.values())
    expected = False
    for bound, number in sorted(events, key=lambda event: event[1]):
        if version >= number:
            expected = bound == "introduced"
    found, _ = said(f"{version}.0", [{bound: f"{number}.0"} for bound, number in events])
    if any(bound == "introduced" for bound, _ in events):
        assert found is (AFFECTED if expected else UNAFFECTED)
    else:
        assert found is UNDECIDED
