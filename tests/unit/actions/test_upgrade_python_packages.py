"""upgrade_python_packages, over simulated environments and units: what policy allows, and what is put back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from chaos.simulation.host import SimulatedHost
from zen_agents.actions.give_back_environment import GiveBackEnvironment
from zen_agents.actions.upgrade_python_packages import UpgradePythonPackages
from zen_agents.actions.upgrade_python_params import UpgradePythonPolicy
from zen_agents.errors import HostError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, ResourceKind
from zen_agents.model.package_look import PackageLook, Update
from zen_agents.model.principal import ENGINE, Principal
from zen_agents.ports.host_units import UnitJob

VENV = "/srv/app/venv"
PARAMS: Mapping[str, Any] = {
    "environment": "app", "venv": VENV, "user": "app", "wheels": ["/srv/wheels"], "units": ["app.service"],
    "bake_seconds": 0.0,
}  # fmt: skip


class Site:
    """An environment with a weak library, and a unit that runs from it."""

    def __init__(self) -> None:
        self.host = SimulatedHost()
        self.host.add_service("app", unit="app.service")
        self.host.start("app")
        self.host.environments.holds[VENV] = {"lib": "1.0", "other": "1.0"}
        self.due(Update("lib", "1.0", "1.2", ("A-1",), "security", "do", "security_updates: auto"))
        self.action = UpgradePythonPackages()

    def due(self, *updates: Update, untold: tuple[str, ...] = ()) -> None:
        self.host.packages[VENV] = PackageLook(2, updates=updates, untold=untold)

    def plan(self, target: str = "environment:app", **params: Any) -> Plan:
        return self.action.plan(ActionRequest(self.action.name, target, {**PARAMS, **params}), self.host.look())

    async def act(self, **params: Any) -> Effect:
        return await self.action.execute(self.plan(**params), self.host.control(self.action.name))

    @property
    def holds(self) -> Mapping[str, str]:
        return self.host.environments.holds[VENV]

    @property
    def restarts(self) -> int:
        return sum("restart app.service" in change for change in map(str, self.host.changes))


@pytest.fixture
def site() -> Site:
    return Site()


async def test_what_is_due_is_tried_put_in_place_and_who_runs_on_it_is_restarted_once(site: Site) -> None:
    plan = site.plan()
    assert plan.steps[0] == "lib 1.0 -> 1.2 (A-1)"
    assert [(touched.kind, touched.name) for touched in plan.touches] == [
        (ResourceKind.PATH, VENV), (ResourceKind.UNIT, "app.service"),
    ]  # fmt: skip
    assert plan.asks == ()
    effect = await site.act()
    assert effect.ok
    assert site.holds == {"lib": "1.2", "other": "1.0"}
    assert site.restarts == 1


async def test_it_can_be_taken_back_as_long_as_it_is_what_was_left(site: Site) -> None:
    plan = site.plan()
    effect = await site.action.execute(plan, site.host.control(site.action.name))
    undo, inverse = site.action.inverse(plan, effect), GiveBackEnvironment()
    assert undo is not None
    back = inverse.plan(undo, site.host.look())
    assert (await inverse.execute(back, site.host.control(inverse.name))).ok
    assert inverse.missing(back, site.host.look()) == ""
    assert site.holds == {"lib": "1.0", "other": "1.0"}
    with pytest.raises(StalePlanError):
        inverse.plan(undo, site.host.look())


async def test_what_fails_its_trial_changes_nothing(site: Site) -> None:
    site.host.environments.broken.add("lib==1.2")
    effect = await site.act()
    assert not effect.ok
    assert effect.detail.endswith(f"{VENV} is as it was")
    assert site.holds["lib"] == "1.0"
    assert site.restarts == 0


async def test_a_service_that_does_not_come_back_has_its_old_environment_again(site: Site) -> None:
    site.host.job_ends = UnitJob("failed", "it cannot start")
    effect = await site.act()
    assert not effect.ok
    assert "systemd's restart of app.service: failed (it cannot start)" in effect.detail
    assert f"{VENV} was put back as it was" in effect.detail
    assert site.holds == {"lib": "1.0", "other": "1.0"}
    assert effect.undo == {}


async def test_with_the_emergency_stop_in_between_what_is_new_stays_and_can_be_taken_back(site: Site) -> None:
    control, plan = site.host.control(site.action.name), site.plan()
    switch = control.switch_environment

    async def stopped_then() -> Any:
        switched = await switch()
        control.stopped = True
        return switched

    control.switch_environment = stopped_then  # type: ignore[method-assign]
    effect = await site.action.execute(plan, control)
    assert not effect.ok
    assert "could not be put back" in effect.detail
    assert effect.undo["kept"]
    assert site.restarts == 0


def test_a_major_upgrade_asks_also_if_it_fixes(site: Site) -> None:
    site.due(Update("lib", "1.0", "2.0", ("A-1",), "major", "ask", "it is a major upgrade"))
    site.host.environments.kinds["lib==2.0"] = "major"
    assert any("major" in why for why in site.plan().asks)


def test_what_a_person_was_only_told_of_is_done_when_they_ask_for_it_but_not_what_is_disabled(site: Site) -> None:
    def asked(by: Principal, security: str) -> str:
        request = ActionRequest(site.action.name, "environment:app", {**PARAMS, "security": security}, requested_by=by)
        try:
            site.action.plan(request, site.host.look())
        except RefusedError as error:
            return str(error)
        return "planned"

    person = Principal("alice", 1000)
    assert asked(person, "notify") == "planned"
    assert asked(ENGINE, "notify") == "policy only tells of it: security_updates: notify"
    assert asked(person, "disabled") == "policy only tells of it: security_updates: disabled"


def test_what_comes_along_and_is_held_keeps_all_of_it_from_being_done(site: Site) -> None:
    site.due(*(Update(name, "1.0", "1.2", ("A-1",), "security", "do", "") for name in ("lib", "other")))
    with pytest.raises(RefusedError, match="held"):
        site.plan(hold=["OTHER"])


def test_what_is_not_known_is_never_nothing_to_do(site: Site) -> None:
    site.due(untold=("the source does not answer",))
    with pytest.raises(HostError, match="not known: the source does not answer"):
        site.plan()
    site.due()
    with pytest.raises(StalePlanError, match="nothing is due"):
        site.plan()


def test_a_conflict_is_explained_in_the_resolvers_words(site: Site) -> None:
    site.host.environments.conflicts[VENV] = "Because app==1.0 depends on lib<1.1 ..."
    with pytest.raises(RefusedError, match=r"brings lib 1\.2: Because app==1\.0 depends on lib<1\.1"):
        site.plan()


def test_a_plan_is_another_one_once_the_environment_is(site: Site) -> None:
    before = site.plan().fingerprint
    assert site.plan().fingerprint == before
    site.host.environments.holds[VENV]["other"] = "1.1"
    assert site.plan().fingerprint != before


@pytest.mark.parametrize("target", ["", "environment:", "environment:other", "service:app"])
def test_another_target_is_refused(site: Site, target: str) -> None:
    with pytest.raises(RefusedError):
        site.plan(target)


def test_parameters_that_name_no_plain_directory_are_refused(site: Site) -> None:
    with pytest.raises(ValidationError):
        site.plan(venv="../venv")


def test_the_scope_holds_for_environments_and_units(site: Site) -> None:
    plan = site.plan()
    assert UpgradePythonPolicy().permits(plan) == ""
    assert UpgradePythonPolicy(units=("other.service",)).permits(plan) == "app.service is not in units"
    assert "not at or below" in UpgradePythonPolicy(paths=("/opt",)).permits(plan)
