"""The whole engine on a host that a real systemd runs: a unit is killed and comes back, a person's stop is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chaos.host import DisposableHost
from tests.support.disposable import host_or_skip, properties, service
from tests.support.engine_inside import EngineInside, armed
from tests.support.engine_process import wait_for

pytestmark = [pytest.mark.systemd, pytest.mark.needs_root]

SLEEP = "/bin/sleep infinity"
#: So seldom looks the engine by itself that in a test it knows only what systemd tells it.
SELDOM = "interval: 1h"
LIMITS = """
actions:
  default: deny
  allow:
    restart_service: {approval: auto, cooldown: 0s, timeout: 20s, verify_within: 20s}
limits: {boot_grace: 0s, max_auto_repairs_per_hour: 50, per_target_per_hour: 20}
"""
QUICK = "every: 1h, fail_after: 1, recover_after: 1, bake: 0s"


def config(**services: str) -> str:
    """Return a configuration that looks after these services."""
    lines = "\n".join(f"      {name}: {{{how}, {QUICK}}}" for name, how in services.items())
    return f"agents:\n  system_health:\n    {SELDOM}\n    services:\n{lines}\n{LIMITS}"


@pytest.fixture(scope="module")
def host() -> Iterator[DisposableHost]:
    yield from host_or_skip()


@pytest.fixture(scope="module")
def engine(host: DisposableHost) -> EngineInside:
    """Return an engine that looks after three enabled units, all well."""
    names = ("web", "left", "kept")
    for name in names:
        service(host, name, SLEEP, "Restart=no")
        host.run(["systemctl", "enable", "--now", name], check=True)
    keep = {"kept": ", keep: running"}
    inside = EngineInside(
        host, "zen-agents", config(**{name: f"unit: {name}.service{keep.get(name, '')}" for name in names}), services=names
    )
    inside.start()
    return inside


def repairs(engine: EngineInside, name: str) -> list[tuple[str, str]]:
    """Return who acted on a service and what came of it, oldest first."""
    return [(row["by"], row["outcome"]) for row in engine.actions() if row["target"] == f"service:{name}"]


def state(host: DisposableHost, name: str) -> str:
    return properties(host, f"{name}.service", "ActiveState")["ActiveState"]


def last_decision(engine: EngineInside, name: str) -> dict[str, Any]:
    return next((row for row in reversed(engine.decisions()) if row["target"] == f"service:{name}"), {})


def test_a_killed_unit_comes_back_verified_and_was_started_once(host: DisposableHost, engine: EngineInside) -> None:
    before = properties(host, "web.service", "MainPID")["MainPID"]
    host.run(["kill", "-KILL", before], check=True)
    wait_for(lambda: repairs(engine, "web") == [("engine", "verified")], "the verified repair")
    assert state(host, "web") == "active"
    assert properties(host, "web.service", "MainPID")["MainPID"] not in {"0", before}
    wait_for(lambda: engine.incidents("web") == [("resolved", "engine")])
    starts = host.run(["journalctl", "--unit=web.service", "--output=cat", "--grep=^Started"]).stdout
    assert len(starts.splitlines()) == 2, "by the person, then by the engine"


def test_what_a_person_stops_is_told_and_not_started(host: DisposableHost, engine: EngineInside) -> None:
    host.run(["systemctl", "stop", "left"], check=True)
    decision = wait_for(lambda: last_decision(engine, "left"), "the decision")
    assert (decision["outcome"], decision["reason"]) == ("skip", "stopped_by_person")
    guards = {guard["guard"]: guard["ruling"] for guard in decision["guards"]}
    assert guards.pop("stopped_by_person") == "deny"
    assert set(guards.values()) == {"allow"}, "nothing else kept it from acting"
    assert [state for state, _ in engine.incidents("left")] == ["open"]
    assert (state(host, "left"), repairs(engine, "left")) == ("inactive", [])

    host.run(["systemctl", "start", "left"], check=True)
    wait_for(lambda: engine.incidents("left") == [("resolved", "itself")], "the end of the incident")
    assert repairs(engine, "left") == []


def test_what_is_to_be_kept_running_is_started_after_a_stop(host: DisposableHost, engine: EngineInside) -> None:
    host.run(["systemctl", "stop", "kept"], check=True)
    wait_for(lambda: repairs(engine, "kept") == [("engine", "verified")], "the start")
    assert state(host, "kept") == "active"


def test_the_engine_is_calm_afterwards_and_its_ledger_whole(host: DisposableHost, engine: EngineInside) -> None:
    assert state(host, "zen-agents") == "active"
    assert engine.cli("audit", "verify").returncode == 0
    targets = {row["target"] for row in engine.actions()}
    assert targets <= {f"service:{name}" for name in engine.services}


def test_a_stop_while_the_engine_was_away_counts_and_a_person_may_start_it(host: DisposableHost) -> None:
    service(host, "away", SLEEP)
    host.run(["systemctl", "enable", "away"], check=True)
    engine = EngineInside(host, "zen-away", config(away="unit: away.service"), services=("away",))
    engine.start()
    assert wait_for(lambda: last_decision(engine, "away"))["reason"] == "stopped_by_person"
    assert (state(host, "away"), repairs(engine, "away")) == ("inactive", [])

    done = engine.cli("act", "restart_service", "away", "--reason", "it is needed again", "--yes")
    assert done.returncode == 0, done.stderr
    wait_for(lambda: [outcome for _, outcome in repairs(engine, "away")] == ["verified"])
    assert repairs(engine, "away")[0][0] != "engine"
    assert state(host, "away") == "active"
    engine.stop()


def test_a_command_outlives_the_stop_of_the_engines_unit_and_is_found_again(host: DisposableHost) -> None:
    command = "command: {start: [/bin/sleep, infinity], user: nobody}"
    engine = EngineInside(host, "zen-command", config(job=command), services=("job",))
    engine.start()
    wait_for(lambda: repairs(engine, "job") == [("engine", "verified")], "the first start")
    pid = properties(host, "zen-agents-service-job.service", "MainPID")["MainPID"]
    engine.stop()
    assert state(host, "zen-command") == "inactive"
    assert properties(host, "zen-agents-service-job.service", "MainPID", "ActiveState") == {
        "MainPID": pid,
        "ActiveState": "active",
    }

    engine.start()
    assert repairs(engine, "job") == [("engine", "verified")], "found, not started again"
    host.run(["kill", "-KILL", pid], check=True)
    wait_for(lambda: repairs(engine, "job") == [("engine", "verified")] * 2, "the repair")
    assert properties(host, "zen-agents-service-job.service", "MainPID")["MainPID"] not in {"0", pid}
    engine.stop()


@pytest.mark.parametrize(
    ("failpoint", "outcomes", "starts"),
    [
        # Between intent and call: nothing was done, which is known, and nothing is done for that intent any more.
        ("executor.before_spawn:kill", ["skipped", "verified"], 2),
        # Between call and answer: systemd goes on, and what it did counts.
        ("executor.after_spawn:kill", ["verified"], 2),
    ],
)
def test_an_engine_that_is_killed_in_a_repair_verifies_and_repeats_nothing(
    host: DisposableHost, failpoint: str, outcomes: list[str], starts: int
) -> None:
    name = failpoint.partition(":")[0].rpartition(".")[2].replace("_", "-")
    service(host, name, SLEEP, "Restart=no")
    host.run(["systemctl", "enable", "--now", name], check=True)
    settings = config(**{name: f"unit: {name}.service"}).replace("verify_within: 20s", "verify_within: 2s")
    engine = EngineInside(host, f"zen-{name}", settings, services=(name,))
    engine.start(armed(failpoint))
    host.run(["kill", "-KILL", properties(host, f"{name}.service", "MainPID")["MainPID"]], check=True)
    wait_for(lambda: state(host, f"zen-{name}") == "inactive", "the end of the engine")

    engine.start()
    wait_for(lambda: [outcome for _, outcome in repairs(engine, name)] == outcomes, "the verified repair")
    assert state(host, name) == "active"
    lines = host.run(["journalctl", f"--unit={name}.service", "--output=cat", "--grep=^Started"]).stdout.splitlines()
    assert len(lines) == starts, "by the person, then once by the engine"
    engine.stop()
