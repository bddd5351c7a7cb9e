"""A new configuration in a running engine: swapped as a whole, or not at all; what was under way goes on."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.engine_process import EngineProcess, answers, free_port, wait_for, web_config
from tests.support.telling import mail_server

EngineWith = Callable[[str], EngineProcess]


def write(engine: EngineProcess, config: str) -> None:
    """Put another configuration in the engine's place for it, all at once."""
    other = engine.config.with_suffix(".new")
    other.write_text(config, encoding="utf-8")
    other.chmod(0o600)
    other.rename(engine.config)


def reload(engine: EngineProcess, config: str) -> None:
    write(engine, config)
    done = engine.cli("reload")
    assert done.returncode == 0, done.stderr


def hup(engine: EngineProcess) -> None:
    assert engine.process is not None
    engine.process.send_signal(signal.SIGHUP)


def abnormal(engine: EngineProcess) -> list[str]:
    status = engine.status()
    assert status is not None
    lines: list[str] = status["abnormal"]
    return lines


def row(engine: EngineProcess, name: str) -> dict[str, Any]:
    """Return what status says about a service, {} if it is not watched."""
    status = engine.status()
    assert status is not None
    return next((check for check in status["checks"] if check["check"] == f"system_health.{name}"), {})


def two_services(first: int, second: int, *, limits: str = "") -> str:
    """Return a configuration with a second web server, `api`."""
    one, other = web_config(first, limits=limits), web_config(second)
    services = other.partition("    services:\n")[2].partition("actions:\n")[0].replace("      web:", "      api:", 1)
    return one.replace("actions:\n", f"{services}actions:\n", 1).replace("services: [web]", "services: [web, api]")


@contextmanager
def occupied() -> Iterator[int]:
    """Hold a port, so that no service can be started on it."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def test_a_service_is_added_changed_and_taken_away_while_the_other_goes_on(engine: EngineProcess, port: int) -> None:
    engine.start()
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
    web, other, moved = engine.service_pid(), free_port(), free_port()

    reload(engine, two_services(port, other))
    wait_for(lambda: row(engine, "api").get("state") == "ok" and answers(other), "the added service")

    reload(engine, two_services(port, moved))
    wait_for(lambda: answers(moved), "the changed service, restarted because its check fails now", seconds=120)

    reload(engine, web_config(port))
    assert row(engine, "api") == {}
    pid = engine.service_pid("api")
    assert pid is not None
    assert engine.service_pid() == web
    for each in (pid, web):
        assert each is not None
        os.kill(each, signal.SIGKILL)
    wait_for(lambda: engine.service_pid() not in (None, web) and answers(port), "the repair of what is still watched")
    assert not answers(moved)
    assert not [i for i in engine.json("incidents")["items"] if "api" in i["rule"] and i["state"] != "resolved"]


def test_a_bad_file_changes_nothing_and_says_where_it_is_wrong(engine: EngineProcess, port: int) -> None:
    engine.start()
    wait_for(lambda: answers(port), "the service")
    good = engine.config.read_text()
    for ask in (lambda: engine.cli("reload").returncode, lambda: hup(engine) or 78):
        write(engine, good.replace("every: 1s", "evry: 1s"))
        assert ask() == 78
        line = wait_for(lambda: next((text for text in abnormal(engine)[:1] if "CONFIG NOT APPLIED" in text), ""), "line 1")
        assert "config.yaml:" in line
        assert "running the old one" in line
        assert "CONFIG NOT APPLIED" in engine.cli("status").stdout.splitlines()[0]
        pid = wait_for(engine.service_pid)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda pid=pid: engine.service_pid() not in (None, pid) and answers(port), "a repair by the old one")
        write(engine, good)
        hup(engine)
        wait_for(lambda: not abnormal(engine), "the good file again")
    assert [e["id"] for e in engine.events() if e["kind"] == "engine" and "reload" in e["id"]] == [
        "reload_failed", "reloaded", "reload_failed", "reloaded",
    ]  # fmt: skip


def test_an_engine_whose_terminal_is_closed_ends_cleanly_instead_of_going_on_unseen(engine: EngineProcess) -> None:
    outer, inner = os.openpty()
    try:
        engine.input = inner
        engine.start()
    finally:
        os.close(inner)
    hup(engine)
    wait_for(lambda: "reloaded" in [event["id"] for event in engine.events()], "a reload while somebody may look on")
    os.close(outer)
    hup(engine)
    assert engine.process is not None
    assert engine.process.wait(30) == 129
    assert engine.cli("status").returncode == 3


@pytest.mark.parametrize("text", ["", "agents: [", "\0", "plugins: [no-such-package]\n", "mode: enforced\n"])
def test_whatever_stands_there_the_engine_goes_on(engine: EngineProcess, port: int, text: str) -> None:
    engine.start()
    before = engine.status()
    assert before is not None
    write(engine, text)
    done = engine.cli("reload")
    after = engine.status()
    assert after is not None
    # An empty file is a configuration too: of an engine that watches nothing.
    assert done.returncode == (78 if text else 0)
    assert (after["config"]["digest"] == before["config"]["digest"]) == bool(text)
    engine.config.unlink()
    assert engine.cli("reload").returncode == 78
    assert engine.status() is not None


def test_an_action_that_runs_while_the_file_is_swapped_is_verified_after_it(engine_with: EngineWith) -> None:
    port = free_port()
    slow = web_config(port).replace(
        " cwd: /usr/share\n", ' cwd: /usr/share\n          stop: [/bin/sh, -c, "sleep 3; exit 1"]\n'
    )
    engine = engine_with(slow.replace("        every: 1s\n", "        every: 1s\n        stop_timeout: 8s\n")).start()
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
    engine.cli("act", "restart_service", "web", "--reason", "deploy", "--yes", "--no-wait")
    wait_for(lambda: list((engine.state / "running").glob("act-*")), "a running action")
    reload(engine, engine.config.read_text().replace("bake: 0s", "bake: 1s"))
    assert list((engine.state / "running").glob("act-*"))
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified", "verified"], "its verification")
    assert answers(port)


def test_an_open_incident_keeps_its_name_over_a_reload_and_ends_with_its_rule(engine_with: EngineWith) -> None:
    with occupied() as taken:
        port = free_port()
        engine = engine_with(two_services(port, taken)).start()
        wait_for(lambda: row(engine, "api").get("incident"), "its incident")
        incident = row(engine, "api")["incident"]
        reload(engine, two_services(port, taken).replace("bake: 0s", "bake: 1s"))
        wait_for(lambda: row(engine, "web").get("state") == "ok", "a turn after the reload")
        assert row(engine, "api")["incident"] == incident

        reload(engine, web_config(port))
        wait_for(lambda: _state(engine, incident) == ("resolved", "configuration"), "the end of its rule")


def _state(engine: EngineProcess, id: str) -> tuple[str, str]:
    found = next(i for i in engine.json("incidents")["items"] if i["id"] == id)
    return found["state"], found["resolved_by"]


def test_an_agent_that_goes_takes_its_incidents_along_and_may_come_back(engine_with: EngineWith) -> None:
    with occupied() as taken:
        config = two_services(free_port(), taken)
        engine = engine_with(config).start()
        wait_for(lambda: row(engine, "api").get("incident"), "its incident")
        reload(engine, config.replace("    interval: 1m\n", "    interval: 1m\n    enabled: false\n"))
        status = engine.status()
        assert status is not None
        assert (status["agents"], status["incidents_open"]) == ([], 0)
        reload(engine, config)
        wait_for(lambda: row(engine, "api").get("incident"), "a new incident")
        status = engine.status()
        assert status is not None
        assert [agent["state"] for agent in status["agents"]] == ["running"]


def test_limits_are_neither_forgotten_nor_kept_by_a_reload(engine_with: EngineWith) -> None:
    port = free_port()

    def limited(most: int) -> str:
        return web_config(port, limits=f", max_auto_repairs_per_hour: {most}, per_target_per_hour: 100")

    engine = engine_with(limited(2)).start()
    for count in (1, 2):
        wait_for(lambda count=count: [a["outcome"] for a in engine.actions()] == ["verified"] * count, "a repair")
        os.kill(wait_for(engine.service_pid), signal.SIGKILL)
    wait_for(lambda: any(d["reason"] == "rate_limit" for d in engine.decisions()), "the refusal")
    reload(engine, limited(2).replace("bake: 0s", "bake: 1s"))
    wait_for(lambda: row(engine, "web").get("state") == "DOWN", "a turn after the reload")
    assert len(engine.actions()) == 2
    reload(engine, limited(3))
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"] * 3, "the third repair", seconds=90)


def test_breakers_survive_a_reload(engine_with: EngineWith) -> None:
    with occupied() as taken:
        extra = "breakers: {recurrence: {open_after: 100}, flapping: {open_after: 100}, failures: {open_after: 1}}"
        config = web_config(taken).replace("breakers: {recurrence: {open_after: 100}, flapping: {open_after: 100}}", extra)
        engine = engine_with(config).start()
        wait_for(lambda: [b["state"] for b in engine.json("breaker", "list")["items"]] == ["open"], "the breaker")
        reload(engine, config.replace("bake: 0s", "bake: 1s"))
        assert [b["state"] for b in engine.json("breaker", "list")["items"]] == ["open"]
        assert len(engine.actions()) == 1


def test_who_is_told_is_swapped_too(engine: EngineProcess, port: int) -> None:
    engine.start()
    with mail_server() as box:
        mail = f"alerts: {{email: {{to: [ops@example.com], smtp: {{host: 127.0.0.1, port: {box.port}, starttls: never}}}}}}"
        reload(engine, web_config(port, extra=mail))
        assert engine.cli("safe-mode", "on", "--reason", "a drill").returncode == 0
        wait_for(lambda: any("safe mode" in str(mail["Subject"]) for mail in box.mails), "the mail")


def test_reloads_that_come_together_are_done_one_after_the_other(engine: EngineProcess, port: int) -> None:
    engine.start()
    other = free_port()
    write(engine, two_services(port, other))
    for _ in range(5):
        hup(engine)
    assert engine.cli("reload").returncode == 0
    wait_for(lambda: answers(other), "the added service")
    status = engine.status()
    assert status is not None
    assert [agent["name"] for agent in status["agents"]] == ["system_health"]
    assert len([a for a in engine.actions() if a["target"] == "service:api"]) == 1
