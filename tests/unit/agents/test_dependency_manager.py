"""`agents.dependency_manager`: what may be written, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from zen_agents.actions.base import ActionPolicy
from zen_agents.actions.restart_service import RestartServiceParams
from zen_agents.agents.base import AgentContext, Schedule
from zen_agents.agents.dependency_manager.agent import DependencyManagerAgent
from zen_agents.agents.dependency_manager.settings import DependencyManagerSettings
from zen_agents.catalog import ACTIONS
from zen_agents.checks.package import PackageCheck
from zen_agents.cli.runbook import page_of
from zen_agents.model.package_look import PackageQuestion
from zen_agents.model.severity import Severity
from zen_agents.packages.advisories.addresses import NPM, OSV, TRACKER

APP: dict[str, Any] = {"venv": "/srv/app/venv", "wheels": "/srv/wheels", "user": "nobody"}
WHOLE: dict[str, Any] = {
    "security_updates": "auto",
    "hold": ["postgresql-*"],
    "advisories": {
        "osv": ["/srv/osv", "https://osv.example"], "exploited": "/srv/kev.json", "cache_for": "1h",
        "npm": "https://npm.example",
        "ignore": [{"id": "CVE-1", "reason": "not used", "until": "2027-01-31"}],
    },
    "environments": {"app": APP},
    "debian": {},
    "npm": {"projects": ["/srv/web"]},
    "restarts": {"units": ["acme.service"]},
}  # fmt: skip


def agent(settings: Mapping[str, Any], *allowed: str) -> DependencyManagerAgent:
    policies = {name: ActionPolicy() for name in allowed}
    context = AgentContext("here", state_dir="/var/lib/zen", policies=policies)
    return DependencyManagerAgent(DependencyManagerSettings.model_validate(settings), context)


def asked(of: DependencyManagerAgent, target: str) -> PackageQuestion:
    (check,) = [check for check in of.checks() if isinstance(check, PackageCheck) and check.target == target]
    return check._asked


def test_with_nothing_listed_nothing_is_looked_at() -> None:
    of = agent({"schedule": "0 3 * * *", "security_updates": "auto", "minor_updates": "notify"})
    assert (list(of.checks()), list(of.rules()), list(of.remedies())) == ([], [], [])
    assert of.schedule == Schedule(cron="0 3 * * *")


def test_each_place_is_asked_about_by_what_is_written() -> None:
    of = agent(WHOLE)
    app = asked(of, "environment:app")
    assert app == PackageQuestion(
        "pypi", "/srv/app/venv", osv=("/srv/osv", "https://osv.example"), tracker=TRACKER, exploited="/srv/kev.json",
        ignore=(("CVE-1", "not used", "2027-01-31", ""),), cache_directory="/var/lib/zen", max_age_seconds=3600.0,
        npm="https://npm.example", wheels=("/srv/wheels",), security="auto", hold=("postgresql-*",),
    )  # fmt: skip
    assert (asked(of, "packages:debian").place, asked(of, "packages:debian").ecosystem) == ("/", "debian")
    assert asked(of, "project:srv.web").place == "/srv/web"
    # What `npm audit` tells is asked of where packages come from, unless another registry is named for that.
    assert (asked(of, "project:srv.web").npm, asked(of, "project:srv.web").index) == ("https://npm.example", NPM)
    own = agent({"npm": {"projects": ["/srv/web"], "registry": "https://own.example"}})
    assert (asked(own, "project:srv.web").npm, asked(own, "project:srv.web").index) == ("https://own.example",) * 2
    nobody = agent({"npm": {"projects": ["/srv/web"], "registry": None}})
    assert (asked(nobody, "project:srv.web").npm, asked(nobody, "project:srv.web").index) == ("", "")
    assert asked(agent({"npm": {"projects": ["/srv/web"]}}), "project:srv.web").osv == (OSV,)


def test_every_rule_has_its_check_and_its_page() -> None:
    of = agent(WHOLE, "restart_service")
    made = {(name, check.target) for check in of.checks() for name in check.observes}
    pages = {page_of(rule.name, rule.target) for rule in of.rules()}
    assert all(pair in made for rule in of.rules() for pair in rule.condition.names)
    kinds = ("due", "asked", "vulnerable", "severe", "exploited", "yanked", "outdated")
    assert pages == {*(f"packages.{kind}" for kind in kinds), "service.outdated"}


def test_every_remedy_is_understood_by_its_action() -> None:
    of = agent(WHOLE, *DependencyManagerAgent.actions)
    for request in of.remedies():
        ACTIONS[request.action]().params(request)
    assert {request.action for request in of.remedies()} == DependencyManagerAgent.actions
    laddered = {rung.alternatives[0].action for rule in of.rules() for rung in rule.ladder}
    assert laddered == DependencyManagerAgent.actions


def test_how_bad_it_is() -> None:
    severities = {rule.name.rpartition(".")[2]: rule.severity for rule in agent({"environments": {"app": APP}}).rules()}
    assert severities == {
        "due": Severity.ERROR, "asked": Severity.WARNING, "vulnerable": Severity.WARNING,
        "severe": Severity.ERROR, "exploited": Severity.CRITICAL,
        "yanked": Severity.WARNING, "outdated": Severity.INFO,
    }  # fmt: skip


def test_a_listed_unit_is_restarted_where_the_list_allows_it() -> None:
    (rule,) = agent({"restarts": {"units": ["acme.service"]}}, "restart_service").rules()
    (remedy,) = rule.ladder[0].alternatives
    assert RestartServiceParams.model_validate(dict(remedy.params)).unit == "acme.service"
    (told,) = agent({"restarts": {"units": ["acme.service"]}}, "rotate_logs").rules()
    assert list(told.ladder) == []


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"environments": {"debian": APP}}, "is `debian`"),
        ({"environments": {"app": {**APP, "user": "root"}}}, "never root"),
        ({"environments": {"app": {**APP, "venv": "app"}}}, "absolute"),
        ({"debian": {"smoke": ["/srv/test"]}}, "needs `user:`"),
        ({"advisories": {"osv": "osv"}}, "absolute path"),
        ({"advisories": {"ignore": [{"id": "CVE-1", "reason": "", "until": "2027-01-31"}]}}, "at least 1 item"),
        ({"advisories": {"ignore": [{"id": "CVE-1", "reason": "x"}]}}, "Field required"),
        ({"npm": {"projects": []}}, "at least 1 item"),
        ({"restarts": {"units": []}}, "at least 1 item"),
        ({"security_updates": "yes"}, "'auto', 'notify' or 'disabled'"),
    ],
)
def test_what_cannot_be_meant_is_refused(settings: Mapping[str, Any], where: str) -> None:
    with pytest.raises(ValidationError, match=where):
        DependencyManagerSettings.model_validate(settings)


def test_as_root_an_environment_that_is_to_be_upgraded_says_as_whom_it_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    nobody = {"environments": {"app": {"venv": "/srv/app/venv"}}}
    DependencyManagerSettings.model_validate(nobody)
    with pytest.raises(ValidationError, match="never as root"):
        DependencyManagerSettings.model_validate({**nobody, "security_updates": "auto"})
