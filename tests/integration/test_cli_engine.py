"""Every command asked of a real engine, before, during and after a repair."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.engine_process import EngineProcess, answers, free_port, wait_for, web_config
from tests.support.schemas import as_promised
from zen_agents.cli.main import COMMANDS

#: Every command, in forms that leave the engine as it is; `run` and `init` are asked elsewhere.
LOOKING: list[tuple[str, ...]] = [
    ("status",), ("events",), ("incidents",), ("incidents", "show", "@last"), ("actions",), ("actions", "show", "@last"),
    ("decisions",), ("decisions", "show", "@last"), ("why",), ("why", "--not", "web"), ("breaker",), ("audit", "verify"),
    ("audit", "export"), ("explain", "guards"), ("explain", "mode"), ("schema",), ("version",),
    ("act", "restart_service", "web", "--dry-run"), ("runbook",), ("runbook", "@last"), ("approvals",),
    ("maintenance",), ("report",),
]  # fmt: skip


#: How the notes begin that there is nothing to show.
NOTHING = ("no breaker", "nothing waits", "no window")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """Return an engine that has started its web server; tests leave it as they found it."""
    engine = EngineProcess(tmp_path_factory.mktemp("shared"), web_config(free_port()))
    engine.start()
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
    yield engine
    engine.close()


@pytest.mark.parametrize("words", LOOKING, ids=" ".join)
def test_each_look_is_one_document_for_programs(shared: EngineProcess, words: tuple[str, ...]) -> None:
    done = shared.cli(*words, "-o", "json")
    assert done.returncode == 0, done.stderr
    as_promised(json.loads(done.stdout))
    assert done.stderr == ""
    assert yaml.safe_load(shared.cli(*words, "-o", "yaml").stdout)["schema"] == json.loads(done.stdout)["schema"]
    for line in shared.cli(*words, "-o", "jsonl").stdout.splitlines():
        json.loads(line)
    people = shared.cli(*words)
    assert (people.returncode, people.stderr) == (0, "") or people.stderr.startswith(NOTHING)
    assert "Traceback" not in people.stdout + people.stderr
    assert "\x1b" not in people.stdout


def test_no_command_is_left_out() -> None:
    elsewhere = {
        "init", "run", "once", "reload", "ack", "act", "pause", "resume", "safe-mode", "stop", "check-config", "config",
        "plan", "approve", "deny", "undo", "rollback", "alert", "doctor", "test", "completion", "man", "new", "replay",
        "top", "lint", "baseline", "logs", "packages", "data",
    }  # fmt: skip
    assert {words[0] for words in LOOKING} | elsewhere == set(COMMANDS)


def test_healthy_is_zero_and_quiet_is_two_lines(shared: EngineProcess) -> None:
    assert shared.cli("status").returncode == 0
    assert shared.cli("status", "--wait", "healthy", "--timeout", "30s").returncode == 0
    quiet = shared.cli("-q", "status").stdout.splitlines()
    assert len(quiet) == 2
    assert "ENFORCE" in quiet[0]
    assert quiet[1].startswith("0 incidents open | 1 action today (1 verified)")
    assert "CHECK" in shared.cli("status", "-v").stdout
    assert shared.cli("status", FORCE_COLOR="1", NO_COLOR="").stdout.count("\x1b[32mok") > 3
    assert "\x1b" not in shared.cli("status", "--no-color", FORCE_COLOR="1").stdout


def test_times_in_utc_and_names_alone(shared: EngineProcess) -> None:
    at = shared.json("actions")["items"][0]["reserved_at"][11:19]
    assert at in shared.cli("actions", "--utc", TZ="Pacific/Auckland").stdout
    assert shared.cli("--utc", "actions", TZ="Pacific/Auckland").stdout == shared.cli("actions", TZ="UTC").stdout
    assert shared.cli("actions", "-o", "name").stdout.strip() == shared.json("actions", "--json=id")["items"][0]["id"]


def test_a_pause_binds_the_engine_until_it_is_lifted(shared: EngineProcess) -> None:
    paused = shared.json("pause", "web", "--for", "1h", "--reason", "a test")
    assert paused["scope"] == "target:service:web"
    status = shared.cli("status")
    assert (status.returncode, status.stdout.startswith("PAUSED until ")) == (1, True)
    assert '"a test". zen-agents resume target:service:web' in status.stdout.splitlines()[0]
    # A person with a reason passes it; the engine would not.
    assert shared.cli("act", "restart_service", "web", "--dry-run", "--reason", "mine").returncode == 0
    lifted = shared.json("resume", "web")
    assert lifted["lifted"] == ["pause"]
    nothing = shared.cli("resume", "web")
    assert (nothing.returncode, "nothing is paused for target:service:web" in nothing.stderr) == (2, True)
    assert shared.cli("status").returncode == 0


def test_a_pause_may_end_at_a_time_of_day(shared: EngineProcess) -> None:
    paused = shared.json("pause", "web", "--until", "23:59", "--reason", "a night's work")
    assert paused["scope"] == "target:service:web" and 0 < paused["for_seconds"] <= 86_400
    assert " 23:59 (target:service:web) by " in shared.cli("status").stdout.splitlines()[0]
    assert shared.cli("resume", "web").returncode == 0


def test_a_window_is_the_first_line_and_no_sickness(shared: EngineProcess) -> None:
    words = ("--until", "23:59", "--timezone", "UTC", "--effect", "no_alerts", "--reason", "a test")
    assert shared.json("maintenance", "start", "disks", *words)["effect"] == "no_alerts"
    status = shared.cli("status")
    assert (status.returncode, status.stdout.startswith("MAINTENANCE disks (no_alerts) until ")) == (0, True)
    assert shared.json("maintenance")["items"][0]["state"] == "open"
    assert "disks is closed" in shared.cli("maintenance", "end", "disks").stdout
    assert shared.cli("status").stdout.startswith("MAINTENANCE") is False


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("pause", "wbe", "--for", "1h", "--reason", "x"), 2, "did you mean 'web'?"),
        (("pause", "web", "--for", "25h", "--reason", "x"), 2, "--confirm"),
        (("pause", "web", "--for", "0s", "--reason", "x"), 2, "longer than nothing"),
        (("ack", "@open"), 2, "no open incidents"),
        (("ack", "inc-zzzzzz"), 2, "zen-agents incidents"),
        (("act", "restart_service", "sshd", "--reason", "x", "--yes"), 2, "the configuration names: service:web"),
        (("act", "restart_servce", "web", "--reason", "x", "--yes"), 2, "did you mean 'restart_service'?"),
        (("pause", "web", "--until", "2020-01-31T06:00", "--reason", "x"), 2, "is past"),
        (("pause", "web", "--for", "1h", "--until", "06:00", "--reason", "x"), 2, "not allowed with"),
        (("pause", "web", "--reason", "x"), 2, "--for --until is required"),
        (
            ("act", "restart_service", "web", "--override", "emergency_stop", "--reason", "x"),
            4,
            "nobody passes emergency_stop",
        ),
        (("act", "restart_service", "web", "--override", "coldown", "--reason", "x"), 2, "did you mean 'cooldown'?"),
        (("act", "restart_service", "web", "--reason", "x"), 2, "--yes is needed"),
        (("breaker", "reset", "x", "--reason", "x"), 2, "there is no breaker 'x'"),
        (("resume", "--from-emergency", "--confirm", "x"), 2, "is not set"),
        (("why", "--not", "nothing"), 2, "system_health.web"),
        (("actions", "show", "act-zzzzzz"), 2, "there is no 'act-zzzzzz'"),
    ],
)
def test_what_is_not_done_says_why(shared: EngineProcess, words: tuple[str, ...], code: int, said: str) -> None:
    done = shared.cli(*words)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert done.stdout == "" or "--yes" in said
    body = as_promised(json.loads(shared.cli(*words, "-o", "json").stdout))
    assert (body["schema"], body["exit_code"]) == ("zen-agents/error/v1", code)


def test_why_not_about_what_was_never_bad(shared: EngineProcess) -> None:
    done = shared.cli("why", "--not", "system_health.engine.store")
    assert done.returncode == 0
    assert "system_health.engine.store on host is ok" in done.stdout


def test_events_are_followed_until_somebody_ends_it(shared: EngineProcess) -> None:
    following = subprocess.Popen(
        [sys.executable, "-m", "zen_agents", "events", "-f", "-o", "jsonl", "--state-dir", str(shared.state)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert following.stdout is not None
    seen = [json.loads(following.stdout.readline())]
    shared.cli("pause", "web", "--for", "5m", "--reason", "followed")
    shared.cli("resume", "web")
    while seen[-1]["id"] != "resume":
        seen.append(json.loads(following.stdout.readline()))
    following.send_signal(signal.SIGINT)
    assert following.wait(30) == 130
    assert following.stderr is not None
    assert following.stderr.read() == ""
    assert [one["record"] for one in seen] == sorted({one["record"] for one in seen})
    following.stdout.close()
    following.stderr.close()
    assert shared.cli("events", "-f", "-o", "json").returncode == 2


def test_a_reader_that_has_had_enough_is_no_error(shared: EngineProcess) -> None:
    pipe = f'{sys.executable} -m zen_agents explain codes --state-dir "$1" | head -n 1; true'
    done = subprocess.run(
        ["sh", "-c", pipe, "sh", str(shared.state)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("ZC")
    assert done.stderr == ""


def test_a_terminal_that_knows_fewer_characters_gets_no_traceback(shared: EngineProcess) -> None:
    shared.cli("pause", "web", "--for", "5m", "--reason", "na\u00efve \u2192 \u4e2d")
    done = shared.cli("status", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    shared.cli("resume", "web")
    assert (done.returncode, "\\u2192" in done.stdout, done.stderr) == (1, True, "")


def test_a_repair_during_and_after_it(engine: EngineProcess, port: int) -> None:
    engine.start()
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
    engine.cli("pause", "web", "--for", "1h", "--reason", "to look")
    os.kill(wait_for(engine.service_pid), signal.SIGKILL)
    incident = wait_for(lambda: engine.json("incidents", "--open")["items"], "the incident")[0]["id"]

    status = engine.cli("status")
    assert status.returncode == 1
    assert "1 incident open" in status.stdout
    assert "DOWN" in status.stdout
    why_not = engine.cli("why", "--not", "web").stdout
    assert "BLOCKED by paused" in why_not
    assert "now: DOWN" in why_not
    during = engine.cli("why", "@open").stdout
    assert during.startswith("system_health.web on service:web is DOWN since ")
    assert "SKIP restart_service service:web: paused" in during
    assert f"zen-agents ack {incident}" in during
    acknowledged = engine.json("ack", incident[:7], "--for", "5m", "--reason", "mine")
    assert acknowledged["incident"] == incident
    assert "has it until " in engine.cli("why", incident).stdout
    assert "ack by" in engine.cli("why", incident).stdout

    assert engine.json("act", "restart_service", "web", "--reason", "by hand", "--yes")["outcome"] == "verified"
    assert answers(port)
    wait_for(lambda: not engine.json("incidents", "--open")["items"], "its end")
    after = engine.cli("why", incident).stdout
    assert " was bad from " in after
    assert "What happens next: nothing, it is over." in after
    chain = engine.cli("why", "@last", "-v").stdout
    assert "emergency_stop" in chain
    act = engine.actions()[-1]["id"]
    assert "by hand" in engine.cli("why", act).stdout


def test_safe_mode_and_a_configuration_that_cannot_be_applied_are_the_first_line(engine: EngineProcess) -> None:
    engine.start()
    assert engine.json("safe-mode", "on", "--reason", "odd disk")["on"] is True
    first = engine.cli("status").stdout.splitlines()[0]
    assert first.startswith("SAFE MODE since ")
    assert "odd disk. zen-agents safe-mode off" in first
    resume = engine.cli("resume")
    assert (resume.returncode, "safe mode is on: zen-agents safe-mode off" in resume.stderr) == (2, True)
    assert engine.json("safe-mode", "off", "--reason", "fine")["was_on"] is True

    good = engine.config.read_text(encoding="utf-8")
    engine.config.write_text(good.replace("fail_after", "fail_afer"), encoding="utf-8")
    bad = engine.cli("reload")
    assert (bad.returncode, "fail_afer" in bad.stderr) == (78, True)
    status = engine.cli("status")
    assert (status.returncode, status.stdout.startswith("CONFIG NOT APPLIED: reload failed")) == (1, True)
    engine.config.write_text(good.replace("every: 1s", "every: 2s"), encoding="utf-8")
    assert engine.json("reload")["agents"] == ["system_health"]
    assert not engine.cli("status").stdout.startswith("CONFIG")


def test_a_stop_lets_the_engine_end_and_the_state_be_read(engine: EngineProcess) -> None:
    engine.start()
    done = engine.cli("stop", "--reason", "a test")
    assert (done.returncode, done.stdout.startswith("The engine ends ")) == (0, True)
    assert engine.process is not None
    assert engine.process.wait(60) == 0
    for words, code in {
        ("status",): 3,
        ("stop",): 3,
        ("reload",): 3,
        ("ack", "@last"): 3,
        ("events",): 0,
        ("why",): 0,
    }.items():
        done = engine.cli(*words)
        assert done.returncode == code or (words == ("why",) and done.returncode == 2), (words, done.stderr)


@pytest.mark.parametrize(
    ("allow", "override", "code"),
    [(", cooldown: 1h", "", 4), (", cooldown: 1h", "cooldown", 0), (", cooldown: 1h", "rate_limit", 4)],
)
def test_an_override_passes_the_guard_it_names_and_no_other(
    engine_with: Callable[[str], EngineProcess], allow: str, override: str, code: int
) -> None:
    engine = engine_with(
        web_config(free_port()).replace(", cooldown: 0s", "").replace("approval: auto", f"approval: auto{allow}")
    )
    engine.start()
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
    done = engine.cli("act", "restart_service", "web", "--reason", "again", "--yes", "--override", override)
    assert done.returncode == code, done.stdout + done.stderr
    if code == 4:
        assert "DENY cooldown - The target was acted on a short while ago" in done.stdout
        refused: dict[str, Any] = engine.json("act", "restart_service", "web", "--reason", "x", "--yes")
        assert (refused["schema"], refused["reason"]) == ("zen-agents/judgement/v1", "cooldown")
    else:
        audit = [one for one in engine.events() if one["id"] == "act"]
        assert audit[-1]["body"]["override"] == ["cooldown"]


def test_an_act_that_does_not_help_is_one_and_its_chain_says_so(
    engine_with: Callable[[str], EngineProcess], tmp_path: Path
) -> None:
    config = web_config(free_port()).replace("verify_within: 20s", "verify_within: 3s")
    broken = config.replace("http.server", "json.tool").replace("mode: enforce", "")
    engine = engine_with(f"mode: observe\n{broken}")
    engine.start()
    done = engine.cli("act", "restart_service", "web", "--reason", "try", "--yes")
    assert done.returncode in (1, 6), done.stdout + done.stderr
    act = engine.actions()[-1]
    assert act["outcome"] in ("failed", "unknown")
    assert act["outcome"].upper() in engine.cli("actions").stdout
    assert act["outcome"].upper() in engine.cli("why", act["id"]).stdout
