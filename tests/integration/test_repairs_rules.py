"""Rules of one's own, thresholds and events, end to end with a real engine."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.engine_process import EngineProcess, answers, free_port, wait_for
from tests.support.own_config import ACCOUNT, actions, own_config, repaired, told

Maker = Callable[[str], EngineProcess]


def _web(port: int, **more: Any) -> dict[str, Any]:
    start = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    return {
        "command": {"start": start, "user": ACCOUNT, "cwd": "/usr/share"}, "every": "1s", "bake": "0s",
        "check": {"tcp": f"127.0.0.1:{port}", "timeout": "1s"}, "fail_after": 1, "recover_after": 1, **more,
    }  # fmt: skip


def _incidents(engine: EngineProcess, rule: str) -> list[dict[str, Any]]:
    return [row for row in engine.json("incidents")["items"] if row["rule"] == f"system_health.{rule}"]


def test_a_rule_of_ones_own_only_tells_where_it_names_no_action(engine_with: Maker) -> None:
    health = {"sample_interval": "1s", "rules": {"always": {"when": "memory.percent > 0.1 and cpus >= 0.01", "for": "2s"}}}
    engine = engine_with(own_config(health, [])).start()
    wait_for(lambda: _incidents(engine, "always") and told(engine), "the message")
    assert len(told(engine)) == 1
    assert "always" in told(engine)[0]
    assert actions(engine) == []
    chain = engine.json("why", _incidents(engine, "always")[0]["id"])["chain"]
    assert any(link["kind"] == "alert" for link in chain)


def test_a_rule_of_ones_own_restarts_the_service_that_it_names(engine_with: Maker) -> None:
    """The process lives and answers; that it holds too much memory is this person's own rule."""
    port = free_port()
    rules = {"fat": {"when": "process.web.rss > 1", "target": "service:web", "on_match": ["restart_service:web"]}}
    health = {"services": {"web": _web(port)}, "rules": rules}
    engine = engine_with(own_config(health, {"restart_service": {"services": ["web"]}})).start()
    wait_for(lambda: any(row["rule"] == "system_health.fat" for row in actions(engine)), "the restart")
    row = next(row for row in actions(engine) if row["rule"] == "system_health.fat")
    assert (row["action"], row["target"]) == ("restart_service", "service:web")
    assert "rss" in row["because"]
    wait_for(lambda: answers(port), "the service")


def test_a_threshold_is_told_once_and_its_end_too(engine_with: Maker) -> None:
    """Memory is always above two percent; raised again by a reload, the threshold is not passed any more."""
    health = {"sample_interval": "1s", "memory_threshold": 2, "thresholds": {"memory": {"for": "3s", "clear": 1}}}
    engine = engine_with(own_config(health, [])).start()
    wait_for(lambda: _incidents(engine, "memory") and told(engine), "the message")
    incident = _incidents(engine, "memory")[0]
    assert incident["detail"].startswith("memory.percent is ")
    assert "above 2 for 3s" in incident["detail"]
    engine.config.write_text(own_config(health | {"memory_threshold": 99.9, "thresholds": {}}, []))
    assert engine.cli("reload").returncode == 0
    wait_for(lambda: _incidents(engine, "memory")[0]["state"] == "resolved", "the end")
    messages = [text for text in told(engine) if "memory" in text]
    assert len(messages) == 2
    assert "recovered" in messages[1]
    assert actions(engine) == []


def test_a_change_of_a_listed_file_wakes_the_engine_and_the_change_it_makes_itself_does_not_go_round(
    engine_with: Maker, tmp_path: Path
) -> None:
    key = tmp_path / "key.pem"
    key.write_text("secret")
    key.chmod(0o600)
    watched = {"path": str(key), "mode": "0600", "owner": str(os.geteuid()), "group": str(os.getegid()), "every": "1h"}
    engine = engine_with(own_config({"paths": {"key": watched}}, ["restore_permissions"])).start()
    wait_for(lambda: any(r["check"] == "system_health.key" and r["state"] == "ok" for r in engine.status()["checks"]))
    for number in range(1, 4):
        key.chmod(0o644)
        wait_for(lambda number=number: len(actions(engine)) == number, "the repair", seconds=20)
        repaired(engine, "restore_permissions", "path:key", seconds=20)
        assert key.stat().st_mode & 0o777 == 0o600
    # Its own chmod woke it as well; it saw that all is well, and did nothing.
    assert len(actions(engine)) == 3


def test_the_emergency_flag_is_noticed_whoever_made_it_and_however(engine_with: Maker, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("secret")
    key.chmod(0o600)
    watched = {"path": str(key), "mode": "0600", "owner": str(os.geteuid()), "group": str(os.getegid()), "every": "1s"}
    engine = engine_with(own_config({"paths": {"key": watched}}, ["restore_permissions"])).start()
    (engine.state / "EMERGENCY_STOP").touch()
    key.chmod(0o644)
    wait_for(lambda: any(d["reason"] == "emergency_stop" for d in engine.decisions()), "the refusal")
    wait_for(lambda: any("emergency stop" in text for text in told(engine)), "the message")
    assert key.stat().st_mode & 0o777 == 0o644
    assert actions(engine) == []
    (engine.state / "EMERGENCY_STOP").unlink()
    repaired(engine, "restore_permissions", "path:key")
    wait_for(lambda: any("emergency stop is over" in text for text in told(engine)), "the second message")
    assert len([text for text in told(engine) if "emergency stop" in text]) == 2


def test_its_own_services_survive_what_is_done_to_others(engine_with: Maker) -> None:
    """Two services: one dies again and again, the other is never touched."""
    ports = free_port(), free_port()
    services = {"one": _web(ports[0]), "two": _web(ports[1])}
    allowed = {"restart_service": {"services": ["one", "two"]}}
    engine = engine_with(own_config({"services": services}, allowed)).start()
    # Only one action runs at a time; the second is not kept waiting longer than that.
    wait_for(lambda: all(map(answers, ports)), "both", seconds=25)
    wait_for(lambda: [a["outcome"] for a in actions(engine)] == ["verified"] * 2, "their verification")
    other = engine.service_pid("two")
    for number in range(3, 6):
        os.kill(wait_for(lambda: engine.service_pid("one")), 9)
        wait_for(lambda number=number: len(actions(engine)) == number, "the repair")
        repaired(engine, "restart_service", "service:one")
    assert engine.service_pid("two") == other
    assert [row["target"] for row in actions(engine)].count("service:two") == 1
