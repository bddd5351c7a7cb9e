"""upgrade_debian_packages and its inverse, over a simulated host."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from chaos.simulation.host import SimulatedHost
from tests.support.guarding import ALICE
from zen_agents.actions.reinstall_debian_packages import ReinstallDebianPackages
from zen_agents.actions.upgrade_debian_packages import UpgradeDebianPackages, UpgradeDebianPolicy
from zen_agents.adapters.null_control import NullControl
from zen_agents.errors import ActionFailedError, HostError, RefusedError, StalePlanError, ZenError
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible
from zen_agents.model.package_look import PackageLook, Update
from zen_agents.model.reason import Reason

UPGRADE = UpgradeDebianPackages()
WANTED = {"packages": {"libacme1": "1.1"}}
#: By policy.
DUE: dict[str, Any] = {"packages": {}}


@pytest.fixture
def host() -> SimulatedHost:
    """Return a host with a package of which a later version can be had."""
    host = SimulatedHost()
    host.debian.installed |= {"libacme1": "1.0", "old": "3.0"}
    host.debian.offered |= {"libacme1": ["1.0", "1.1", "2.0"], "old": ["3.0"]}
    return host


def planned(host: SimulatedHost, params: dict[str, Any] | None = None, target: str = "packages:debian", **more: Any) -> Plan:
    return UPGRADE.plan(ActionRequest(UPGRADE.name, target, params or WANTED, **more), host.look())


async def upgraded(host: SimulatedHost, params: dict[str, Any] | None = None) -> tuple[Plan, Effect]:
    plan = planned(host, params)
    return plan, await UPGRADE.execute(plan, host.control())


async def test_it_is_tried_first_what_is_there_is_kept_and_then_it_is_upgraded(host: SimulatedHost) -> None:
    host.debian.marked_auto.add("libacme1")
    plan, effect = await upgraded(host)
    assert plan.steps == (
        "make the upgrade in a copy of the root that is never kept",
        "keep the present packages of 1 for the way back",
        "upgrade libacme1 1.0 -> 1.1",
    )
    assert (plan.reversible, plan.asks, [each.name for each in plan.touches]) == (Reversible.YES, (), ["libacme1"])
    assert (effect.ok, effect.before, effect.after) == (True, "libacme1 1.0", "libacme1 1.1")
    assert host.debian.installed["libacme1"] == "1.1"
    # Named for an upgrade is not asked for by a person: it goes when nothing needs it any more.
    assert "libacme1" in host.debian.marked_auto
    assert [each.partition(" ")[0] for each in host.changes] == ["keep", "run", "run"]


async def test_what_was_built_apart_is_upgraded_apart_and_comes_back_together(host: SimulatedHost) -> None:
    host.debian.installed["other"], host.debian.offered["other"] = "1.0", ["1.0", "1.1"]
    wanted = {"packages": {"libacme1": "1.1", "other": "1.1"}}
    _, effect = await upgraded(host, wanted)
    assert effect.after == "libacme1 1.1, other 1.1"
    assert len([each for each in host.changes if "install other=1.1" in each or "install libacme1=1.1" in each]) == 2
    host.debian.installed |= {"libacme1": "1.0", "other": "1.0"}
    host.debian.fails.add("other=1.1")
    with pytest.raises(ActionFailedError, match="what was there before is back"):
        await upgraded(host, wanted)
    assert (host.debian.installed["libacme1"], host.debian.installed["other"]) == ("1.0", "1.0")


async def test_an_undo_gives_back_what_was_there_and_takes_away_what_came_along(host: SimulatedHost) -> None:
    host.debian.brings["libacme1"] = "extra 1.0"
    plan, effect = await upgraded(host)
    assert host.debian.installed == {"libacme1": "1.1", "old": "3.0", "extra": "1.0"}
    back = UPGRADE.inverse(plan, effect)
    assert back is not None
    inverse = ReinstallDebianPackages()
    way_back = inverse.plan(back, host.look())
    assert way_back.steps == ("install libacme1 1.0 over 1.1", "remove extra")
    assert (await inverse.execute(way_back, host.control())).ok
    assert host.debian.installed == {"libacme1": "1.0", "old": "3.0"}
    assert inverse.missing(way_back, host.look()) == ""


async def test_an_undo_is_refused_where_somebody_has_upgraded_since(host: SimulatedHost) -> None:
    plan, effect = await upgraded(host)
    back = UPGRADE.inverse(plan, effect)
    assert back is not None
    host.debian.installed["libacme1"] = "2.0"
    with pytest.raises(StalePlanError, match="not what the upgrade left"):
        ReinstallDebianPackages().plan(back, host.look())


async def test_what_goes_wrong_in_the_copy_changes_nothing(host: SimulatedHost) -> None:
    host.debian.fails_tried.add("libacme1=1.1")
    with pytest.raises(ActionFailedError, match="copy of the root, so nothing was changed"):
        await upgraded(host)
    assert (host.debian.installed["libacme1"], host.changes) == ("1.0", [])


async def test_where_no_copy_can_be_made_nothing_is_changed(host: SimulatedHost) -> None:
    host.debian.untried = "a copy of the root needs root"
    with pytest.raises(ActionFailedError, match="needs root"):
        await upgraded(host)
    assert host.changes == []
    _, effect = await upgraded(host, {**WANTED, "trial": False})
    assert effect.ok


async def test_what_goes_wrong_in_earnest_is_taken_back_and_told(host: SimulatedHost) -> None:
    host.debian.fails.add("libacme1=1.1")
    with pytest.raises(ActionFailedError, match=r"half configured.*what was there before is back"):
        await upgraded(host)
    assert (host.debian.installed["libacme1"], host.debian.interrupted) == ("1.0", "")


async def test_a_service_that_does_not_come_back_takes_the_upgrade_back(
    host: SimulatedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zen_agents.actions.debian_steps._LEFT_SECONDS", 0.0)
    host.add_service("acme", unit="acme.service")
    host.start("acme")
    host.debian.ships["libacme1"] = "acme.service"
    plan = planned(host)
    assert [each.name for each in plan.along] == ["acme.service"]
    control = host.control()
    run = host.debian.run

    def run_and_break(command: Any) -> Any:
        host.crash("acme")
        return run(command)

    monkeypatch.setattr("chaos.simulation.debian.SimulatedDebian.run", lambda _, command: run_and_break(command))
    with pytest.raises(ActionFailedError, match=r"acme.service ran before and does not now; what was there before is back"):
        await UPGRADE.execute(plan, control)
    assert host.debian.installed["libacme1"] == "1.0"


async def test_without_a_way_back_it_asks_and_says_so(host: SimulatedHost) -> None:
    host.debian.without_way_back.add("libacme1")
    plan, effect = await upgraded(host)
    assert (plan.reversible, plan.asks) == (
        Reversible.NO,
        ("it cannot be undone: what is there now could not be given back",),
    )
    assert UPGRADE.inverse(plan, effect) is None


def test_what_removes_asks_and_so_does_a_major_step(host: SimulatedHost) -> None:
    host.debian.removes["libacme1"] = "old"
    assert planned(host).asks[0] == "it removes old"
    del host.debian.removes["libacme1"]
    assert planned(host, {"packages": {"libacme1": "2.0"}}).asks == ("libacme1 1.0 -> 2.0 is a major upgrade",)


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"interrupted": "x is half configured"}, RefusedError, "dpkg --configure -a"),
        ({"refused": "Held packages were changed"}, RefusedError, "apt would not do it: Held packages"),
        ({"problems": ("the list of a was never fetched",)}, HostError, "cannot be told"),
        ({"is_unattended": True}, RefusedError, "unattended-upgrades"),
    ],
)
def test_what_speaks_against_it_is_told(
    host: SimulatedHost, changes: dict[str, Any], error: type[Exception], said: str
) -> None:
    for name, value in changes.items():
        setattr(host.debian, name, value)
    with pytest.raises(error, match=said):
        planned(host)


def test_beside_unattended_upgrades_only_a_person_upgrades(host: SimulatedHost) -> None:
    host.debian.is_unattended = True
    with pytest.raises(RefusedError) as refused:
        planned(host)
    assert refused.value.reason == Reason.NOT_OURS
    assert planned(host, requested_by=ALICE).steps


def test_there_is_nothing_to_do_where_it_is_installed_already(host: SimulatedHost) -> None:
    with pytest.raises(StalePlanError, match="nothing to do"):
        planned(host, {"packages": {"libacme1": "1.0"}})


@pytest.mark.parametrize("target", ["", "packages:", "packages:rpm", "debian", "service:debian"])
def test_another_target_is_refused(host: SimulatedHost, target: str) -> None:
    with pytest.raises(RefusedError):
        planned(host, target=target)


def test_where_nothing_is_named_what_is_due_is_upgraded_and_what_is_not_known_is_no_reason(host: SimulatedHost) -> None:
    fix = Update("libacme1", "1.0", "1.1", ("CVE-1",), "security", "do", "security_updates: auto")
    with pytest.raises(HostError, match="not known"):
        planned(host, DUE)
    host.packages["/"] = PackageLook(3)
    with pytest.raises(StalePlanError, match="no package is due"):
        planned(host, DUE)
    host.packages["/"] = PackageLook(3, updates=(fix,), untold=("something else",))
    assert "upgrade libacme1 1.0 -> 1.1" in planned(host, DUE).steps
    with pytest.raises(RefusedError, match="only tells"):
        planned(host, {**DUE, "security": "notify"})
    assert planned(host, {**WANTED, "security": "notify"}).steps
    # What a person was only told of is what they want done, when it is them who ask.
    assert planned(host, {**DUE, "security": "notify"}, requested_by=ALICE).steps


@pytest.mark.parametrize("params", [{}, {**WANTED, "smoke": ["true"]}, {**WANTED, "smoke": ["true"], "user": "root"}])
def test_nothing_said_and_a_smoke_test_as_root_are_errors(host: SimulatedHost, params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        UPGRADE.params(ActionRequest(UPGRADE.name, "packages:debian", params))


def test_its_scope_is_a_list_of_patterns(host: SimulatedHost) -> None:
    plan = planned(host)
    assert UpgradeDebianPolicy.model_validate({"packages": ["libacme*"]}).permits(plan) == ""
    assert UpgradeDebianPolicy.model_validate({"packages": ["other"]}).permits(plan) == "libacme1 is not in packages"
    assert UpgradeDebianPolicy().permits(plan) == ""


def test_a_plan_changes_with_what_is_installed(host: SimulatedHost) -> None:
    before = planned(host)
    host.debian.installed["libacme1"] = "0.9"
    assert planned(host).fingerprint != before.fingerprint


async def test_a_dry_run_changes_nothing(host: SimulatedHost) -> None:
    with pytest.raises(ZenError, match="Dry run"):
        await UPGRADE.execute(planned(host), NullControl(host))
    assert host.debian.installed["libacme1"] == "1.0"
