"""The least step that ends what is weak, the latest of what is not, and nothing that cannot be had."""

from __future__ import annotations

import pytest

from zen_agents.packages.advisories.answer import Finding
from zen_agents.packages.advisories.severity import Severity
from zen_agents.packages.package import Ecosystem, package
from zen_agents.packages.plan import UpdateKind
from zen_agents.packages.updates import NOBODY_ASKED, Available, possible

JINJA = package(Ecosystem.PYPI, "jinja2", "3.1.2", "/srv/app")


def _found(advisory: str, fixed_in: str) -> Finding:
    return Finding(JINJA, advisory, frozenset(), Severity(), fixed_in, "", "here")


def _steps(available: Available, *findings: Finding) -> list[tuple[str, tuple[str, ...], UpdateKind]]:
    return [(each.wanted, each.fixes, each.kind) for each in possible([JINJA], findings, available)]


def test_one_step_ends_all_that_have_an_end() -> None:
    found = (_found("A", "3.1.3"), _found("B", "3.1.4"), _found("C", ""))
    assert _steps(NOBODY_ASKED, *found) == [("3.1.4", ("A", "B"), UpdateKind.SECURITY)]


def test_behind_a_major_step_the_latest_that_is_none_is_seen_too() -> None:
    assert _steps(Available({"jinja2": ("3.2", "4.0")})) == [("3.2", (), UpdateKind.MINOR), ("4.0", (), UpdateKind.MAJOR)]
    assert _steps(Available({"jinja2": ("4.0",)})) == [("4.0", (), UpdateKind.MAJOR)]
    fix = _steps(Available({"jinja2": ("3.2", "4.0", "4.1")}, is_whole=True), _found("A", "4.0"))
    assert fix == [("3.2", (), UpdateKind.MINOR), ("4.0", ("A",), UpdateKind.MAJOR)]


@pytest.mark.parametrize(
    ("available", "wanted"),
    [
        (Available({"jinja2": ("3.2",)}), "3.1.4"),
        (Available({"jinja2": ("3.1.3", "3.1.5", "3.2")}, is_whole=True), "3.1.5"),
        (Available({"jinja2": ("3.1.4+local", "3.2")}, is_whole=True), "3.1.4+local"),
    ],
)
def test_the_least_version_that_can_be_had(available: Available, wanted: str) -> None:
    assert [step[0] for step in _steps(available, _found("A", "3.1.4"))] == [wanted]


def test_where_the_last_fix_cannot_be_had_an_earlier_one_is_better_than_none() -> None:
    found = (_found("A", "3.1.3"), _found("B", "3.1.9"))
    assert _steps(Available({"jinja2": ("3.1.3",)}), *found) == [("3.1.3", ("A",), UpdateKind.SECURITY)]
    assert _steps(Available({}), *found) == []


def test_what_is_not_weak_is_told_with_its_latest_version() -> None:
    assert _steps(Available({"jinja2": ("3.2",)})) == [("3.2", (), UpdateKind.MINOR)]
    assert _steps(Available({"jinja2": ("4.0",)})) == [("4.0", (), UpdateKind.MAJOR)]
    assert _steps(Available({"jinja2": ("3.1.1",)})) == []
    assert _steps(NOBODY_ASKED) == []


def test_a_fix_without_an_order_is_no_way_out() -> None:
    assert _steps(NOBODY_ASKED, _found("A", "nightly")) == []
