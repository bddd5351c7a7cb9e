"""The section `agents.system_health`: what it takes, what it means, what it refuses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from zen_agents.agents.system_health.areas.caches import CacheDirectory
from zen_agents.agents.system_health.areas.jobs import Job
from zen_agents.agents.system_health.areas.journal import JournalSize
from zen_agents.agents.system_health.areas.log_rates import LogRate
from zen_agents.agents.system_health.areas.logs import LogFiles
from zen_agents.agents.system_health.areas.mounts import WritableMount
from zen_agents.agents.system_health.areas.paths import WatchedPath
from zen_agents.agents.system_health.areas.service_settings import Service, ServiceCommand, ServiceProbe
from zen_agents.agents.system_health.areas.temp_dirs import TempDirectory
from zen_agents.agents.system_health.areas.uninterruptible import UninterruptibleThreshold
from zen_agents.agents.system_health.settings import SystemHealthSettings, clear_below
from zen_agents.agents.system_health.threshold_settings import DiskThreshold, Thresholds

COMMAND = {"start": ["/usr/bin/web"], "user": "nobody"}


def refused(values: dict[str, Any], model: type[BaseModel] = SystemHealthSettings) -> tuple[str, str]:
    """Return the type of the only error and the key it is about."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(values)
    (error,) = caught.value.errors()
    at = str(error.get("ctx", {}).get("at", ""))
    return error["type"], ".".join([*map(str, error["loc"]), *([at] if at else [])])


def test_the_specifications_five_keys_are_enough() -> None:
    settings = SystemHealthSettings.model_validate(
        {"enabled": True, "interval": 300, "cpu_threshold": 80, "memory_threshold": 90, "auto_mitigate": True}
    )
    assert settings == SystemHealthSettings()
    assert settings.interval == timedelta(minutes=5)
    assert settings.sample_interval == timedelta(seconds=15)
    assert settings.thresholds.cpu.held_for == timedelta(minutes=5)
    assert settings.thresholds.memory.held_for == timedelta(minutes=3)


def test_every_key_says_what_it_means() -> None:
    models = (
        SystemHealthSettings, Thresholds, DiskThreshold, Service, ServiceCommand, ServiceProbe, WatchedPath,
        TempDirectory, LogFiles, CacheDirectory, Job, JournalSize, LogRate, WritableMount, UninterruptibleThreshold,
    )  # fmt: skip
    silent = [
        f"{model.__name__}.{key}" for model in models for key, field in model.model_fields.items() if not field.description
    ]
    assert silent == []


def test_clear_is_five_points_below_the_threshold_unless_it_is_given() -> None:
    cpu = SystemHealthSettings().thresholds.cpu
    assert clear_below(80, cpu) == 75
    assert clear_below(3, cpu) == 0
    assert clear_below(80, cpu.model_copy(update={"clear": 60.0})) == 60


@pytest.mark.parametrize(
    "values, expected",
    [
        ({"cpu_treshold": 80}, ("extra_forbidden", "cpu_treshold")),
        ({"thresholds": {"cpu": {"held_for": "5m"}}}, ("extra_forbidden", "thresholds.cpu.held_for")),
        ({"thresholds": {"cpu": {"for": 5}}}, ("unit", "thresholds.cpu.for")),
        ({"cpu_threshold": 0.8}, ("percent_range", "cpu_threshold")),
        ({"memory_threshold": 900}, ("percent_range", "memory_threshold")),
        ({"thresholds": {"cpu": {"clear": 85}}}, ("clear", "thresholds.cpu.clear")),
        ({"thresholds": {"memory": {"clear": 90}}}, ("clear", "thresholds.memory.clear")),
        ({"thresholds": {"cpu": {"critical": 80}}}, ("critical", "thresholds.cpu.critical")),
        ({"thresholds": {"disk": [{"path": "/", "above": 80, "clear": 85}]}}, ("clear", "thresholds.disk.0.clear")),
        ({"thresholds": {"disk": [{"path": "/"}, {"path": "/"}]}}, ("twice", "thresholds.disk.1.path")),
        ({"interval": 60, "schedule": "0 3 * * *"}, ("one_of", "schedule")),
        ({"sample_interval": "0s"}, ("range", "sample_interval")),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_at_its_key(values: dict[str, Any], expected: tuple[str, str]) -> None:
    type_, key = refused(values)
    assert (type_, key.removesuffix(".function-after")) == expected


@pytest.mark.parametrize(
    "service, expected",
    [
        ({}, "one_of"),
        ({"unit": "web.service", "command": COMMAND}, "one_of"),
        ({"unit": "web.service", "pidfile": "/run/web.pid"}, "one_of"),
        ({"command": COMMAND, "keep": "running"}, "one_of"),
        ({"command": COMMAND, "executable": "/usr/bin/web"}, "one_of"),
        ({"command": {"start": [], "user": "nobody"}}, "range"),
        ({"command": {"start": [""], "user": "nobody"}}, "range"),
        ({"command": {"start": ["/usr/bin/web\n"], "user": "nobody"}}, "text"),
        ({"command": "systemctl restart web"}, "model_type"),
        ({"command": {**COMMAND, "env": {"A=B": "c"}}}, "name"),
        ({"unit": "web"}, "name"),
        ({"unit": "web.service", "check": {}}, "one_of"),
        ({"unit": "web.service", "check": {"tcp": "127.0.0.1:80", "http": "http://127.0.0.1/"}}, "one_of"),
        ({"unit": "web.service", "check": {"tcp": "127.0.0.1:80", "headers": {"X": "1"}}}, "one_of"),
        ({"unit": "web.service", "check": {"http": "http://127.0.0.1/", "send": "PING"}}, "one_of"),
        ({"unit": "web.service", "check": {"tcp": "127.0.0.1:80", "send": "\u20ac"}}, "text"),
        ({"unit": "web.service", "check": {"tcp": "127.0.0.1:80000"}}, "address"),
        ({"unit": "web.service", "check": {"unix": "/run/w.sock", "tcp": "127.0.0.1:80"}}, "one_of"),
        ({"unit": "web.service", "check": {"unix": "/run/w.sock", "expect_status": 204}}, "one_of"),
        ({"unit": "web.service", "check": {"unix": "/run/w.sock", "http": "http://x/", "send": "PING"}}, "one_of"),
        ({"unit": "web.service", "check": {"unix": "/run/w.sock", "http": "https://x/"}}, "address"),
        ({"unit": "web.service", "check": {"unix": "run/w.sock"}}, "path"),
        ({"unit": "web.service", "check": {"unix": f"/run/{'w' * 103}"}}, "path"),
        ({"unit": "web.service", "wakes_within": "0s"}, "range"),
        ({"unit": "web.service", "check": {"http": "http://x/", "expect_status": 20}}, "greater_than_equal"),
        ({"unit": "web.service", "fail_after": 0}, "greater_than_equal"),
    ],
)
def test_a_service_that_nobody_could_run_is_refused(service: dict[str, Any], expected: str) -> None:
    assert refused({"services": {"web": service}})[0] == expected


def test_as_root_a_command_says_as_whom_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert refused({"start": ["/usr/bin/web"]}, ServiceCommand)[0] == "root"
    assert ServiceCommand.model_validate({"start": ["/usr/bin/web"], "user": "root"}).user == "root"
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert ServiceCommand.model_validate({"start": ["/usr/bin/web"]}).user is None


def test_one_status_code_stands_for_a_list_of_one() -> None:
    probe = ServiceProbe.model_validate({"http": "http://127.0.0.1/", "expect_status": 204})
    assert probe.expect_status == (204,)


@pytest.mark.parametrize("circle", [["a", "a"], ["a", "b"], ["a", "b", "c"]])
def test_services_that_wait_for_each_other_are_refused(circle: list[str]) -> None:
    names = sorted(set(circle))
    following = dict(zip(names, [*names[1:], names[0]], strict=True))
    services = {name: {"unit": f"{name}.service", "depends_on": [other]} for name, other in following.items()}
    assert refused({"services": services})[0] == "cycle"


def test_a_dependency_that_is_not_listed_is_refused_at_its_place() -> None:
    services = {"web": {"unit": "web.service", "depends_on": ["db"]}}
    assert refused({"services": services}) == ("reference", "services.web.depends_on.0")


@pytest.mark.parametrize(
    "values, expected",
    [
        ({"paths": {"key": {"path": "/etc/key", "mode": 600, "owner": "root", "group": "root"}}}, "octal"),
        ({"paths": {"key": {"path": "etc/key", "mode": "0600", "owner": "root", "group": "root"}}}, "path"),
        (
            {"paths": {"key": {"path": "/etc/key", "mode": "0600", "owner": "root", "group": "root", "create": True}}},
            "one_of",
        ),
        ({"paths": {"key": {"path": "/etc/key"}}}, "missing"),
        ({"temp_dirs": {"app": {"path": "/srv/tmp", "above": "60%", "down_to": "80%"}}}, "clear"),
        ({"temp_dirs": {"app": {"path": "/srv/tmp", "older_than": "1s"}}}, "range"),
        ({"temp_dirs": {"app": {"path": "/srv/*"}}}, "path"),
        ({"logs": {"app": {"path": "/var/log/*/app.log"}}}, "path"),
        ({"logs": {"app": {"path": "/var/log/app/*"}}}, "path"),
        ({"logs": {"app": {"path": "/var/log/app.log", "rotate_at": "0B"}}}, "greater_than_equal"),
        ({"logs": {"app": {"path": "/var/log/app.log", "rotate_at": 50}}}, "unit"),
        ({"caches": {"pip": {"path": "/srv/cache", "above": "1GiB", "down_to": "1GiB"}}}, "clear"),
        ({"caches": {"": {"path": "/srv/cache", "above": "2GiB", "down_to": "1GiB"}}}, "name"),
        ({"jobs": {"nightly": {"executable": "/usr/bin/nightly", "max_age": "2h"}}}, "missing"),
        ({"jobs": {"nightly": {"executable": "nightly", "user": "root", "max_age": "2h"}}}, "path"),
        ({"jobs": {"nightly": {"executable": "/x", "user": "root", "max_age": "0s"}}}, "range"),
        ({"jobs": {"nightly": {"executable": "/x", "user": "root", "max_age": "2h", "match": "("}}}, "regex"),
        ({"journal": {"above": "1GiB", "down_to": "1GiB"}}, "clear"),
        ({"journal": {"above": "1000"}}, "unit"),
        ({"journal": []}, "model_type"),
        ({"log_rates": {"web": {"unit": "web"}}}, "name"),
        ({"log_rates": {"web": {"unit": "web.service", "above": 10}}}, "clear"),
        ({"mounts": {"srv": {"path": "srv"}}}, "path"),
        ({"uninterruptible": {"for": "0s"}}, "range"),
        ({"time": {}}, "one_of"),
        ({"time": {"servers": ["pool.ntp.org"]}}, "address"),
        ({"time": {"daemon": "chrony"}}, "name"),
        ({"resolvers": {"host": {}}}, "missing"),
        ({"resolvers": {"host": {"asks": ""}}}, "string_too_short"),
        ({"resolvers": {"host": {"asks": "db", "expects": ["db.internal"]}}}, "address"),
        ({"resolvers": {"host": {"asks": "db", "file": "resolv.conf"}}}, "path"),
        ({"connections": {"db": {"to": "db.internal"}}}, "address"),
        ({"connections": {"db": {"to": "db.internal:5432", "tries": 0}}}, "greater_than_equal"),
        ({"links": {"uplink": {}}}, "one_of"),
        ({"links": {"uplink": {"interface": "../eth0"}}}, "string_pattern_mismatch"),
        ({"resolvers": {"host": {"asks": "db", "fallbacks": ["127.0.0.1"] * 4}}}, "too_long"),
        ({"conntrack": {"raise_to": 131072}}, "one_of"),
        ({"conntrack": {"usual": 131072, "raise_to": 131072}}, "clear"),
        ({"conntrack": {"usual": 65536, "raise_to": 600000}}, "clear"),
        ({"local_ports": {"above": 80}}, "unit"),
        ({"local_ports": {"widen_to": "32768-60999"}}, "clear"),
        ({"local_ports": {"widen_to": "40000-64999"}}, "clear"),
        ({"local_ports": {"widen_to": "1-65535"}}, "range"),
        ({"local_ports": {"usual": "60999-32768"}}, "range"),
    ],
)
def test_what_is_to_be_kept_in_order_is_named_exactly(values: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SystemHealthSettings.model_validate(values)
    assert expected in {error["type"] for error in caught.value.errors()}


def test_settings_come_back_as_they_are_written() -> None:
    settings = SystemHealthSettings.model_validate(
        {
            "thresholds": {"cpu": {"for": "4m"}, "disk": [{"path": "/srv", "above": "85%"}]},
            "services": {"web": {"command": COMMAND, "check": {"tcp": "127.0.0.1:80"}}},
            "temp_dirs": {"app": {"path": "/srv/tmp", "older_than": "2d", "above": "80%", "down_to": "60%"}},
            "logs": {"app": {"path": "/var/log/app/*.log"}},
            "rules": {"busy": {"when": "load1 > cpus", "for": "5m"}},
        }
    )
    written = settings.model_dump(mode="json", by_alias=True)
    assert written["thresholds"]["cpu"]["for"] == "4m"
    assert written["logs"]["app"]["rotate_at"] == "50MiB"
    assert SystemHealthSettings.model_validate({**written, "schedule": None}).services == settings.services
