"""What a step between two versions is, by the version scheme of its ecosystem, and what a plan of steps is bound by."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zen_agents.packages.package import Ecosystem
from zen_agents.packages.plan import MalformedPlanError, UpdateKind, UpgradePlan, change, kind_of, plan_of
from zen_agents.packages.versions.order import InvalidVersionError, key_of, leading_numbers

PLAN = UpgradePlan(
    Ecosystem.PYPI, "/srv/app/venv", (change(Ecosystem.PYPI, "jinja2", "3.1.2", "3.1.4", ["GHSA-1"]),),
    adds=("markupsafe 2.1",), asks=("it removes something",), restarts=("app.service",),
)  # fmt: skip


@pytest.mark.parametrize(
    ("ecosystem", "installed", "wanted", "kind"),
    [
        (Ecosystem.PYPI, "3.1.2", "3.1.4", UpdateKind.SECURITY),
        (Ecosystem.PYPI, "3.1.2", "3.2", UpdateKind.SECURITY),
        (Ecosystem.PYPI, "3.1.2", "4.0", UpdateKind.MAJOR),
        (Ecosystem.PYPI, "3.1.2", "1!3.1.3", UpdateKind.MAJOR),
        (Ecosystem.PYPI, "3.1.2", "3.1.1", UpdateKind.MAJOR),
        (Ecosystem.PYPI, "0.4.1", "0.4.9", UpdateKind.SECURITY),
        (Ecosystem.PYPI, "0.4.1", "0.5.0", UpdateKind.MAJOR),
        (Ecosystem.PYPI, "0.9", "1.0", UpdateKind.MAJOR),
        (Ecosystem.PYPI, "2023.7.22", "2024.7.4", UpdateKind.SECURITY),
        (Ecosystem.PYPI, "2023.7.22", "3.0", UpdateKind.MAJOR),
        (Ecosystem.PYPI, "3.1.2", "nightly", UpdateKind.MAJOR),
        (Ecosystem.NPM, "1.2.3", "1.10.0", UpdateKind.SECURITY),
        (Ecosystem.NPM, "1.2.3", "2.0.0", UpdateKind.MAJOR),
        (Ecosystem.NPM, "0.2.3", "0.3.0", UpdateKind.MAJOR),
        (Ecosystem.DEBIAN, "1:9.2p1-2+deb12u2", "1:9.2p1-2+deb12u3", UpdateKind.SECURITY),
        (Ecosystem.DEBIAN, "1:9.2p1-2", "2:9.2p1-2", UpdateKind.MAJOR),
        (Ecosystem.DEBIAN, "115.1-1~deb12u1", "128.2-1~deb12u1", UpdateKind.MAJOR),
        (Ecosystem.DEBIAN, "2024a-0+deb12u1", "2025b-0+deb12u1", UpdateKind.SECURITY),
        (Ecosystem.DEBIAN, "git1-1", "git2-1", UpdateKind.SECURITY),
    ],
)
def test_how_far_a_step_goes(ecosystem: Ecosystem, installed: str, wanted: str, kind: UpdateKind) -> None:
    assert kind_of(ecosystem, installed, wanted, is_fix=True) is kind
    without = UpdateKind.MINOR if kind is UpdateKind.SECURITY else kind
    assert kind_of(ecosystem, installed, wanted, is_fix=False) is without


VERSIONS = st.one_of(st.text("019.ab+~:-!", max_size=8), st.sampled_from(["1.0", "2.0", "0.1.0", "1.2.3", "2024.1", ""]))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(Ecosystem), VERSIONS, VERSIONS, st.booleans())
def test_only_a_step_that_can_be_told_to_be_small_is_not_a_major_one(
    ecosystem: Ecosystem, installed: str, wanted: str, is_fix: bool
) -> None:
    kind = kind_of(ecosystem, installed, wanted, is_fix=is_fix)
    try:
        forward = key_of(ecosystem)(installed) <= key_of(ecosystem)(wanted)
        first = [leading_numbers(ecosystem, each)[:2] for each in (installed, wanted)]
    except InvalidVersionError:
        assert kind is UpdateKind.MAJOR
        return
    if not forward or (first[0] != first[1] and not all(each[1:] >= (1000,) for each in first)):
        assert kind is UpdateKind.MAJOR
    assert (kind is UpdateKind.SECURITY) <= is_fix


def test_a_plan_comes_back_from_json_as_it_was() -> None:
    assert plan_of(json.loads(json.dumps(PLAN.plain()))) == PLAN


def test_the_digest_is_over_all_of_a_plan() -> None:
    others = [
        replace(PLAN, place="/srv/other"),
        replace(PLAN, changes=()),
        replace(PLAN, adds=()),
        replace(PLAN, removes=("x",)),
        replace(PLAN, reversible=False),
        replace(PLAN, asks=()),
        replace(PLAN, restarts=()),
        replace(PLAN, ecosystem=Ecosystem.NPM),
    ]
    assert len({PLAN.digest, *(each.digest for each in others)}) == 1 + len(others)
    assert plan_of(json.loads(json.dumps(PLAN.plain()))).digest == PLAN.digest


@pytest.mark.parametrize(
    "wrong",
    [
        None, [], {}, {**PLAN.plain(), "ecosystem": "cargo"}, {**PLAN.plain(), "more": 1}, {**PLAN.plain(), "changes": [{}]},
        {**PLAN.plain(), "adds": [1]}, {**PLAN.plain(), "place": None}, {**PLAN.plain(), "reversible": "yes"},
        {**PLAN.plain(), "changes": [{**PLAN.plain()["changes"][0], "kind": "tiny"}]},
        {**PLAN.plain(), "changes": [{**PLAN.plain()["changes"][0], "wanted": 4}]}, {**PLAN.plain(), "changes": 3},
    ],
)  # fmt: skip
def test_what_is_no_plan_is_refused(wrong: object) -> None:
    with pytest.raises(MalformedPlanError):
        plan_of(wrong)
