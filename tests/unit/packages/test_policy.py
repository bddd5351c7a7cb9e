"""What policy does of a change, and of a plan with all that comes along."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zen_agents.packages.package import Ecosystem
from zen_agents.packages.plan import Change, UpdateKind, UpgradePlan, change
from zen_agents.packages.policy import Policy, Stance, Updates, held_by, judge, judge_plan

PYPI = Ecosystem.PYPI
DEFAULT = Policy()
FIX = change(PYPI, "jinja2", "3.1.2", "3.1.4", ["GHSA-1"])
MAJOR_FIX = change(PYPI, "jinja2", "3.1.2", "4.0", ["GHSA-1"])
MINOR = change(PYPI, "click", "8.1", "8.2")
MAJOR = change(PYPI, "click", "8.1", "9.0")


def _plan(
    *changes: Change, removes: tuple[str, ...] = (), asks: tuple[str, ...] = (), reversible: bool = True
) -> UpgradePlan:
    return UpgradePlan(PYPI, "/srv/app", changes, removes=removes, asks=asks, reversible=reversible)


@pytest.mark.parametrize(
    ("policy", "possible", "stance"),
    [
        (DEFAULT, FIX, Stance.DO),
        (DEFAULT, MINOR, Stance.TELL),
        (DEFAULT, MAJOR, Stance.LEAVE),
        (DEFAULT, MAJOR_FIX, Stance.ASK),
        (Policy(security=Updates.NOTIFY), FIX, Stance.TELL),
        (Policy(security=Updates.NOTIFY), MAJOR_FIX, Stance.TELL),
        (Policy(security=Updates.DISABLED), FIX, Stance.LEAVE),
        (Policy(security=Updates.DISABLED), MAJOR_FIX, Stance.LEAVE),
        (Policy(minor=Updates.AUTO), MINOR, Stance.DO),
        (Policy(major=Updates.AUTO), MAJOR, Stance.ASK),
        (Policy(security=Updates.DISABLED, major=Updates.AUTO), MAJOR_FIX, Stance.ASK),
        (Policy(major=Updates.NOTIFY), MAJOR, Stance.TELL),
        (Policy(hold=("jinja*",)), FIX, Stance.TELL),
        (Policy(hold=("CLICK",), minor=Updates.AUTO), MINOR, Stance.LEAVE),
    ],
)
def test_one_change(policy: Policy, possible: Change, stance: Stance) -> None:
    judgement = judge(policy, PYPI, possible)
    assert judgement.stance is stance
    assert judgement.reasons


@pytest.mark.parametrize(
    ("policy", "plan", "stance"),
    [
        (DEFAULT, _plan(FIX), Stance.DO),
        (DEFAULT, _plan(FIX, MINOR), Stance.DO),
        (DEFAULT, _plan(FIX, MAJOR), Stance.ASK),
        (DEFAULT, _plan(MINOR), Stance.TELL),
        (DEFAULT, _plan(FIX, removes=("old",)), Stance.ASK),
        (DEFAULT, _plan(FIX, reversible=False), Stance.ASK),
        (DEFAULT, _plan(FIX, asks=("it ships ssh.service",)), Stance.ASK),
        (Policy(hold=("click",)), _plan(FIX, MINOR), Stance.TELL),
        (Policy(hold=("old",)), _plan(FIX, removes=("old",)), Stance.TELL),
        (Policy(security=Updates.NOTIFY), _plan(FIX, MINOR, removes=("old",)), Stance.TELL),
        (DEFAULT, _plan(), Stance.LEAVE),
        (DEFAULT, replace(_plan(), adds=("new 1.0",)), Stance.ASK),
    ],
)
def test_a_whole_plan(policy: Policy, plan: UpgradePlan, stance: Stance) -> None:
    judgement = judge_plan(policy, plan)
    assert judgement.stance is stance
    assert judgement.reasons


@pytest.mark.parametrize(
    ("ecosystem", "pattern", "name", "is_held"),
    [
        (PYPI, "Zope.*", "zope-interface", True),
        (PYPI, "my_lib", "My.Lib", True),
        (PYPI, "[A-F]lask", "flask", True),
        (PYPI, "flask", "flask-login", False),
        (Ecosystem.DEBIAN, "postgresql-*", "postgresql-15", True),
        (Ecosystem.DEBIAN, "linux-image-[0-9]*", "linux-image-6.1.0-25-amd64", True),
        (Ecosystem.DEBIAN, "libssl?", "libssl", False),
        (Ecosystem.NPM, "@Acme/*", "@Acme/ui", True),
        (Ecosystem.NPM, "@Acme/*", "@acme/ui", False),
    ],
)
def test_hold_names_packages_as_their_ecosystem_does(ecosystem: Ecosystem, pattern: str, name: str, is_held: bool) -> None:
    assert bool(held_by(Policy(hold=(pattern,)), ecosystem, name)) is is_held


UPDATES = st.sampled_from(Updates)
NAMES = st.sampled_from(["flask", "jinja2", "click", "zope-interface"])
POLICIES = st.builds(
    Policy,
    UPDATES,
    UPDATES,
    UPDATES,
    st.lists(st.sampled_from(["flask", "Zope.*", "c*", "[j]inja2"]), max_size=2).map(tuple),
)
CHANGES = st.builds(
    Change, NAMES, st.just("1.0"), st.just("2.0"), st.lists(st.just("CVE-1"), max_size=1).map(tuple),
    st.sampled_from(UpdateKind),
)  # fmt: skip
PLANS = st.builds(
    UpgradePlan, st.just(PYPI), st.just("/srv/app"), st.lists(CHANGES, max_size=4).map(tuple),
    removes=st.lists(NAMES, max_size=1).map(tuple), reversible=st.booleans(),
    asks=st.lists(st.just("why"), max_size=1).map(tuple),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(POLICIES, PLANS)
def test_nothing_major_held_lost_or_for_good_is_ever_done_unasked(policy: Policy, plan: UpgradePlan) -> None:
    stance = judge_plan(policy, plan).stance
    assert (stance is Stance.DO) <= (
        all(each.kind is not UpdateKind.MAJOR for each in plan.changes)
        and not any(held_by(policy, PYPI, name) for name in (*plan.removes, *(each.name for each in plan.changes)))
        and not plan.removes
        and not plan.asks
        and plan.reversible
    )


@settings(max_examples=200, deadline=None)
@given(POLICIES, PLANS)
def test_what_is_held_is_not_even_asked_for(policy: Policy, plan: UpgradePlan) -> None:
    touched = (*plan.removes, *(each.name for each in plan.changes))
    if any(held_by(policy, PYPI, name) for name in touched):
        assert judge_plan(policy, plan).stance in (Stance.TELL, Stance.LEAVE)
    for each in plan.changes:
        if held_by(policy, PYPI, each.name):
            assert judge(policy, PYPI, each).stance in (Stance.TELL, Stance.LEAVE)
