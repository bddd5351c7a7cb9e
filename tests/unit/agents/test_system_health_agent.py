"""What system_health declares: checks, rules, ladders, scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from zen_agents import catalog
from zen_agents.actions.base import ActionPolicy
from zen_agents.agents.base import AgentContext, Schedule
from zen_agents.agents.system_health.agent import SystemHealthAgent
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.errors import SettingsError
from zen_agents.model.severity import Severity
from zen_agents.ports.host_resources import Mount
from zen_agents.rules.condition import Beyond, Either, StatusIs
from zen_agents.rules.rule import Rule
from zen_agents.settings import sources
from zen_agents.settings.loader import load

EVERYTHING: dict[str, Any] = {
    "thresholds": {
        "cpu": {"for": "5m", "clear": 70, "critical": 95, "on_breach": ["restart_service:web"]},
        "disk": [{"path": "/srv", "above": 85, "inodes": True, "on_breach": ["clean_temp_files:app", "clear_cache:pip"]}],
    },
    "services": {
        "web": {
            "command": {"start": ["/usr/bin/web"], "user": "nobody", "cwd": "/srv", "env": {"LANG": "C.UTF-8"}},
            "check": {"tcp": "127.0.0.1:8080"},
            "every": "5s",
            "fail_after": 1,
        },
        "nginx": {
            "unit": "nginx.service", "check": {"http": "http://127.0.0.1/healthz"}, "depends_on": ["web"], "keep": "running",
            "leaks": {}, "config_test": ["/usr/sbin/nginx", "-t", "-c", "CANDIDATE"], "config_test_user": "root",
            "config_files": ["/etc/nginx/nginx.conf"],
        },
        "worker": {"pidfile": "/run/worker.pid", "command": {"start": ["/usr/bin/worker"], "user": "nobody"}},
        "watched": {"pidfile": "/run/watched.pid"},
    },
    "paths": {
        "uploads": {"path": "/srv/up", "kind": "directory", "mode": "2775", "owner": "app", "group": "app", "create": True},
        "key": {"path": "/etc/key", "mode": "0600", "owner": "root", "group": "root"},
    },
    "temp_dirs": {"app": {"path": "/srv/tmp", "older_than": "2d", "above": "80%", "down_to": "60%"}},
    "logs": {"app": {"path": "/var/log/app/*.log"}},
    "caches": {"pip": {"path": "/srv/pip", "above": "2GiB", "down_to": "1GiB"}},
    "upgrades": {},
    "oom_kills": {},
    "root_accounts": {"known": ["root", "toor"]},
    "setuid_files": {"local": {"path": "/usr/local", "known": ["/usr/local/bin/doas"]}},
    "processes": {"crunch": {"match": "^crunch$", "unit": "batch.service", "on_breach": ["renice_process", "kill_process"]}},
    "jobs": {"nightly": {"executable": "/usr/bin/nightly", "user": "app", "max_age": "2h", "lock": "/run/nightly.pid"}},
    "journal": {},
    "log_rates": {"web": {"unit": "web.service"}},
    "log_archives": {"all": {"paths": "/var/log/app/*.log", "above": "2GiB", "down_to": "1GiB", "compress": "gzip"}},
    "mounts": {"srv": {"path": "/srv"}},
    "uninterruptible": {},
    "time": {"daemon": "chrony.service", "servers": ["10.0.0.1:123"]},
    "resolvers": {"host": {"asks": "db.internal", "fallbacks": ["127.0.0.2"], "revert_after": "1m"}},
    "connections": {"db": {"to": "[::1]:5432"}},
    "scripts": {"load": {"command": ["/usr/lib/nagios/plugins/check_load"], "on_failure": ["restart_service:web"]}},
    "links": {"uplink": {"interface": "eth0", "default_route": True, "for": "30s"}},
    "certificates": {
        "web": {
            "file": "/srv/tls/web.pem", "key": "/srv/tls/web.key", "server": "127.0.0.1:443", "name": "example.org",
            "renew": {"certbot": "example.org"}, "reload": {"unit": "nginx.service"},
        },
    },
    "pools": {
        "orders": {"postgres": {"server": "127.0.0.1:5432"}, "user": "app"},
        "shop": {"http": {"url": "http://127.0.0.1/pool"}, "reset": {"run": ["/usr/bin/renew"], "user": "app"}},
    },
    "local_ports": {"above": "75%", "widen_to": "20000-64999", "widened_for": "2h"},
    "conntrack": {"above": "75%", "usual": 65536, "raise_to": 131072, "raised_for": "2h"},
    "baselines": {"hosts": {"path": "/etc/hosts", "declared": "/srv/declared/hosts"}},
    "sysctls": {"keepalive": {"setting": "net.ipv4.tcp_keepalive_time", "value": 600}},
    "deployments": {"ci": {"marker": "/var/lib/deployed"}},
    "rules": {"high_load": {"when": "avg(load1, 5m) > cpus * 2", "clear": "load1 < cpus", "for": "5m"}},
}  # fmt: skip


class Feeling:
    def loop_lag_seconds(self) -> float:
        return 0.0

    def store_writable(self) -> bool:
        return True


def agent(values: Mapping[str, Any] | None = None, **context: Any) -> SystemHealthAgent:
    settings = SystemHealthSettings.model_validate(values or {})
    return SystemHealthAgent(settings, AgentContext("web-07", vitals=Feeling(), **context))


def rule(of: SystemHealthAgent, key: str) -> Rule:
    return next(rule for rule in of.rules() if rule.key == key)


def steps(of: Rule) -> Sequence[Sequence[str]]:
    """Return the ladder as words."""
    return [[f"{request.action} {request.target}" for request in rung.alternatives] for rung in of.ladder]


MOUNTS = (
    Mount("/", "/dev/sda1", "ext4", False, 1),
    Mount("/srv", "/dev/sdb1", "xfs", False, 2),
    Mount("/srv/again", "/dev/sdb1", "xfs", False, 2),
    Mount("/etc/hosts", "/dev/sda1", "ext4", False, 1),
    Mount("/mnt/share", "server:/share", "nfs4", False, 3),
    Mount("/run", "tmpfs", "tmpfs", False, 4),
    Mount("/snap/core", "/dev/loop1", "squashfs", True, 5),
)


# -- the host itself --------------------------------------------------------------------------------------------------
def test_with_nothing_listed_it_watches_the_host_and_may_change_nothing() -> None:
    plain = agent(mounts=MOUNTS[:1])
    names = [check.name for check in plain.checks()]
    assert names == ["cpu", "load", "memory", "pressure", "disk./", "clock", "engine"]
    assert plain.remedies() == ()
    assert all(not each.ladder for each in plain.rules())


def test_each_real_disk_is_watched_once() -> None:
    names = [check.target for check in agent(mounts=MOUNTS).checks() if check.kind == "disk"]
    assert names == ["disk:/", "disk:/srv"]


def test_in_a_container_the_overlay_at_the_root_is_the_disk() -> None:
    mounts = (Mount("/", "overlay", "overlay", False, 9), Mount("/etc/resolv.conf", "/dev/sda1", "ext4", False, 1))
    assert [check.target for check in agent(mounts=mounts).checks() if check.kind == "disk"] == ["disk:/"]


def test_a_listed_disk_is_judged_as_listed_and_the_others_by_default() -> None:
    made = agent(EVERYTHING, mounts=MOUNTS)
    limits = {
        each.target: each.condition.limit
        for each in made.rules()
        if each.name == "system_health.disk" and isinstance(each.condition, Beyond)
    }
    assert limits == {"disk:/srv": 85, "disk:/": 90}


def test_the_specifications_cpu_rule_is_every_sample_of_five_minutes() -> None:
    cpu = rule(agent(), "system_health.cpu|host")
    assert cpu.condition == Beyond("cpu.percent", "host", 80.0, window_seconds=300.0, sample_seconds=15.0)
    assert cpu.clear == Beyond("cpu.percent", "host", 75.0, window_seconds=0.0, sample_seconds=15.0)
    assert cpu.ladder == ()


def test_the_specifications_memory_rule() -> None:
    memory = rule(agent(), "system_health.memory|host")
    assert memory.condition == Beyond("memory.percent", "host", 90.0, window_seconds=180.0, sample_seconds=15.0)


def test_a_critical_level_is_a_rule_of_its_own() -> None:
    made = agent(EVERYTHING)
    critical = rule(made, "system_health.cpu.critical|host")
    assert critical.severity is Severity.CRITICAL
    assert isinstance(critical.condition, Beyond) and critical.condition.limit == 95
    assert rule(made, "system_health.cpu|host").severity is Severity.WARNING


def test_a_window_that_is_not_full_yet_calls_nobody() -> None:
    slow = agent({"thresholds": {"cpu": {"for": "40m"}}})
    assert rule(slow, "system_health.cpu|host").unknown_patience_seconds > 2400


# -- network ----------------------------------------------------------------------------------------------------------
def test_what_is_listed_of_the_network_has_its_rule() -> None:
    made = agent(EVERYTHING)
    for key in ("db|connection:db", "uplink|link:uplink"):
        assert steps(rule(made, f"system_health.{key}")) == []
    assert rule(made, "system_health.uplink|link:uplink").hold.held_for_seconds == 30


def test_names_that_are_kept_are_forgotten_first_then_others_stand_in_and_no_longer_than_they_must() -> None:
    made = agent(EVERYTHING)
    flush, switch = "flush_resolver_cache resolver:host", "switch_resolver resolver:host"
    assert steps(rule(made, "system_health.host|resolver:host")) == [[flush, switch], [switch]]
    back = rule(made, "system_health.host.switched|resolver:host")
    assert (steps(back), back.hold.held_for_seconds) == ([["restore_resolver resolver:host"]], 60)


def test_ports_are_widened_for_their_time() -> None:
    made = agent(EVERYTHING)
    assert steps(rule(made, "system_health.local_ports|local_ports:tcp")) == [["widen_port_range local_ports:tcp"]]
    back = rule(made, "system_health.local_ports.widened|local_ports:tcp")
    assert (steps(back), back.hold.held_for_seconds) == ([["restore_port_range local_ports:tcp"]], 7200)
    assert made.remedies()
    params = {each.action: each.params for each in made.remedies()}["widen_port_range"]
    assert params == {"usual": "32768 60999", "wider": "20000 64999"}


def test_ports_that_come_and_go_at_the_limit_are_one_problem() -> None:
    ports = rule(agent(EVERYTHING), "system_health.local_ports|local_ports:tcp")
    assert ports.condition == Beyond("local_ports.percent", "local_ports:tcp", 75.0, window_seconds=0.0, sample_seconds=30.0)
    assert ports.clear == Beyond("local_ports.percent", "local_ports:tcp", 70.0, window_seconds=0.0, sample_seconds=30.0)


def test_more_connections_are_tracked_for_their_time() -> None:
    made = agent(EVERYTHING)
    assert steps(rule(made, "system_health.conntrack|conntrack:table")) == [["raise_conntrack_limit conntrack:table"]]
    back = rule(made, "system_health.conntrack.raised|conntrack:table")
    assert (steps(back), back.hold.held_for_seconds) == ([["restore_conntrack_limit conntrack:table"]], 7200)
    params = {each.action: each.params for each in made.remedies()}["raise_conntrack_limit"]
    assert params == {"usual": 65536, "raised": 131072}


def test_what_the_configuration_names_is_done_instead() -> None:
    listed = {"resolvers": {"host": {"asks": "db", "on_failure": ["restart_service:dns"]}},
              "services": {"dns": {"unit": "dns.service"}}}  # fmt: skip
    assert steps(rule(agent(listed), "system_health.host|resolver:host")) == [["restart_service service:dns"]]


# -- services ---------------------------------------------------------------------------------------------------------
def test_a_command_service_is_one_rule_over_process_and_probe() -> None:
    web = rule(agent(EVERYTHING), "system_health.web|service:web")
    assert isinstance(web.condition, Either)
    process, probe = web.condition.conditions
    assert isinstance(process, StatusIs) and (process.name, process.certain) == ("process.web", True)
    assert isinstance(probe, StatusIs) and (probe.name, probe.certain) == ("probe.web", False)
    assert (web.hold.fail_after, web.hold.recover_after) == (1, 2)
    assert web.ladder[0].settle_seconds == 0
    assert web.ladder[0].attempts == 4


def test_a_unit_service_is_watched_through_systemd_and_its_probe() -> None:
    nginx = rule(agent(EVERYTHING), "system_health.nginx|service:nginx")
    assert nginx.condition.names == {("unit.nginx", "service:nginx"), ("probe.nginx", "service:nginx")}
    assert nginx.depends_on == {"system_health.web|service:web", "system_health.nginx.config|service:nginx"}


def test_a_service_that_is_down_by_its_configuration_gets_that_back_first() -> None:
    config = rule(agent(EVERYTHING), "system_health.nginx.config|service:nginx")
    down = {("unit.nginx", "service:nginx"), ("probe.nginx", "service:nginx")}
    assert config.condition.names == {("config.nginx", "service:nginx"), *down}
    assert steps(config) == [["restore_last_good service:nginx"]]


def test_services_are_restarted_unasked_where_the_allow_list_has_it() -> None:
    allowed, denied = {"restart_service": ActionPolicy()}, {"rotate_logs": ActionPolicy()}
    assert steps(rule(agent(EVERYTHING), "system_health.web|service:web")) == [["restart_service service:web"]]
    assert steps(rule(agent(EVERYTHING, policies=allowed), "system_health.web|service:web")) == [
        ["restart_service service:web"]
    ]
    with_nothing_named = {"services": EVERYTHING["services"]}
    assert steps(rule(agent(with_nothing_named, policies=denied), "system_health.web|service:web")) == []


def test_an_empty_on_failure_only_tells() -> None:
    values = {"services": {"web": {"unit": "web.service", "on_failure": []}}}
    assert rule(agent(values), "system_health.web|service:web").ladder == ()


def test_verification_follows_the_allow_list_unless_the_service_says_otherwise() -> None:
    policies = {"restart_service": ActionPolicy(verify_within=timedelta(seconds=25))}
    values = {"services": {"a": {"unit": "a.service"}, "b": {"unit": "b.service", "verify_within": "90s", "settle": "5s"}}}
    made = agent(values, policies=policies)
    rungs = [rule(made, f"system_health.{name}|service:{name}").ladder[0] for name in ("a", "b")]
    assert [(rung.verify_within_seconds, rung.settle_seconds) for rung in rungs] == [(25, 0), (90, 5)]


def test_a_stale_pidfile_is_moved_away_only_after_a_restart_did_not_help() -> None:
    worker = rule(agent(EVERYTHING), "system_health.worker|service:worker")
    assert steps(worker) == [
        ["restart_service service:worker"],
        ["remove_stale_pidfile service:worker", "restart_service service:worker"],
        ["restart_service service:worker"],
    ]
    assert sum(rung.attempts for rung in worker.ladder) == 4


def test_a_pidfile_without_a_command_is_only_watched() -> None:
    made = agent(EVERYTHING)
    assert ("restart_service", "service:watched") not in {(each.action, each.target) for each in made.remedies()}
    assert ["restart_service service:watched"] not in steps(rule(made, "system_health.watched|service:watched"))


def test_what_the_engine_starts_is_kept_running_and_units_only_if_they_say_so() -> None:
    made = agent({**EVERYTHING, "services": {**EVERYTHING["services"], "plain": {"unit": "plain.service"}}})
    assert made.keep_running() == {"service:web", "service:worker", "service:nginx"}


def test_a_critical_rule_has_less_patience() -> None:
    values = {"services": {"a": {"unit": "a.service"}, "b": {"unit": "b.service", "severity": "warning"}}}
    made = agent(values)
    assert rule(made, "system_health.a|service:a").patience_seconds == 300
    assert rule(made, "system_health.b|service:b").patience_seconds == 900
    hasty = agent(values, patience_seconds=20.0, patience_when_critical_seconds=7.0)
    assert rule(hasty, "system_health.a|service:a").patience_seconds == 7
    assert rule(hasty, "system_health.b|service:b").patience_seconds == 20
    assert rule(hasty, "system_health.b|service:b").unknown_patience_seconds == 20
    assert rule(hasty, "system_health.clock|host").unknown_patience_seconds == 30, "two looks, to compare"


def test_measurements_of_a_process_are_made_only_for_a_rule_that_reads_them() -> None:
    services = {"web": {"unit": "web.service"}}
    plain = agent({"services": services})
    reading = agent({"services": services, "rules": {"leak": {"when": "process.web.rss > 1GiB", "target": "service:web"}}})
    assert "process.web" not in {check.name for check in plain.checks()}
    assert {name for check in reading.checks() for name in check.observes} >= {"process.web", "process.web.rss"}
    assert "process.web.descriptors_percent" not in {name for check in reading.checks() for name in check.observes}


# -- files ------------------------------------------------------------------------------------------------------------
def test_files_are_kept_in_order_by_the_actions_for_them() -> None:
    made = agent(EVERYTHING)
    assert {key: steps(rule(made, key)) for key in (
        "system_health.uploads|path:uploads", "system_health.key|path:key", "system_health.app|temp_dir:app",
        "system_health.app|log:app", "system_health.app.deleted|log:app", "system_health.pip|cache:pip",
    )} == {
        "system_health.uploads|path:uploads": [["create_directory path:uploads", "restore_permissions path:uploads"]],
        "system_health.key|path:key": [["restore_permissions path:key"]],
        "system_health.app|temp_dir:app": [["clean_temp_files temp_dir:app"]],
        "system_health.app|log:app": [["rotate_logs log:app"]],
        "system_health.app.deleted|log:app": [["truncate_deleted_log log:app"]],
        "system_health.pip|cache:pip": [["clear_cache cache:pip"]],
    }  # fmt: skip


def test_a_ladder_tries_the_next_action_only_after_the_one_before() -> None:
    disk = rule(agent(EVERYTHING), "system_health.disk|disk:/srv")
    assert steps(disk) == [["clean_temp_files temp_dir:app", "clear_cache cache:pip"], ["clear_cache cache:pip"]]


# -- the scope --------------------------------------------------------------------------------------------------------
def test_every_remedy_is_understood_by_its_action() -> None:
    actions = catalog.ACTIONS
    if not actions:
        pytest.skip("this build has no actions yet")
    remedies = agent(EVERYTHING).remedies()
    for request in remedies:
        actions[request.action]().params(request)
    assert {request.action for request in remedies} == SystemHealthAgent.actions
    # Whom lines tell of is not this agent's, and neither are packages and data.
    others = {
        "ban_address",
        "upgrade_python_packages",
        "upgrade_debian_packages",
        "repair_data",
        "restore_data",
        "quarantine_file",
    }
    assert set(actions) - SystemHealthAgent.actions == others


def test_every_step_of_every_ladder_is_in_scope() -> None:
    made = agent(EVERYTHING)
    declared = set(map(repr, made.remedies()))
    taken = {repr(request) for each in made.rules() for rung in each.ladder for request in rung.alternatives}
    assert taken <= declared
    assert {request.target for request in made.remedies()}.isdisjoint({"", "host", "*"})


def test_parameters_are_those_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    restart = next(request for request in agent(EVERYTHING).remedies() if request.target == "service:web")
    assert restart.params["command"] == {
        "start": ["/usr/bin/web"], "stop": None, "restart": None, "user": "nobody", "directory": "/srv",
        "environment": {"LANG": "C.UTF-8"},
    }  # fmt: skip
    assert restart.params["keep_running"] is True


def test_an_engine_that_is_not_root_starts_services_as_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    restart = next(request for request in agent(EVERYTHING).remedies() if request.target == "service:web")
    assert restart.params["command"]["user"] == ""


@pytest.mark.parametrize(
    "reference, expected",
    [
        ("restart_srvice", "no action 'restart_srvice'"),
        ("reboot_host", "in this version"),
        ("restart_service", "write restart_service:NAME"),
        ("restart_service:wbe", "service:web"),
        ("clear_cache:pip", "no cache is listed"),
        ("renice_process", "no process is listed"),
    ],
)
def test_a_step_that_does_not_exist_is_refused_with_its_place(reference: str, expected: str) -> None:
    values = {
        "thresholds": {"cpu": {"on_breach": [reference]}},
        "services": {"web": {"unit": "web.service"}},
    }
    with pytest.raises(SettingsError, match=expected) as caught:
        agent(values)
    assert "agents.system_health.thresholds.cpu.on_breach.0" in str(caught.value)


# -- rules of one's own -----------------------------------------------------------------------------------------------
def test_a_persons_own_rule_reads_what_is_observed() -> None:
    values = {
        "rules": {
            "high_load": {
                "when": "avg(load1, 5m) > cpus * 2 and memory.percent < 90",
                "clear": "load1 < cpus",
                "for": "5m",
                "on_match": ["restart_service:web"],
            }
        },
        "services": {"web": {"unit": "web.service"}},
    }
    own = rule(agent(values), "system_health.high_load|host")
    assert own.condition.names == {("load1", "host"), ("cpus", "host"), ("memory.percent", "host")}
    assert own.hold.held_for_seconds == 300
    assert own.clear is not None
    assert steps(own) == [["restart_service service:web"]]


def test_a_name_with_several_targets_means_the_rules_own() -> None:
    values = {"rules": {"full": {"when": "disk.percent > 50%", "target": "disk:/srv"}}}
    own = rule(agent(values, mounts=MOUNTS), "system_health.full|disk:/srv")
    assert own.condition.names == {("disk.percent", "disk:/srv")}


def test_a_disk_of_a_rule_about_the_host_is_the_root_however_many_are_mounted() -> None:
    values = {"rules": {"full": {"when": "disk.percent > 50%"}}}
    for mounts in (MOUNTS, MOUNTS[:1], ()):
        assert rule(agent(values, mounts=mounts), "system_health.full|host").condition.names == {("disk.percent", "disk:/")}


@pytest.mark.parametrize(
    "own, expected",
    [
        ({"when": "cpu.procent > 5"}, "rules.odd.when"),
        ({"when": "cpu.percent >"}, "rules.odd.when"),
        ({"when": "__import__('os').system('true')"}, "rules.odd.when"),
        ({"when": "load1 > 5", "clear": "load > 5"}, "rules.odd.clear"),
        ({"when": "load1 > 5", "target": "service:web"}, "rules.odd.target"),
        ({"when": "load1 > 5", "on_match": ["restart_service:web"]}, "rules.odd.on_match.0"),
    ],
)
def test_a_rule_that_cannot_be_understood_is_refused_with_its_place(own: dict[str, Any], expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        agent({"rules": {"odd": own}}, mounts=MOUNTS)


# -- the rest ---------------------------------------------------------------------------------------------------------
def test_rules_have_unique_keys_and_say_where_they_come_from() -> None:
    origins = {"agents.system_health.services.web": "config.yaml:12:7"}
    made = agent(EVERYTHING, mounts=MOUNTS, origins=origins)
    keys = [each.key for each in made.rules()]
    assert len(set(keys)) == len(keys)
    assert rule(made, "system_health.web|service:web").origin == "config.yaml:12:7"
    assert all(each.summary for each in made.rules())


@pytest.mark.parametrize("long", [False, True], ids=["short", "so long that items have no place"])
def test_every_rule_that_is_written_is_found_in_the_file(
    tmp_path: Path, long: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the paths of the loader itself: a rule's own spelling of one would find nothing."""
    file = tmp_path / "config.yaml"
    if long:
        monkeypatch.setattr(sources, "MOST_ORIGINS", 3)
    file.write_text(
        "agents:\n  system_health:\n    cpu_threshold: 70\n    thresholds:\n"
        "      memory: {for: 5m}\n"
        "      disk:\n"
        "        - {path: /, above: 80}\n"
        "        - {path: /srv, above: 80, critical: 95}\n"
        "    rules:\n      busy: {when: load1 > 5}\n"
        "    services:\n      web: {unit: web.service}\n"
    )
    file.chmod(0o600)
    loaded = load((file,), {}, lean=True)
    made = SystemHealthAgent(loaded.require().agents["system_health"], AgentContext("host", loaded.origins, mounts=MOUNTS))
    lines = file.read_text().splitlines()

    def line_of(key: str) -> str:
        return lines[int(rule(made, key).origin.split(":")[1]) - 1].strip()

    disks = ("- {path: /, above: 80}", "- {path: /srv, above: 80, critical: 95}") if not long else ("disk:", "disk:")
    assert line_of("system_health.cpu|host") == "cpu_threshold: 70"
    assert line_of("system_health.memory|host") == "memory: {for: 5m}"
    assert (line_of("system_health.disk|disk:/"), line_of("system_health.disk|disk:/srv")) == disks
    assert line_of("system_health.disk.critical|disk:/srv") == disks[1]
    assert line_of("system_health.busy|host") == "busy: {when: load1 > 5}"
    assert line_of("system_health.web|service:web") == "web: {unit: web.service}"
    assert rule(made, "system_health.load|host").origin == ""


def test_every_rule_reads_only_what_a_check_observes() -> None:
    made = agent(EVERYTHING, mounts=MOUNTS)
    observed = {(name, check.target) for check in made.checks() for name in check.observes}
    read = {
        pair for each in made.rules() for part in (each.condition, each.clear) if part is not None for pair in part.names
    }
    assert read <= observed
    assert len({check.name for check in made.checks()}) == len(made.checks())


def test_it_decides_by_interval_or_by_cron() -> None:
    assert agent({"interval": 60}).schedule == Schedule(every_seconds=60)
    by_cron = agent({"schedule": "*/5 * * * *", "timezone": "Europe/Berlin", "jitter": "30s"})
    assert by_cron.schedule == Schedule(cron="*/5 * * * *", timezone="Europe/Berlin", jitter_seconds=30)


def test_it_says_what_a_person_has_to_know() -> None:
    kind = SystemHealthAgent
    assert catalog.AGENTS[kind.name] is kind
    assert kind.purpose and kind.permissions and kind.side_effects and kind.recovery


def test_the_package_has_no_file_that_is_too_long() -> None:
    directory = Path(__file__).parents[3] / "zen_agents" / "agents" / "system_health"
    lengths = {path.name: len(path.read_text().splitlines()) for path in directory.glob("*.py")}
    assert lengths and max(lengths.values()) < 300


# -- leaks ------------------------------------------------------------------------------------------------------------
LEAKING = {"services": {"web": {"unit": "web.service", "leaks": {}}}}
LABELS = ("memory", "descriptors", "zombies")


def leak_steps(values: Mapping[str, Any], *allowed: str) -> Mapping[str, Any]:
    made = agent(values, policies={name: ActionPolicy() for name in allowed})
    return {label: steps(rule(made, f"system_health.web.{label}|service:web")) for label in LABELS}


def test_one_line_has_leaks_looked_for_and_restarted() -> None:
    ladders = leak_steps(LEAKING, "restart_service")
    assert ladders == {label: [["restart_service service:web"]] for label in LABELS}
    assert leak_steps(LEAKING) == {label: [] for label in LABELS}
    assert "leak.web" in [check.name for check in agent(LEAKING).checks()]


def test_zombies_are_first_asked_for_of_their_parent() -> None:
    ladder = leak_steps(LEAKING, "restart_service", "signal_parent")["zombies"]
    assert ladder == [["signal_parent service:web", "restart_service service:web"], ["restart_service service:web"]]


def test_a_restart_that_came_to_nothing_is_tried_once_more() -> None:
    """The engine may be killed in the middle of it, and the leak goes on."""
    made = agent(LEAKING, policies={"restart_service": ActionPolicy()})
    assert rule(made, "system_health.web.memory|service:web").ladder[0].attempts == 2


def test_leaks_may_only_be_told() -> None:
    told = {"services": {"web": {"unit": "web.service", "leaks": {"on_breach": []}}}}
    assert leak_steps(told, "restart_service") == {label: [] for label in LABELS}


def test_without_a_line_nobody_looks_for_leaks() -> None:
    plain = agent({"services": {"web": {"unit": "web.service"}}})
    assert not [each for each in plain.rules() if each.target == "service:web" and each.name != "system_health.web"]
    assert ("signal_parent", "service:web") not in plain.scope()


def test_one_line_has_people_told_of_restarts_that_upgrades_need() -> None:
    made = agent({"upgrades": {}})
    assert "upgrades" in [check.name for check in made.checks()]
    assert rule(made, "system_health.upgrades|host").hold.held_for_seconds == 600
    assert "upgrades" not in [check.name for check in agent().checks()]
