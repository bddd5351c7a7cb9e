"""Files, drop-ins and defaults become settings; with any error there are none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.settings import codes, loaded, told
from zen_agents import catalog
from zen_agents.errors import SettingsError
from zen_agents.model.action import Risk
from zen_agents.settings.finding import find_config
from zen_agents.settings.loader import load
from zen_agents.settings.trust import read_secret

SHORT = """\
agents:
  system_health:
    enabled: true
    interval: 300  # seconds
    cpu_threshold: 80
    memory_threshold: 90
    auto_mitigate: true
    
  dependency_manager:
    enabled: true
    schedule: "0 3 * * *"  # Daily at 3 AM
    security_updates: auto
    minor_updates: notify
    major_updates: disabled
"""  # noqa: W293 - word for word
HEALTH = "agents: {system_health: {}}\n"


def test_the_short_form_works_word_for_word_and_alone() -> None:
    result = loaded(SHORT)
    settings = result.require()
    assert result.diagnostics == ()
    assert settings.mode == "enforce"
    assert settings.agents["system_health"].interval.total_seconds() == 300
    assert settings.agents["dependency_manager"].schedule == "0 3 * * *"


def test_without_an_actions_section_the_mild_actions_are_allowed() -> None:
    actions = loaded(SHORT).require().actions
    assert actions.built_in
    assert set(actions.allow) == {
        action.name for action in catalog.ACTIONS.values() if action.risk in (Risk.LOW, Risk.MEDIUM)
    }


def test_with_an_actions_section_nothing_else_is_allowed() -> None:
    actions = loaded(f"{HEALTH}actions: {{allow: {{restart_service: {{cooldown: 10m}}}}}}\n").require().actions
    assert not actions.built_in
    assert set(actions.allow) == {"restart_service"}
    assert actions.allow["restart_service"].cooldown.total_seconds() == 600
    assert loaded(f"{HEALTH}actions: {{}}\n").require().actions.allow == {}
    bare = loaded(f"{HEALTH}actions:\n  allow:\n    restart_service:\n").require().actions
    assert set(bare.allow) == {"restart_service"}


@pytest.mark.parametrize(
    ("agent", "allowed", "told"),
    [
        ("security_updates: auto, environments: {app: {venv: /srv/app, user: app}}", "{}", ["ZC302"]),
        ("security_updates: auto, environments: {app: {venv: /srv/app, user: app}}", "{upgrade_python_packages: {}}", []),
        ("minor_updates: auto, debian: {}", "{upgrade_python_packages: {}}", ["ZC302"]),
        ("minor_updates: auto, debian: null", "{upgrade_python_packages: {}}", []),
        ("minor_updates: auto, debian: {enabled: false}", "{upgrade_python_packages: {}}", []),
        ("security_updates: notify, debian: {}", "{}", []),
        ("security_updates: auto", "{}", []),
    ],
)
def test_policy_that_nothing_would_carry_out_is_an_error(agent: str, allowed: str, told: list[str]) -> None:
    assert codes(f"agents: {{dependency_manager: {{{agent}}}}}\nactions: {{allow: {allowed}}}\n") == told


@pytest.mark.parametrize(
    "part",
    [
        "console: {listen: '127.0.0.1:8787', auth: local}",
        "fleet: {role: node}",
        "breakers: {fleet: {max_hosts_acting: 10%}}",
        "actions: {allow: {reboot_host: {approval: two_person}}}",
    ],
)
def test_what_a_later_version_brings_is_refused_and_never_ignored(part: str) -> None:
    assert [each for each in codes(f"{HEALTH}{part}\n") if each != "ZC501"] == ["ZC110"]


def test_mistakes_inside_what_a_later_version_brings_are_told_as_well() -> None:
    assert codes(f"{HEALTH}console: {{lisen: 1}}\n") == ["ZC110", "ZC101"]
    assert codes(f"{HEALTH}fleet: {{role: nod}}\n") == ["ZC201"]
    assert codes(f"{HEALTH}fleet: {{role: standalone}}\n") == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("limits: {max_concurrent: true}", "ZC207"),
        ("limits: {max_concurrent: 0}", "ZC209"),
        ("limits: 5", "ZC207"),
        ("limits: [1]", "ZC207"),
        ("version: 2", "ZC201"),
        ("mode: Enforce!", "ZC201"),
        ("maintenance: [{name: a, start: '01:30', duration: 1h, effect: no_actions}]", "ZC105"),
        ("maintenance: [{name: a, start: '25:30', duration: 1h, timezone: UTC, effect: no_actions}]", "ZC215"),
        ("actions: {allow: {restart_service: {only_in: nightly}}}", "ZC303"),
        ("actions: {default: allow}", "ZC201"),
        ("actions: {built_in: true}", "ZC101"),
        ("actions: {alow: {}}", "ZC101"),
        ("later_agents: {x: true}", "ZC101"),
        ("alerts: {routes: [{to: [pager]}], email: {to: a@example.com}}", "ZC303"),
        ("alerts: {routes: [{to: []}], email: {to: a@example.com}}", "ZC209"),
        ("alerts: {routes: [{to: ['url:chat']}], email: {to: a@example.com}}", "ZC303"),
        ("alerts: {email: {smtp: {password: hunter2}, to: a@example.com}}", "ZC401"),
        ("alerts: {email: {smtp: {host: 'smtp://me:hunter2@mail'}, to: a@example.com}}", "ZC401"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(text: str, code: str) -> None:
    assert codes(f"{HEALTH}{text}\n") == [code]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("services: {a: {unit: a.service, depends_on: [b]}}", "ZC303"),
        ("services: {a: {unit: a.service, depends_on: [b]}, b: {unit: b.service, depends_on: [a]}}", "ZC304"),
        ("services: {a: {unit: a.service, on_failure: ['restart_service:b']}}", "ZC303"),
        ("services: {a: {unit: a.service, on_failure: [reboot_host]}}", "ZC110"),
        ("processes: {a: {match: crunch}}", "ZC214"),
        ("processes: {a: {match: crunch, user: root}}", "ZC214"),
        ("processes: {a: {unit: a.service}}", "ZC105"),
        ("processes: {a: {match: '(', unit: a.service}}", "ZC205"),
        ("processes: {a: {match: crunch, unit: a}}", "ZC213"),
        ("processes: {a: {match: crunch, unit: a.service, quota: 95, on_breach: [cap_cpu]}}", "ZC209"),
        ("processes: {a: {match: crunch, unit: a.service, cpu: 0}}", "ZC209"),
        ("processes: {a: {match: crunch, unit: a.service, nice: -5}}", "ZC209"),
        ("processes: {a: {match: crunch, unit: a.service, for: 0s}}", "ZC209"),
        ("processes: {a: {match: crunch, unit: a.service, on_breach: ['kill_process:b']}}", "ZC303"),
        ("services: {a: {}}", "ZC214"),
        ("services: {a: {unit: a.service, leaks: {memory: much}}}", "ZC203"),
        ("services: {a: {unit: a.service, leaks: {over: 2m}}}", "ZC209"),
        ("services: {a: {unit: a.service, leaks: {descriptors: 120}}}", "ZC202"),
        ("services: {a: {unit: a.service, leaks: {zombies: 0}}}", "ZC209"),
        ("services: {a: {unit: a.service, leaks: {memry: 1GiB}}}", "ZC101"),
        ("services:\n      a: {unit: a}", "ZC213"),
        ("temp_dirs: {a: {path: /etc, older_than: 2d}}", "ZC405"),
        ("temp_dirs: {a: {path: /usr/lib/x, older_than: 2d}}", "ZC405"),
        ("mounts: {a: {path: /boot}}", "ZC405"),
        ("scripts: {a: {command: [check_load]}}", "ZC210"),
        ("scripts: {a: {command: []}}", "ZC209"),
        ("scripts: {a: {command: /usr/bin/true -w 1}}", "ZC207"),
        ("scripts: {a: {command: [/usr/bin/true], values: ['a b']}}", "ZC213"),
        ("scripts: {a: {command: [/usr/bin/true], on_failure: ['restart_service:b']}}", "ZC303"),
        ("pools: {a: {user: app}}", "ZC214"),
        ("pools: {a: {postgres: {server: db}, user: app}}", "ZC213"),
        ("pools: {a: {postgres: {server: 'db:5432'}, user: ''}}", "ZC213"),
        ("pools: {a: {postgres: {server: 'db:5432', user: app}, user: app}}", "ZC214"),
        ("pools: {a: {postgres: {server: 'db:5432', password: x}, user: app}}", "ZC401"),
        ("pools: {a: {postgres: {server: 'db:5432'}, user: app, on_breach: ['reset_pool:b']}}", "ZC303"),
        ("jobs: {a: {executable: /bin/a, user: root, max_age: 2h, lock: /etc/passwd}}", "ZC405"),
        ("journal: {above: 1GiB, down_to: 2GiB}", "ZC206"),
        ("journal: {size: 1GiB}", "ZC101"),
        ("jobs: {a: {executable: /bin/a, user: root, max_age: 2h, on_stuck: ['end_stuck_job:b']}}", "ZC303"),
        ("log_rates: {a: {unit: a.service, on_flood: [limit_log]}}", "ZC301"),
        ("log_archives: {a: {paths: /var/log/a.log}}", "ZC214"),
        ("log_archives: {a: {paths: /var/log/a.log, above: 1GiB}}", "ZC214"),
        ("log_archives: {a: {paths: /var/log/a.log, above: 1GiB, down_to: 2GiB}}", "ZC206"),
        ("log_archives: {a: {paths: /var/log/a.log, older_than: 1h}}", "ZC206"),
        ("log_archives: {a: {paths: a.log, older_than: 2d}}", "ZC210"),
        ("log_archives: {a: {paths: [/srv/a.log, /etc/passwd], older_than: 2d}}", "ZC405"),
        ("temp_dirs: {a: {path: tmp, older_than: 2d}}", "ZC210"),
        ("temp_dirs: {a: {path: /srv/tmp, older_than: 2}}", "ZC203"),
        ("temp_dirs: {a: {path: /srv/tmp, above: 60%, down_to: 80%}}", "ZC206"),
        ("paths: {a: {path: /srv/a, mode: 0600, owner: root, group: root}}", "ZC211"),
        ("schedule: '61 * * * *'", "ZC212"),
        ("rules: {r: {when: 'lod1 > 2'}}", "ZC305"),
        ("rules: {r: {when: 'load1 >'}}", "ZC305"),
        ("rules: {r: {when: 'load1 > 2', target: hots}}", "ZC303"),
    ],
)
def test_mistakes_in_system_health_are_told_where_they_stand(text: str, code: str) -> None:
    result = loaded(f"agents:\n  system_health:\n    {text}\n")
    assert [each.code for each in result.diagnostics] == [code]
    assert result.diagnostics[0].place.line >= 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to name the account")
def test_as_root_a_command_says_who_runs_it() -> None:
    assert codes("agents:\n  system_health:\n    services: {a: {command: {start: [/bin/true]}}}\n") == ["ZC404"]
    assert codes("agents:\n  system_health:\n    services: {a: {command: {start: [/bin/true], user: root}}}\n") == []


def test_an_empty_section_means_its_defaults() -> None:
    assert loaded("agents:\n  system_health:\nlimits:\nalerts:\n  email:\n").require().limits.max_concurrent == 1
    assert codes("") == ["ZC504"]


def test_drop_ins_merge_maps_replace_lists_and_win_in_their_order() -> None:
    drop_ins = {
        "20-b.yaml": "limits: {per_target_per_hour: 9}\nalerts: {email: {to: [b@example.com]}}\n",
        "10-a.yaml": "limits: {per_target_per_hour: 8, max_concurrent: 2}\n",
        "notes.txt": "not: read\n",
    }
    result = loaded(
        f"{HEALTH}limits: {{per_target_per_hour: 7}}\nalerts: {{email: {{to: [a@example.com]}}}}\n", drop_ins=drop_ins
    )
    settings = result.require()
    assert (settings.limits.per_target_per_hour, settings.limits.max_concurrent) == (9, 2)
    assert settings.alerts.email.to == ("b@example.com",)
    assert [each.code for each in result.diagnostics] == ["ZC104"]
    assert str(result.diagnostics[0].place) == "conf.d/20-b.yaml:1:31"
    assert result.files == ("config.yaml", "conf.d/10-a.yaml", "conf.d/20-b.yaml")
    assert str(result.sources["limits.per_target_per_hour"]) == "conf.d/20-b.yaml:1 (conf.d says 8, conf.d/10-a.yaml:1)"


def test_the_digest_changes_with_what_holds_and_not_with_how_it_is_written() -> None:
    first = loaded(f"{HEALTH}limits: {{max_concurrent: 1}}\n").digest
    assert first == loaded(f"# a note\n{HEALTH}").digest
    assert first != loaded(f"{HEALTH}limits: {{max_concurrent: 2}}\n").digest


def test_a_file_that_is_not_there_is_an_error_and_not_a_default(tmp_path: Path) -> None:
    result = load(tmp_path / "none.yaml", {})
    assert [each.code for each in result.diagnostics] == ["ZC006"]
    with pytest.raises(SettingsError, match="No such file"):
        result.require()


@pytest.mark.skipif(os.geteuid() != 0, reason="others can only be kept out of root's files")
@pytest.mark.parametrize("mode", [0o666, 0o664, 0o602])
def test_as_root_a_file_that_others_may_write_is_not_read(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(HEALTH, encoding="utf-8")
    assert load(file, {}).settings is not None
    file.chmod(mode)
    result = load(file, {})
    assert [each.code for each in result.diagnostics] == ["ZC403"]
    assert str(file) in result.diagnostics[0].message
    assert result.settings is None


@pytest.mark.skipif(os.geteuid() != 0, reason="as above")
def test_as_root_a_file_of_somebody_else_or_below_an_open_directory_is_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    file = folder / "config.yaml"
    file.write_text(HEALTH, encoding="utf-8")
    folder.chmod(0o777)
    assert [each.code for each in load(file, {}).diagnostics] == ["ZC403"]
    folder.chmod(0o755)
    os.chown(file, 12345, 0)
    assert [each.code for each in load(file, {}).diagnostics] == ["ZC403"]


def test_a_secrets_file_is_read_only_if_nobody_else_can(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("R0KEY\n", encoding="ascii")
    secret.chmod(0o600)
    assert read_secret(str(secret)) == "R0KEY"
    secret.chmod(0o640)
    with pytest.raises(SettingsError, match="0640"):
        read_secret(str(secret))
    text = f"{HEALTH}alerts:\n  pagerduty: {{enabled: true, routing_key_file: {secret}}}\n"
    assert codes(text) == ["ZC402"]


def test_whoever_writes_a_mode_is_told_when_nobody_would_be_reached() -> None:
    assert codes(f"mode: enforce\n{HEALTH}") == ["ZC501"]
    assert codes(f"mode: observe\n{HEALTH}") == []
    assert codes(f"mode: enforce\n{HEALTH}", ALERT_EMAIL="a@example.com") == []


def test_a_rules_mistake_is_marked_inside_its_text() -> None:
    text = told('agents:\n  system_health:\n    rules:\n      high:\n        when: "avg(laod1, 5m) > cpus"\n')
    assert text.splitlines()[1:5] == [
        " --> config.yaml:5:20",
        "  |",
        '5 |         when: "avg(laod1, 5m) > cpus"',
        "  |                    ^^^^^ did you mean `load1`?",
    ]


def test_the_configuration_is_searched_in_the_documented_order(tmp_path: Path) -> None:
    own = tmp_path / "zen-agents" / "config.yaml"
    own.parent.mkdir()
    own.write_text(HEALTH, encoding="utf-8")
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "ZEN_AGENTS_CONFIG": "/named.yaml"}
    assert find_config("/given.yaml", environ, 1000) == "/given.yaml"
    assert find_config("", environ, 1000) == "/named.yaml"
    assert find_config("", {"XDG_CONFIG_HOME": str(tmp_path)}, 1000) == str(own)
    assert find_config("", {"XDG_CONFIG_HOME": str(tmp_path)}, 0) != str(own)
