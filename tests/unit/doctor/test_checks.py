"""Each check finds what it is there for, and says what to do."""

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import WrittenState
from tests.support.telling import event_server, mail_server
from zen_agents.adapters import linux_firewall
from zen_agents.doctor import program, surroundings
from zen_agents.doctor.checks import CHECKS
from zen_agents.doctor.examination import Finding, Site, State, examine, fine
from zen_agents.model.action import OutcomeKind
from zen_agents.settings.loader import load

HEALTHY: Mapping[str, Any] = {
    "mode": "enforce", "dry_run": False, "abnormal": [], "pages_undelivered": [], "last_tick_seconds_ago": 3.0,
    "config": {"digest": "0"},
}  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a host with nothing on it, and an engine that runs."""
    for name in ("proc", "run", "etc", "state"):
        (tmp_path / name).mkdir(mode=0o700)
    return Site(tmp_path / "state", {}, HEALTHY, engine_pid=4242, root=tmp_path)


@pytest.fixture
def written(tmp_path: Path) -> WrittenState:
    return WrittenState(tmp_path / "state")


def asked(name: str, site: Site) -> Finding:
    return examine(site, {name: CHECKS[name]})[name]


def configured(site: Site, text: str, environ: Mapping[str, str] | None = None) -> Site:
    path = site.path("/etc/config.yaml")
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return replace(site, loaded=load(path, environ or {}), environ=environ or {})


def failed(found: Finding, *words: str) -> None:
    assert found.state is State.FAILED
    assert found.fix
    assert all(word in found.text for word in words), found.text


def test_a_check_that_breaks_is_unknown_and_the_others_are_asked(site: Site) -> None:
    def broken(_: Site) -> Finding:
        raise OSError(13, "Permission denied", "/x")

    found = examine(site, {"a": broken, "b": CHECKS["other_engines"]})
    assert (found["a"].state, found["b"].state) == (State.UNKNOWN, State.OK)
    assert "Permission denied" in found["a"].text


def test_a_library_that_does_not_load_is_named(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked("python", site).state is State.OK
    monkeypatch.setitem(program.sys.modules, "pybreaker", None)
    failed(asked("python", site), "pybreaker")
    monkeypatch.setattr(program.sys, "version_info", (3, 10, 1))
    failed(asked("python", site), "too old")


def a_unit(site: Site, text: str) -> Finding:
    site.path("/run/systemd/system").mkdir(parents=True, exist_ok=True)
    file = site.path("/etc/systemd/system/zen-agents.service")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return asked("unit", site)


def test_a_unit_whose_python_went_with_an_upgrade_is_found(site: Site) -> None:
    program_file = site.path("/opt/zen-agents/bin/zen-agents")
    unit = "[Service]\nExecStart=/opt/zen-agents/bin/zen-agents run\nRestartPreventExitStatus=78\n"
    failed(a_unit(site, unit), "/opt/zen-agents/bin/zen-agents is not there")
    program_file.parent.mkdir(parents=True)
    program_file.write_text("#!/opt/zen-agents/bin/python3.11\n", encoding="utf-8")
    failed(a_unit(site, unit), "python3.11", "not there any more")
    (program_file.parent / "python3.11").write_text("", encoding="utf-8")
    assert a_unit(site, unit).state is State.OK
    assert a_unit(site, unit.replace("RestartPreventExitStatus=78\n", "")).state is State.WARNING


def test_no_unit_matters_only_where_systemd_runs(site: Site) -> None:
    assert asked("unit", site).state is State.OK
    site.path("/run/systemd/system").mkdir(parents=True)
    assert asked("unit", site).state is State.WARNING


def test_a_second_engine_is_found_and_what_only_looks_like_one_is_not(site: Site) -> None:
    for pid, words in {
        4242: ["/opt/zen-agents/bin/python", "/opt/zen-agents/bin/zen-agents", "run"],
        4243: ["/usr/bin/python3", "-m", "zen_agents", "--state-dir", "/x", "run"],
        4244: ["/usr/bin/python3", "/usr/local/bin/zen-agents", "status"],
        4245: ["vi", "zen_agents", "run"],
    }.items():
        folder = site.path(f"/proc/{pid}")
        folder.mkdir()
        (folder / "cmdline").write_bytes("\0".join(words).encode() + b"\0")
    found = asked("other_engines", site)
    assert (found.state, found.text) == (State.WARNING, "other engines run on this host: process 4243")


@pytest.mark.parametrize(
    ("name", "change", "state"),
    [
        ("engine", {}, State.OK),
        ("engine", {"last_tick_seconds_ago": 4000.0}, State.FAILED),
        ("holds", {}, State.OK),
        ("holds", {"abnormal": ["SAFE MODE since 03:00", "PAUSED"]}, State.WARNING),
        ("messages", {}, State.OK),
        ("messages", {"pages_undelivered": ["email: refused"]}, State.FAILED),
    ],
)
def test_what_the_engine_says_of_itself_is_told(site: Site, name: str, change: dict[str, Any], state: State) -> None:
    assert asked(name, replace(site, status={**HEALTHY, **change})).state is state


def test_an_engine_that_is_dead_or_hung_is_told_apart(site: Site) -> None:
    failed(asked("engine", replace(site, status=None)), "4242", "does not answer")
    failed(asked("engine", replace(site, status=None, engine_pid=None)), "nobody watches")
    assert asked("messages", replace(site, status=None)).state is State.UNKNOWN


def test_an_engine_that_was_started_without_its_environment_is_told_of_a_cheaper_way(site: Site) -> None:
    started = site.path("/proc/4242/environ")
    started.parent.mkdir()
    started.write_bytes(b"PATH=/usr/bin\0HOME=/root\0")
    host = site.path("/sys/kernel/mm/transparent_hugepage/enabled")
    host.parent.mkdir(parents=True)
    host.write_text("always [madvise] never\n", encoding="ascii")
    hint = asked("heap", site)
    assert hint.state is State.OK
    assert "scripts/engine.env" in hint.fix
    host.write_text("always madvise [never]\n", encoding="ascii")
    assert not asked("heap", site).fix
    host.write_text("[always] madvise never\n", encoding="ascii")
    started.write_bytes(b"PATH=/usr/bin\0GLIBC_TUNABLES=glibc.malloc.hugetlb=1\0")
    assert not asked("heap", site).fix
    assert asked("heap", replace(site, engine_pid=None)).state is State.OK


def test_the_emergency_stop_is_the_first_thing_that_holds_it(site: Site) -> None:
    (site.state_dir / "EMERGENCY_STOP").write_text("x", encoding="utf-8")
    held = replace(site, status={**HEALTHY, "abnormal": ["SAFE MODE since 03:20: odd disk"]})
    found = asked("holds", held)
    failed(found, "EMERGENCY STOP")
    assert "SAFE MODE" not in found.text


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("agents: {system_health: {enabled: true}}\n", State.OK),
        ("mode: obsrve\n", State.FAILED),
        ("mode: enforce\n", State.WARNING),
    ],
)
def test_a_configuration_is_valid_or_its_first_error_is_told(site: Site, text: str, state: State) -> None:
    assert asked("config", configured(site, text)).state is state


def test_a_configuration_that_others_may_write_is_refused(site: Site) -> None:
    ready = configured(site, "mode: observe\n")
    site.path("/etc/config.yaml").chmod(0o666)
    failed(refused := asked("config", ready), "config.yaml")
    assert refused.fix == f"chmod go-w {site.path('/etc/config.yaml')}"
    site.path("/etc/config.yaml").chmod(0o600)
    assert asked("config", ready).state is not State.FAILED
    failed(asked("config", site), "no configuration")


def test_files_that_say_something_else_than_what_is_in_force_are_told(site: Site) -> None:
    ready = configured(site, "mode: observe\n")
    assert ready.loaded is not None
    assert asked("config_in_force", ready).state is State.WARNING
    same = {**HEALTHY, "config": {"digest": ready.loaded.digest}}
    assert asked("config_in_force", replace(ready, status=same)).state is State.OK
    refused = {**HEALTHY, "config": {"digest": ready.loaded.digest, "not_applied": {"error": "reload failed"}}}
    failed(asked("config_in_force", replace(ready, status=refused)), "reload failed")


def test_a_secret_that_is_not_there_is_found(site: Site) -> None:
    key = site.path("/etc/ping")
    text = f"alerts: {{heartbeat: {{url_file: {key}}}}}\n"
    failed(asked("secrets", configured(site, text)), str(key))
    key.write_text("https://example.org/x", encoding="utf-8")
    key.chmod(0o600)
    ready = configured(site, text)
    assert asked("secrets", ready).state is State.OK
    assert asked("heartbeat", ready).state is State.OK
    assert asked("heartbeat", configured(site, "mode: observe\n")).state is State.WARNING


def test_a_mail_server_is_asked_and_one_that_is_gone_or_says_nothing_is_told(site: Site) -> None:
    def ready(port: int) -> Site:
        smtp = f"{{host: 127.0.0.1, port: {port}, timeout: 1s}}"
        return configured(site, f"alerts: {{email: {{to: a@b.example, smtp: {smtp}}}}}\n")

    with mail_server() as server:
        assert asked("mail", ready(server.port)) == fine("the mail server answers")
        assert server.mails == []
    failed(asked("mail", ready(server.port)), f"127.0.0.1:{server.port}", "refused")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        failed(asked("mail", ready(silent.getsockname()[1])), "timed out")
    assert asked("mail", replace(ready(server.port), online=False)).state is State.UNKNOWN
    assert asked("mail", configured(site, "mode: observe\n")).text == "mail is off"


def test_pagerduty_is_asked_whether_it_takes_the_key(site: Site) -> None:
    with event_server() as server:
        text = f"alerts: {{pagerduty: {{enabled: true, url: '{server.url}'}}}}\n"
        ready = configured(site, text, {"PAGERDUTY_ROUTING_KEY": "k" * 32})
        assert asked("pagerduty", ready) == fine("PagerDuty accepts the routing key")
        server.statuses.append(400)
        failed(asked("pagerduty", ready), "400")
    failed(asked("pagerduty", ready), "refused")


def test_a_state_that_others_may_read_is_told(site: Site) -> None:
    assert asked("state_dir", site).state is State.OK
    site.state_dir.chmod(0o755)
    failed(asked("state_dir", site), "0755")
    failed(asked("state_dir", replace(site, state_dir=Path("/none"))), "/none")


@pytest.mark.parametrize(
    ("blocks", "inodes", "state"),
    [
        (1 << 20, 100_000, State.OK),
        (50_000, 100_000, State.WARNING),
        (100, 100_000, State.FAILED),
        (1 << 20, 9, State.FAILED),
    ],
)
def test_a_disk_that_fills_up_is_told(
    site: Site, monkeypatch: pytest.MonkeyPatch, blocks: int, inodes: int, state: State
) -> None:
    held = os.statvfs_result((4096, 4096, 1 << 20, blocks, blocks, 1 << 20, inodes, inodes, 0, 255))
    monkeypatch.setattr("zen_agents.doctor.state.os.statvfs", lambda _: held)
    assert asked("room", site).state is state


def test_a_state_is_whole_or_its_damage_is_told(site: Site, written: WrittenState) -> None:
    for number in range(200):
        written.incident(f"inc-{number:06}", written.ago(number))
    written.store.commit()
    written.store.close()
    path = site.state_dir / "state.db"
    assert asked("database", site).state is State.OK
    damaged = bytearray(path.read_bytes())
    for place in range(3 * 4096, len(damaged), 4096):
        damaged[place : place + 16] = b"\xff" * 16
    path.write_bytes(damaged)
    failed(asked("database", site), "cannot be used")


def test_a_state_too_large_for_the_time_is_not_known(
    site: Site, written: WrittenState, monkeypatch: pytest.MonkeyPatch
) -> None:
    written.store.commit()
    monkeypatch.setattr("zen_agents.doctor.state._AT_MOST", -1.0)
    monkeypatch.setattr("zen_agents.doctor.state._STEPS", 1)
    assert asked("database", site).state is State.UNKNOWN


def test_a_key_that_others_may_have_read_is_told(site: Site) -> None:
    assert asked("ledger_key", site).state is State.WARNING
    key = site.state_dir / "audit.key"
    key.write_bytes(bytes(32))
    key.chmod(0o600)
    assert asked("ledger_key", site).state is State.OK
    key.chmod(0o640)
    failed(asked("ledger_key", site), "0640")


def test_an_outcome_that_nobody_knows_is_told(site: Site, written: WrittenState) -> None:
    written.acted("act-aaaa11", written.ago(60), OutcomeKind.VERIFIED)
    written.store.commit()
    assert asked("outcomes", site).state is State.OK
    written.acted("act-bbbb22", written.ago(50), OutcomeKind.UNKNOWN)
    written.store.commit()
    found = asked("outcomes", site)
    assert (found.state, found.fix) == (State.WARNING, "zen-agents why act-bbbb22")


@pytest.mark.parametrize(("said", "state"), [(0, State.OK), (5, State.WARNING)])
def test_a_clock_that_nobody_sets_is_told(site: Site, monkeypatch: pytest.MonkeyPatch, said: int, state: State) -> None:
    # What the kernel of this machine says is its own affair, but it says something.
    assert surroundings.kernel_clock() in range(6)
    answer: Callable[[], int] = lambda: said  # noqa: E731
    monkeypatch.setattr(surroundings, "kernel_clock", answer)
    assert asked("clock", site).state is state


def test_a_host_without_a_log_is_told(site: Site) -> None:
    assert asked("system_log", site).state is State.WARNING
    site.path("/dev").mkdir()
    site.path("/dev/log").touch()
    assert asked("system_log", site).state is State.OK


def test_the_stop_that_needs_no_python_is_looked_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked("emergency_stop", site).state is State.OK
    monkeypatch.setattr(program.zen_agents, "__file__", str(site.path("/opt/lib/zen_agents/__init__.py")))
    assert asked("emergency_stop", site).state is State.WARNING
    site.path("/usr/local/sbin").mkdir(parents=True)
    site.path("/usr/local/sbin/zen-emergency-stop").touch()
    assert asked("emergency_stop", site).state is State.OK


def test_who_may_be_banned_needs_the_firewall(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "agents: {log_analysis: {sources: {auth: {file: /var/log/auth.log, format: syslog, security: true}}, patterns: "
        "{guessing: {source: auth, where: {event: login}, by: address, ban_at: [22]}}}}\n"
        "actions: {allow: {ban_address: {}}}\n"
    )
    quiet = configured(site, text.replace(", ban_at: [22]", ""))
    assert (asked("firewall", quiet).state, asked("firewall", site).state) == (State.OK, State.UNKNOWN)
    monkeypatch.setattr(linux_firewall, "_PATH", "/nowhere")
    assert asked("firewall", quiet).state is State.OK
    failed(asked("firewall", configured(site, text)), "nft is not installed")
    monkeypatch.setattr(linux_firewall, "nft", lambda: "/usr/sbin/nft")
    monkeypatch.setattr(surroundings.os, "geteuid", lambda: 1000)
    assert asked("firewall", configured(site, text)).state is State.UNKNOWN
    monkeypatch.setattr(surroundings.os, "geteuid", lambda: 0)
    monkeypatch.setattr(linux_firewall, "bans", lambda: {"192.0.2.7/32": 9.0})
    assert asked("firewall", configured(site, text)).text == "nft answers; 1 are banned"
