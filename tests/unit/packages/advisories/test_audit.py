"""Answers put together: one weakness once, what is ignored and until when, and nothing unknown that looks like nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.support.advisories import debian, pypi
from zen_agents.packages.advisories.answer import Answer, Finding, Unknown
from zen_agents.packages.advisories.audit import Known, audited
from zen_agents.packages.advisories.ignore_lists import MalformedIgnoreListError, ignore_list
from zen_agents.packages.advisories.severity import Rating, Severity
from zen_agents.packages.package import Ecosystem

TODAY = date(2026, 1, 7)
JINJA = pypi("jinja2", "3.1.3")
BASH = debian("bash", "5.1")


def found(advisory: str, *aliases: str, rating: Rating = Rating.HIGH, **more: Any) -> Finding:
    given = {"fixed_in": "3.1.4", "summary": "", "source": "osv", "package": JINJA, **more}
    return Finding(advisory=advisory, aliases=frozenset(aliases), severity=Severity(rating), **given)


def answer(*findings: Finding, unknown: tuple[Unknown, ...] = ()) -> Answer:
    return Answer("osv", frozenset({Ecosystem.PYPI}), findings, unknown, None)


def test_one_weakness_under_several_names_is_one_finding() -> None:
    """The third is what tells that the first two are the same."""
    audit = audited(
        [JINJA],
        [
            answer(
                found("GHSA-x", rating=Rating.LOW), found("PYSEC-1", "CVE-1", rating=Rating.UNKNOWN),
                found("GHSA-y", "CVE-2"),
                found("CVE-1", "GHSA-x", rating=Rating.MEDIUM),
            )
        ],
        Known(), TODAY,
    )  # fmt: skip
    assert [each.advisory for each in audit.findings] == ["CVE-2", "PYSEC-1"]
    assert audit.findings[1].aliases == {"CVE-1", "GHSA-x"}
    assert audit.findings[1].severity.rating is Rating.MEDIUM


@pytest.mark.parametrize(
    ("one", "other", "fixed_in"),
    [
        ("3.1.9", "3.1.10", "3.1.10"),
        ("", "3.1.4", "3.1.4"),
        ("3.1.4", "", "3.1.4"),
        ("", "", ""),
        ("3.1.4", "soon!", "3.1.4"),
    ],
)
def test_who_is_rid_of_a_weakness_is_so_by_everybody_who_knows_it(one: str, other: str, fixed_in: str) -> None:
    both = answer(found("PYSEC-1", "CVE-1", fixed_in=one), found("GHSA-x", "CVE-1", fixed_in=other))
    (finding,) = audited([JINJA], [both], Known(), TODAY).findings
    assert finding.fixed_in == fixed_in


def test_a_package_that_no_source_was_asked_about_is_unknown() -> None:
    audit = audited([JINJA, BASH], [answer()], Known(), TODAY)
    (unknown,) = audit.unknown
    assert unknown.why == "no source was asked about packages of debian: 1"
    assert audited([JINJA], [answer(unknown=(Unknown("osv", "did not answer"),))], Known(), TODAY).unknown


def test_what_is_ignored_stays_told_with_its_reason_until_its_day_has_passed() -> None:
    ignores = ignore_list([{"advisory": "CVE-1", "reason": "not reachable", "until": "2026-01-07", "package": "Jinja2"}])
    audit = audited([JINJA], [answer(found("PYSEC-1", "CVE-1"))], Known(ignores), TODAY)
    assert (audit.findings, audit.expired) == ((), ())
    assert [decision.reason for _, decision in audit.ignored] == ["not reachable"]
    later = audited([JINJA], [answer(found("PYSEC-1", "CVE-1"))], Known(ignores), date(2026, 1, 8))
    assert (len(later.findings), later.ignored, later.expired) == (1, (), ignores)


def test_what_is_ignored_in_one_package_is_not_ignored_in_another() -> None:
    ignores = ignore_list([{"advisory": "CVE-1", "reason": "r", "until": date(2027, 1, 1), "package": "flask"}])
    assert len(audited([JINJA], [answer(found("CVE-1"))], Known(ignores), TODAY).findings) == 1


@pytest.mark.parametrize(
    ("entries", "place"),
    [
        ([{"advisory": "CVE-1", "until": "2026-01-07"}], "entry 1: reason"),
        ([{"advisory": "CVE-1", "reason": " ", "until": "2026-01-07"}], "entry 1: reason"),
        ([{"advisory": "CVE-1", "reason": "r"}], "entry 1: until"),
        ([{"advisory": "CVE-1", "reason": "r", "until": "some day"}], "entry 1: until"),
        ([{"advisory": "CVE-1", "reason": "r", "until": "2026-01-07", "pakage": "x"}], "entry 1: pakage"),
        ({"advisory": "CVE-1"}, "the list:"),
        ("CVE-1", "the list:"),
    ],
)
def test_a_list_that_is_not_understood_ignores_nothing(entries: Any, place: str) -> None:
    with pytest.raises(MalformedIgnoreListError, match=place):
        ignore_list(entries)
