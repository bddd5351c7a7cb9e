"""Settings become what guards, alerts and the engine work with."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from tests.support.settings import loaded
from zen_agents import catalog
from zen_agents.adapters import control_access
from zen_agents.agents.base import AgentContext
from zen_agents.alerts.policy import SelfTestPolicy
from zen_agents.errors import SettingsError
from zen_agents.guards.base import ApprovalTerms, Policy
from zen_agents.settings import crosscheck_approvals
from zen_agents.settings.policy import flap_limit, safe_mode_triggers, to_alert_policy, to_policy

TEXT = """\
mode: approve
agents:
  system_health:
    auto_mitigate: false
    services: {web: {unit: web.service, keep: running}}
    caches: {pip: {path: /srv/cache, above: 2GiB, down_to: 1GiB}}
actions:
  allow: {restart_service: {units: [web.service], approval: auto}, clear_cache: {}}
limits: {max_auto_repairs_per_hour: 7, max_concurrent: 2, per_target_per_hour: 3, boot_grace: 1m}
breakers:
  failures: {open_after: 2, within: 10m, retry_after: 5m}
  flapping: {open_after: 6, within: 20m}
  storm: {targets: 3, share: 25%}
safe_mode: {enter_when: {unknown_outcomes: 1, audit_write_fails: false}}
maintenance:
  - {name: nightly, start: "01:30", duration: 1h, days: [mon], timezone: Europe/Berlin, effect: no_alerts}
protected: {units: [pay.service], paths: [/srv/ledger], stateful_units: [mydb.service]}
quiet_hours: {start: "22:00", end: "07:00", timezone: Europe/Berlin}
escalation: {default: [{after: 5m, notify: [pagerduty], when: not_recovered}]}
alerts:
  email:
    {to: [ops@example.com], from: zen@example.com, groups: {managers: [boss@example.com]}, smtp: {host: mail, port: 587}}
  urls: {chat: {url_file: /etc/zen-agents/secrets/chat.url}}
  routes:
    - {match: {severity: [critical, error]}, to: [pagerduty, "url:chat"]}
    - {to: ["email:managers"]}
  digest: {at: "08:00", timezone: Europe/Berlin}
  self_test: {day: tue, at: "10:00", timezone: Europe/Berlin}
"""


def agents(result):  # type: ignore[no-untyped-def]
    context = AgentContext("h", result.origins)
    return [catalog.AGENTS[name](section, context) for name, section in result.require().agents.items()]


def test_the_guards_policy_is_exactly_what_the_file_says() -> None:
    result = loaded(TEXT)
    policy = to_policy(result.require(), result, agents(result), own_paths=["/srv/state"])
    assert (policy.mode, policy.auto_mitigate, set(policy.allowed)) == (
        "approve", {"system_health": False}, {"restart_service", "clear_cache"},
    )  # fmt: skip
    assert ("restart_service", "service:web") in policy.declared
    assert ("clear_cache", "cache:pip") in policy.declared
    assert all(target != "host" for _, target in policy.declared)
    assert (policy.repairs.most, policy.per_target.most, policy.max_concurrent) == (7, 3, 2)
    assert (policy.failures.most, policy.failures.within_seconds, policy.failures.retry_after_seconds) == (2, 600.0, 300.0)
    assert (policy.storm.most, policy.storm_share, policy.boot_grace_seconds) == (3, 0.25, 60.0)
    assert policy.keep_running == {"service:web"}
    assert policy.protected_units == {"pay.service"}
    assert policy.stateful_units == {"mydb.service"}
    assert "/srv/state" in policy.own_paths
    assert any(path.endswith("/config.yaml") for path in policy.own_paths)
    assert policy.origins["actions.allow.restart_service"] == "config.yaml:8:11"


@pytest.mark.parametrize(
    "scope", ["restart_service: {units: []}", "restart_service: {services: []}", "clear_cache: {paths: []}"]
)
def test_an_empty_scope_is_an_error_and_never_means_all(scope: str) -> None:
    result = loaded(f"version: 1\nactions: {{allow: {{{scope}}}}}\nagents: {{system_health: {{enabled: true}}}}\n")
    with pytest.raises(SettingsError):
        result.require()
    assert [diagnostic.code for diagnostic in result.errors] == ["ZC209"]


def test_a_maintenance_window_keeps_its_zone_days_and_place() -> None:
    result = loaded(TEXT)
    (window,) = to_policy(result.require(), result, agents(result)).maintenance
    assert (window.start, window.duration_seconds, window.days) == (time(1, 30), 3600.0, frozenset({"mon"}))
    assert (window.timezone, window.effect, window.origin) == ("Europe/Berlin", "no_alerts", "config.yaml:16:5")


def test_flapping_and_safe_mode_are_set_from_the_file() -> None:
    settings = loaded(TEXT).require()
    assert (flap_limit(settings).opens_after, flap_limit(settings).within_seconds) == (6, 1200.0)
    triggers = safe_mode_triggers(settings)
    assert (triggers.unknown_outcomes, triggers.audit_write_fails, triggers.exhausted) == (1, False, 3)


def test_the_alerts_policy_has_channels_routes_and_hours() -> None:
    result = loaded(TEXT)
    policy = to_alert_policy(result.require(), result, {"PAGERDUTY_ROUTING_KEY": "R0KEY"})
    assert policy.email.to == ("ops@example.com",)
    assert policy.email.sender == "zen@example.com"
    assert policy.addresses("email:managers") == ("boss@example.com",)
    assert (policy.email.smtp.host, policy.email.smtp.port) == ("mail", 587)
    assert policy.channels() == ("email", "url:chat")
    assert [route.channels for route in policy.routes] == [("pagerduty", "url:chat"), ("email:managers",)]
    assert {severity.value for severity in policy.routes[0].match.severity} == {"critical", "error"}
    assert policy.quiet_hours is not None
    assert policy.quiet_hours.start == time(22, 0)
    assert [window.name for window in policy.no_alerts] == ["nightly"]
    assert policy.escalation[0].after_seconds == 300.0
    assert policy.digest is not None
    assert policy.self_test == SelfTestPolicy("tue", time(10), "Europe/Berlin")
    assert policy.pagerduty.routing_key == "R0KEY"
    assert "R0KEY" not in repr(policy)


def test_a_mail_servers_address_comes_from_the_environment_or_a_file_that_is_a_secret(tmp_path: Path) -> None:
    result = loaded(TEXT)
    smtp = to_alert_policy(result.require(), result, {"SMTP_URL": "smtps://me:hunter2@relay"}).email.smtp
    assert (smtp.host, smtp.user, smtp.password) == ("relay", "me", "hunter2")
    secret = tmp_path / "smtp.url"
    secret.write_text("smtp://relay:2525\n", encoding="ascii")
    secret.chmod(0o600)
    result = loaded(TEXT, SMTP_URL_FILE=str(secret))
    assert to_alert_policy(result.require(), result, {}).email.smtp.port == 2525
    secret.unlink()
    with pytest.raises(SettingsError, match=r"smtp\.url"):
        to_alert_policy(result.require(), result, {})


SHORT = "agents: {system_health: {services: {web: {unit: web.service}}}}\n"


def _asking(text: str) -> Policy:
    given = loaded(SHORT + text)
    return to_policy(given.require(), given, agents(given))


def test_who_may_approve_and_what_silence_means_come_from_the_file() -> None:
    assert _asking("").approvals == ApprovalTerms(frozenset(), 1800.0, escalates=True)
    written = _asking("approvals: {approvers: [user:alice, 'group:oncall'], expire_after: 5m, on_expiry: deny}\n")
    assert written.approvals == ApprovalTerms(frozenset({"user:alice", "group:oncall"}), 300.0, escalates=False)


def test_autonomy_names_rules_that_there_are() -> None:
    given = _asking("autonomy: {system_health.web: {restart_service: observe}}\n")
    assert given.autonomy == {("system_health.web", "restart_service"): "observe"}


@pytest.mark.parametrize(
    ("written", "code", "meant"),
    [
        ("autonomy: {system_health.wbe: {restart_service: observe}}", "ZC303", "system_health.web"),
        ("slo: {rules: {system_health.wbe: {verified: 99%}}}", "ZC303", "system_health.web"),
        ("autonomy: {system_health.web: {restart_servce: observe}}", "ZC301", "restart_service"),
        ("autonomy: {system_health.web: {'restart_service:web': observe}}", "ZC301", "restart_service"),
        ("approvals: {approvers: ['user:roott']}", "ZC506", "user:root"),
        ("approvals: {approvers: ['user:root', 'group:no-such-people-here']}", "ZC506", ""),
    ],
)
def test_names_that_nobody_and_nothing_has_are_told_at_their_place(written: str, code: str, meant: str) -> None:
    given = loaded(f"{SHORT}{written}\n")
    (told,) = given.diagnostics
    assert (told.code, told.replacement, told.place.line) == (code, meant, 2)
    assert (given.settings is None) == (code != "ZC506")


@pytest.mark.parametrize(
    ("approvers", "ops", "told", "how"),
    [
        ("[user:root, user:nobody]", "daemon", "`user:nobody` could not reach", "usermod --append --groups daemon nobody"),
        ("['group:bin']", "daemon", "`group:bin` could not reach", "usermod --append --groups daemon bin"),
        ("[user:nobody]", "no-such-people-here", "there is no group", "groupadd no-such-people-here && usermod "),
    ],
)
def test_an_approver_who_cannot_reach_the_socket_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, approvers: str, ops: str, told: str, how: str
) -> None:
    for module in (control_access, crosscheck_approvals):
        monkeypatch.setattr(module, "OPS_GROUP", ops)
    (found,) = loaded(f"{SHORT}approvals: {{approvers: {approvers}}}\n").diagnostics
    assert found.code == "ZC506" and told in found.message
    assert (found.help or "").startswith(how)


def test_approvers_who_reach_the_socket_are_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (control_access, crosscheck_approvals):
        monkeypatch.setattr(module, "OPS_GROUP", "daemon")
    assert not loaded(f"{SHORT}approvals: {{approvers: ['user:daemon', 'group:daemon', 'group:root']}}\n").diagnostics


@pytest.mark.parametrize(
    "line", ["on_expiry: approve", "approvers: [alice]", "approvers: ['group:a b']", "expire_after: 0s"]
)
def test_what_is_no_such_term_is_an_error(line: str) -> None:
    assert loaded(f"{SHORT}approvals: {{{line}}}\n").settings is None
