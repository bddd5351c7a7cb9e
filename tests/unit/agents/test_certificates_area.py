"""`certificates:` what may be written, and what comes of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from zen_agents.actions.base import ActionPolicy
from zen_agents.agents.base import AgentContext
from zen_agents.agents.system_health.agent import SystemHealthAgent
from zen_agents.agents.system_health.areas.certificate_settings import WatchedCertificate
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.rules.rule import Rule

USER = {"user": "root"} if os.geteuid() == 0 else {}
WHOLE: dict[str, Any] = {
    "file": "/srv/web.pem", "key": "/srv/web.key", "server": "127.0.0.1:443", "renew_before": "30d",
    "renew": {"certbot": "example.org"}, "reload": {"unit": "nginx.service"}, "load_within": "5m",
}  # fmt: skip


def agent(entry: Mapping[str, Any], *allowed: str) -> SystemHealthAgent:
    settings = SystemHealthSettings.model_validate({"certificates": {"web": entry}})
    policies = {name: ActionPolicy() for name in allowed} if allowed else None
    return SystemHealthAgent(settings, AgentContext("here", policies=policies))


def rules(of: SystemHealthAgent) -> dict[str, Rule]:
    return {rule.name.removeprefix("system_health."): rule for rule in of.rules() if rule.target == "certificate:web"}


def ladder(rule: Rule) -> list[list[str]]:
    return [[request.action for request in rung.alternatives] for rung in rule.ladder]


def test_what_is_not_loaded_is_reloaded_and_what_ends_is_renewed() -> None:
    made = rules(agent(WHOLE))
    assert {name: ladder(rule) for name, rule in made.items()} == {
        "web": [],
        "web.expiring": [["renew_certificate", "change_certificate_authority"]],
        "web.not_loaded": [["reload_service"]],
    }
    assert made["web.not_loaded"].hold.held_for_seconds == 300.0
    clear = made["web.expiring"].clear
    assert clear is not None
    assert {name for name, _ in clear.names} == {"certificate.web.days_left", "certificate.web.loaded"}


def test_a_ladder_has_what_the_allow_list_has() -> None:
    made = rules(agent(WHOLE, "renew_certificate"))
    assert ladder(made["web.expiring"]) == [["renew_certificate"]]
    assert ladder(made["web.not_loaded"]) == []


def test_a_server_alone_is_only_watched() -> None:
    of = agent({"server": "example.com:443"})
    assert [remedy for remedy in of.remedies() if remedy.target == "certificate:web"] == []
    assert set(rules(of)) == {"web", "web.expiring"}
    (check,) = [check for check in of.checks() if check.target == "certificate:web"]
    assert check.observes == ("certificate.web", "certificate.web.days_left")


@pytest.mark.parametrize(
    ("renew", "argv", "made"),
    [
        ({"certbot": "example.org"},
         ["certbot", "renew", "--cert-name", "example.org", "--non-interactive", "--no-random-sleep-on-renew"],
         ("/etc/letsencrypt/live/example.org/fullchain.pem", "/etc/letsencrypt/live/example.org/privkey.pem")),
        ({"lego": "example.org", "directory": "/srv/lego", "options": ["--http"]},
         ["lego", "--path", "/srv/lego", "--domains", "example.org", "--http", "renew", "--days", "31", "--no-random-sleep"],
         ("/srv/lego/certificates/example.org.crt", "/srv/lego/certificates/example.org.key")),
        ({"command": ["/srv/issue"], "made": "/srv/new.pem", "made_key": "/srv/new.key", **USER},
         ["/srv/issue"], ("/srv/new.pem", "/srv/new.key")),
        ({"command": ["/srv/issue"], **USER}, ["/srv/issue"], ("/srv/web.pem", "/srv/web.key")),
    ],
)  # fmt: skip
def test_each_client_has_its_words_and_its_place(renew: dict[str, Any], argv: list[str], made: tuple[str, str]) -> None:
    remedies = {remedy.action: remedy.params for remedy in agent({**WHOLE, "renew": renew}).remedies()}
    params = remedies["renew_certificate"]
    assert params["argv"] == argv
    assert (params["made"], params["made_key"]) == made
    assert params["at_least_seconds"] == 30 * 86400.0


@pytest.mark.parametrize(("server", "name"), [("127.0.0.1:443", ""), ("[::1]:443", ""), ("example.org:443", "example.org")])
def test_the_name_is_that_of_the_server_unless_it_is_a_number(server: str, name: str) -> None:
    assert WatchedCertificate.model_validate({"server": server}).asked_name == name


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({}, "needs `file` or `server`"),
        ({"server": "h:443", "renew": {"certbot": "x"}}, "needs `file`"),
        ({"server": "h:443", "key": "/k"}, "needs `file`"),
        ({"server": "h"}, "HOST:PORT"),
        ({**WHOLE, "chain": "/c"}, "leaves the intermediates in `file`"),
        ({"file": "/f", "renew": {"certbot": "x"}}, "leaves a key of its own"),
        ({**WHOLE, "renew_before": "1m"}, "at least 1h"),
        ({**WHOLE, "renew": {}}, "exactly one of"),
        ({**WHOLE, "renew": {"certbot": "x", "lego": "x"}}, "exactly one of"),
        ({**WHOLE, "renew": {"certbot": "-x"}}, "name"),
        ({**WHOLE, "renew": {"certbot": "x", "made": "/m"}}, "is for `command`"),
        ({**WHOLE, "renew": {"command": ["/p"], "options": ["-x"], **USER}}, "is for `certbot` and `lego`"),
        ({**WHOLE, "renew": {"command": ["/p"], "made_key": "/m", **USER}}, "stands without `made`"),
        ({**WHOLE, "renew": {"command": [], **USER}}, "names no program"),
        ({**WHOLE, "reload": {}}, "exactly one of"),
        ({**WHOLE, "reload": {"unit": "x.service", "user": "root"}}, "systemd reloads a unit"),
    ],
)
def test_what_cannot_be_meant_is_refused(entry: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        WatchedCertificate.model_validate(entry)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to say as whom")
@pytest.mark.parametrize("entry", [{"renew": {"command": ["/p"]}}, {"reload": {"command": ["/p"]}}])
def test_root_says_as_whom_a_command_runs(entry: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="needs `user:`"):
        WatchedCertificate.model_validate({**WHOLE, **entry})
