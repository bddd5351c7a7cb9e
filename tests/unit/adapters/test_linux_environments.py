"""Upgrades of real environments: real uv, real wheels, real namespaces."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.upgrading import ID, UpgradeSite, upgrade_site, why_no_trials
from tests.support.wheelhouse import freeze
from zen_agents.actions.give_back_environment import GiveBackEnvironment
from zen_agents.errors import RefusedError, StalePlanError

pytestmark = pytest.mark.skipif(bool(why_no_trials()), reason=why_no_trials() or "it can")


@pytest.fixture
def site() -> Iterator[UpgradeSite]:
    with upgrade_site() as made:
        yield made


async def test_the_least_upgrade_is_tried_and_put_in_place_and_can_be_taken_back(site: UpgradeSite) -> None:
    site.write_lib("2.0")
    plan = await site.plan(smoke=[str(site.venv / "bin" / "acme")])
    assert plan.steps[0] == "acme-lib 1.0 -> 1.2 (A-acme-lib)"
    effect = await site.action.execute(plan, site.control())
    assert effect.ok, effect
    assert freeze(site.venv) == b"acme-lib==1.2\napp==1.0\n"
    # A command of the environment holds its path, and was built to hold this one.
    assert site.says(["acme"]) == "1.2"
    assert site.left_beside() == [f".venv.zen-agents-{ID}", f"{ID}.json"]
    assert "smoke" in effect.output and "before:\nacme-lib==1.0" in effect.output

    undo, inverse = site.action.inverse(plan, effect), GiveBackEnvironment()
    assert undo is not None
    back = inverse.plan(undo, site.host.look())
    assert back.steps[1:] == ("- acme-lib==1.2", "+ acme-lib==1.0")
    assert (await inverse.execute(back, site.control("act-bbbbbb"))).ok
    assert inverse.missing(back, site.host.look()) == ""
    assert site.is_as_before()
    assert site.left_beside() == []
    with pytest.raises(StalePlanError):
        inverse.plan(undo, site.host.look())


@pytest.mark.parametrize("smoke", [["bin/false"], ["no-such-program"]])
async def test_a_smoke_test_that_fails_leaves_everything_as_it_was(site: UpgradeSite, smoke: list[str]) -> None:
    effect = await site.act(smoke=["/usr/" + smoke[0]])
    assert not effect.ok
    assert effect.detail.startswith("the trial failed at smoke (exit ")
    assert effect.detail.endswith(f"{site.venv} is as it was")
    assert site.is_as_before()
    assert site.left_beside() == []


async def test_a_module_that_cannot_be_imported_any_more_fails_the_trial(site: UpgradeSite) -> None:
    site.write_lib("1.2", "raise ImportError('forgotten file')\n")
    effect = await site.act()
    assert "the trial failed at imports (exit 1)" in effect.detail
    assert "forgotten file" in effect.output
    assert site.is_as_before()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root could run it as root")
async def test_root_without_a_user_is_refused_before_anything_runs(site: UpgradeSite) -> None:
    with pytest.raises(RefusedError, match="user:"):
        await site.plan(user="")
    with pytest.raises(RefusedError, match="user:"):
        await site.plan(user="root")
