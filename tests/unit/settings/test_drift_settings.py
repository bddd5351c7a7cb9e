"""What `baselines`, `sysctls` and `deployments` may say, and what is told of what they may not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.settings import codes, loaded, told


def written(section: str, *, allow: str = "{}") -> str:
    return f"agents:\n  system_health:\n    {section}\nactions:\n  allow: {allow}\n"


def test_what_is_written_is_read() -> None:
    text = written(
        "sysctls: {rmem: {setting: net.ipv4.tcp_rmem, value: 4096  131072 6291456}}",
        allow="{restore_sysctl: {settings: [net.ipv4.tcp_rmem]}}",
    )
    health: Any = loaded(text).require().agents["system_health"]
    assert health.sysctls["rmem"].value == "4096 131072 6291456"
    text = written("sysctls: {alive: {setting: net.ipv4.tcp_keepalive_time, value: 600}}")
    health = loaded(text).require().agents["system_health"]
    assert health.sysctls["alive"].value == "600"


@pytest.mark.parametrize(
    ("section", "code", "said"),
    [
        ("baselines: {a: {path: /etc/web.conf}}", "ZC105", "declared"),
        ("baselines: {a: {path: /etc/web.conf, declared: /etc/web.conf}}", "ZC214", "the managed file itself"),
        ("baselines: {a: {path: /etc/passwd, declared: /srv/passwd}}", "ZC405", "write `on_failure: []` to be told"),
        ("baselines: {a: {path: /w, declared: /d, test: [nginx, -t, CANDIDATE]}}", "ZC210", "absolute path of a program"),
        ("baselines: {a: {path: /w, declared: /d, test: [/bin/nginx, -t], test_user: www}}", "ZC303", "write CANDIDATE"),
        ("baselines: {a: {path: /w, declared: /d, test_user: www}}", "ZC214", "belongs to `test`"),
        ("sysctls: {a: {setting: tcp_keepalive_time, value: 1}}", "ZC213", "like net.ipv4.tcp_keepalive_time"),
        ("sysctls: {a: {setting: ../../etc/passwd, value: 1}}", "ZC213", "a kernel setting"),
        ("sysctls: {a: {setting: net.ipv4.ip_forward, value: ''}}", "ZC209", "value"),
        ("sysctls: {a: {setting: kernel.modules_disabled, value: 1}}", "ZC214", "no way back"),
        ("deployments: {a: {}}", "ZC214", "exactly one of `record`, `marker`, `account` and `packages`"),
        ("deployments: {a: {marker: /m, account: ci}}", "ZC214", "exactly one of"),
        ("deployments: {a: {record: /r}}", "ZC214", "whose lines count?"),
        ("deployments: {a: {marker: /m, by: [ci]}}", "ZC214", "goes with `record`"),
    ],
)
def test_what_cannot_be_meant_is_told(section: str, code: str, said: str) -> None:
    assert code in codes(written(section))
    assert said in told(written(section))


def test_a_test_that_would_run_as_root_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    section = "baselines: {a: {path: /w, declared: /d, test: [/bin/nginx, -t, CANDIDATE]}}"
    for uid, wrong in ((0, True), (1000, False)):
        monkeypatch.setattr("zen_agents.agents.system_health.areas.tested.os.geteuid", lambda uid=uid: uid)
        assert ("ZC404" in codes(written(section))) == wrong


def test_a_protected_file_is_restored_only_where_the_list_names_it() -> None:
    section = "baselines: {hosts: {path: /etc/hosts, declared: /srv/hosts}}"
    assert codes(written(section, allow="{restore_file: {paths: [/etc]}}")) == ["ZC405"]
    assert codes(written(section, allow="{restore_file: {}}")) == ["ZC405"]
    assert codes(written(section, allow="{restore_file: {paths: [/etc/hosts]}}")) == []
    assert codes(written("baselines: {p: {path: /etc/passwd, declared: /srv/passwd, on_failure: []}}")) == []


def test_a_kernel_setting_is_set_only_where_the_list_names_it() -> None:
    section = "sysctls: {a: {setting: net.ipv4.ip_forward, value: 0}}"
    assert codes(written(section, allow="{restore_sysctl: {settings: [net.ipv4.tcp_rmem]}}")) == ["ZC302"]
    assert codes(written(section, allow="{restore_sysctl: {}}")) == ["ZC302"]
    assert codes(written(section)) == []


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ("config_files: [/etc/site.json]", "ZC214"),
        ("config_test: [/bin/sited, CANDIDATE], config_test_user: www", "ZC214"),
        ("config_files: [/etc/site.json], config_test: [/bin/sited], config_test_user: www", "ZC303"),
        (
            "config_files: [/etc/site.json], config_test: [/bin/sited, CANDIDATE], config_test_user: www, good_after: 0s",
            "ZC209",
        ),
    ],
)
def test_a_configuration_of_a_service_says_how_it_is_tested(keys: str, code: str) -> None:
    assert code in codes(written(f"services: {{site: {{unit: site.service, {keys}}}}}"))
