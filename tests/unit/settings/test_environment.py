"""The environment wins over the file, says so, and refuses what it cannot use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.settings import codes, loaded

FILE = """\
mode: approve
agents: {system_health: {enabled: true}}
limits: {max_auto_repairs_per_hour: 5}
alerts: {email: {to: [file@example.com]}}
"""


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True),
        ("1", True),
        ("YES", True),
        ("On", True),
        ("false", False),
        ("0", False),
        ("no", False),
        ("OFF", False),
    ],
)
def test_an_agent_is_switched_by_its_variable(written: str, meant: bool) -> None:
    settings = loaded(FILE, AGENT_SYSTEM_HEALTH_ENABLED=written).require()
    assert settings.agents["system_health"].enabled is meant


def test_the_environment_wins_and_the_source_says_over_what() -> None:
    result = loaded(FILE, MAX_AUTO_REPAIRS_PER_HOUR="4", ALERT_EMAIL="a@example.com, b@example.com")
    settings = result.require()
    assert settings.limits.max_auto_repairs_per_hour == 4
    assert settings.alerts.email.to == ("a@example.com", "b@example.com")
    source = result.sources["limits.max_auto_repairs_per_hour"]
    assert str(source) == "env MAX_AUTO_REPAIRS_PER_HOUR (file says 5, config.yaml:3)"
    assert result.origins["limits.max_auto_repairs_per_hour"] == "env MAX_AUTO_REPAIRS_PER_HOUR"


def test_zero_repairs_means_never_and_an_empty_address_list_means_no_mail() -> None:
    result = loaded(FILE, MAX_AUTO_REPAIRS_PER_HOUR="0", ALERT_EMAIL="")
    assert result.require().limits.max_auto_repairs_per_hour == 0
    assert result.require().alerts.email.to == ()
    assert "ZC503" in [diagnostic.code for diagnostic in result.diagnostics]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AGENT_SYSTEM_HEALTH_ENABLED", "ture"),
        ("AGENT_SYSTEM_HEALTH_ENABLED", ""),
        ("MAX_AUTO_REPAIRS_PER_HOUR", "-1"),
        ("MAX_AUTO_REPAIRS_PER_HOUR", "five"),
        ("MAX_AUTO_REPAIRS_PER_HOUR", "\N{ARABIC-INDIC DIGIT FIVE}"),
        ("ALERT_EMAIL", "not an address"),
        ("ALERT_EMAIL", "a@example.com\nBcc: b@example.com"),
        ("ALERT_PAGERDUTY_ENABLED", "maybe"),
        ("PAGERDUTY_ROUTING_KEY_FILE", "relative.key"),
        ("ZEN_AGENTS_MODE", "look"),
        ("SMTP_URL", "http://user:hunter2@host"),
    ],
)
def test_a_value_that_cannot_be_used_is_an_error_that_names_the_variable(name: str, value: str) -> None:
    result = loaded(FILE, **{name: value})
    assert [diagnostic.code for diagnostic in result.errors] == ["ZC601"]
    assert result.errors[0].place.document.name == f"env {name}"
    assert "hunter2" not in result.errors[0].message
    assert result.settings is None


def test_the_mode_can_only_be_made_safer_from_outside() -> None:
    assert loaded(FILE, ZEN_AGENTS_MODE="observe").require().mode == "observe"
    assert loaded(FILE, ZEN_AGENTS_MODE="approve").require().mode == "approve"
    assert codes(FILE, ZEN_AGENTS_MODE="enforce") == ["ZC604"]
    assert loaded(FILE, flags={"mode": "observe"}).require().mode == "observe"
    assert [each.code for each in loaded(FILE, flags={"mode": "enforce"}).errors] == ["ZC604"]


def test_pagerduty_without_a_key_names_the_three_ways_to_give_one() -> None:
    result = loaded(FILE, ALERT_PAGERDUTY_ENABLED="true")
    assert [diagnostic.code for diagnostic in result.errors] == ["ZC602"]
    for way in ("alerts.pagerduty.routing_key_file", "PAGERDUTY_ROUTING_KEY", "PAGERDUTY_ROUTING_KEY_FILE"):
        assert way in result.errors[0].message


def test_pagerduty_takes_its_key_from_the_environment_or_a_file(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("R0KEY\n", encoding="ascii")
    key.chmod(0o600)
    assert codes(FILE, ALERT_PAGERDUTY_ENABLED="true", PAGERDUTY_ROUTING_KEY="R0KEY") == []
    result = loaded(FILE, ALERT_PAGERDUTY_ENABLED="true", PAGERDUTY_ROUTING_KEY_FILE=str(key))
    assert result.require().alerts.pagerduty.routing_key_file == str(key)


def test_variables_of_other_programs_are_left_alone_and_near_misses_are_told() -> None:
    others = {"SSH_AGENT_PID": "1", "AGENT_BROWSER": "x", "ALERTMANAGER_URL": "x", "AGENT_ID": "5"}
    assert codes(FILE, **others, ZEN_AGENTS_STATE_DIR="/srv/state") == []
    for name in ("AGENT_SYSTEM_HEALT_ENABLED", "ALERT_EMIAL", "MAX_AUTO_REPAIR_PER_HOUR", "AGENT_FOO_ENABLED"):
        assert codes(FILE, **{name: "1"}) == ["ZC603"], name
