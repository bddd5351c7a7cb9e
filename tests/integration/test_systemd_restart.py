"""restart_service on a host that a real systemd runs: what it repairs, what it refuses, and what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chaos.host import DisposableHost
from tests.support.disposable import answer_of, host_or_skip, properties, service
from tests.support.engine_process import wait_for

pytestmark = [pytest.mark.systemd, pytest.mark.needs_root]

STATE = "/var/lib/zen-agents-test"
SLEEP = "/bin/sleep infinity"


@pytest.fixture(scope="module")
def host() -> Iterator[DisposableHost]:
    yield from host_or_skip()


def restart(
    host: DisposableHost, name: str, how: str = "act", *kept: str, attempt: int = 1, **params: Any
) -> dict[str, Any]:
    """Restart a service, by its unit of the same name if nothing else is said."""
    whole = {"service": name, **(params or {"unit": f"{name}.service"})}
    words = how, STATE, json.dumps(whole), str(attempt), *kept
    told: dict[str, Any] = answer_of(host, "inside_restart.py", *words, timeout=60)
    return told


def started(host: DisposableHost, name: str, *lines: str, unit_lines: tuple[str, ...] = ()) -> dict[str, str]:
    """Enable and start a unit of its own and return what it is."""
    service(host, name, SLEEP, *lines, unit_lines=unit_lines)
    host.run(["systemctl", "enable", "--now", name], check=True)
    return properties(host, f"{name}.service", "MainPID", "InvocationID")


def kill(host: DisposableHost, name: str) -> None:
    """Kill a unit's main process and wait until systemd has seen it."""
    host.run(["kill", "-KILL", properties(host, f"{name}.service", "MainPID")["MainPID"]], check=True)
    wait_for(lambda: properties(host, f"{name}.service", "ActiveState")["ActiveState"] == "failed")


# -- units ----------------------------------------------------------------------------------------------------------------
def test_a_unit_whose_main_process_was_killed_is_restarted(host: DisposableHost) -> None:
    before = started(host, "crashed", "Restart=no")
    kill(host, "crashed")
    told = restart(host, "crashed")
    assert told["ruling"] == "allow"
    assert told["steps"] == ["systemctl restart -- crashed.service"]
    assert told["effect"]["ok"] is True
    assert (told["effect"]["before"], told["effect"]["after"]) == ("failed (failed)", "active (running)")
    after = properties(host, "crashed.service", "MainPID", "InvocationID", "ActiveState")
    assert after["ActiveState"] == "active"
    assert after["MainPID"] not in {"0", before["MainPID"]}
    assert after["InvocationID"] != before["InvocationID"]


def test_without_systemds_private_socket_systemctl_finds_another_way(host: DisposableHost) -> None:
    before = started(host, "roundabout", "Restart=no")
    kill(host, "roundabout")
    host.run(["mv", "/run/systemd/private", "/run/systemd/elsewhere"], check=True)
    try:
        told = restart(host, "roundabout")
    finally:
        host.run(["mv", "/run/systemd/elsewhere", "/run/systemd/private"], check=True)
    assert told["effect"]["ok"] is True
    after = properties(host, "roundabout.service", "MainPID", "ActiveState")
    assert after["ActiveState"] == "active" and after["MainPID"] not in {"0", before["MainPID"]}


def test_one_that_a_person_stopped_is_refused(host: DisposableHost) -> None:
    started(host, "stopped")
    host.run(["systemctl", "stop", "stopped"], check=True)
    told = restart(host, "stopped", "plan")
    assert (told["ruling"], told["reason"]) == ("deny", "stopped_by_person")
    assert told["value"] == "stopped.service is inactive and ended well"


def test_one_that_is_to_be_kept_running_is_started_again(host: DisposableHost) -> None:
    started(host, "kept")
    host.run(["systemctl", "stop", "kept"], check=True)
    told = restart(host, "kept", "act", "service:kept")
    assert told["ruling"] == "allow"
    assert told["effect"]["ok"] is True
    assert properties(host, "kept.service", "ActiveState")["ActiveState"] == "active"


def test_a_failed_unit_that_a_person_disabled_is_refused_and_an_enabled_one_is_not(host: DisposableHost) -> None:
    for name in ("off", "on"):
        started(host, name)
    host.run(["systemctl", "disable", "off"], check=True)
    for name in ("off", "on"):
        kill(host, name)
    assert restart(host, "off", "plan")["reason"] == "stopped_by_person"
    assert restart(host, "on", "plan")["ruling"] == "allow"


def test_a_masked_and_an_unknown_unit_are_refused(host: DisposableHost) -> None:
    service(host, "masked", SLEEP)
    host.run(["systemctl", "mask", "masked"], check=True)
    assert restart(host, "masked")["reason"] == "stopped_by_person"
    unknown = restart(host, "unknown")
    assert (unknown["error"], unknown["reason"]) == ("RefusedError", "no_target")


def test_a_unit_that_runs_but_hangs_is_restarted_and_what_goes_along_is_named(host: DisposableHost) -> None:
    before = started(host, "hangs")
    service(host, "leans", SLEEP, unit_lines=("Requires=hangs.service", "After=hangs.service"))
    host.run(["systemctl", "start", "leans"], check=True)
    host.run(["kill", "-STOP", before["MainPID"]], check=True)
    told = restart(host, "hangs")
    assert told["warning"] == "takes along leans.service"
    assert told["effect"]["ok"] is True
    assert properties(host, "hangs.service", "MainPID") != {"MainPID": before["MainPID"]}
    assert properties(host, "leans.service", "ActiveState") == {"ActiveState": "active"}


def test_a_unit_that_cannot_start_is_no_success_and_the_result_is_told(host: DisposableHost) -> None:
    service(host, "broken", "/bin/false", "Type=oneshot", unit_lines=("StartLimitIntervalSec=0",))
    host.run(["systemctl", "start", "broken"])
    effect = restart(host, "broken")["effect"]
    assert effect["ok"] is False
    assert effect["detail"] == "systemd's restart of broken.service: failed (exit-code)"


def test_a_start_limit_that_was_hit_after_a_good_run_is_reset_and_told(host: DisposableHost) -> None:
    limit = ("StartLimitBurst=1", "StartLimitIntervalSec=1h")
    started(host, "flapped", unit_lines=limit)
    assert host.run(["systemctl", "restart", "flapped"]).returncode == 1
    assert properties(host, "flapped.service", "Result") == {"Result": "start-limit-hit"}
    told = restart(host, "flapped")
    assert told["steps"][0] == "systemctl reset-failed -- flapped.service (systemd's own start limit was hit)"
    assert told["effect"]["ok"] is True
    assert "the limit (1 starts in 3600 s) was reset" in told["effect"]["detail"]
    assert properties(host, "flapped.service", "ActiveState") == {"ActiveState": "active"}


@pytest.mark.parametrize("ends", ["/bin/false", "/bin/sh -c 'kill -KILL $$$$'"])
def test_a_crash_loop_gets_one_more_round_and_then_its_start_limit_is_told(host: DisposableHost, ends: str) -> None:
    name = "loops-by-exit" if "false" in ends else "loops-by-signal"
    limit = ("StartLimitBurst=3", "StartLimitIntervalSec=1h")
    service(host, name, ends, "Restart=always", "RestartSec=0", unit_lines=limit)
    host.run(["systemctl", "start", name])
    _wait_until_given_up(host, name)
    assert properties(host, f"{name}.service", "Result")["Result"] in {"exit-code", "signal"}, "not start-limit-hit"
    told = restart(host, name)
    assert told["steps"][0] == f"systemctl reset-failed -- {name}.service (systemd gave it up after 3 restarts of its own)"
    _wait_until_given_up(host, name)
    again = restart(host, name, attempt=2)
    assert again["steps"] == [f"systemctl restart -- {name}.service"]
    assert again["effect"]["ok"] is False
    assert "its start limit (3 starts in 3600 s) is hit" in again["effect"]["detail"]
    assert properties(host, f"{name}.service", "NRestarts") == {"NRestarts": "3"}, "no storm was begun anew"


def _wait_until_given_up(host: DisposableHost, name: str) -> None:
    given_up = {"ActiveState": "failed", "NRestarts": "3"}
    wait_for(lambda: properties(host, f"{name}.service", *given_up) == given_up)


def test_a_unit_that_failed_for_another_ones_sake_is_not_blamed_on_the_limit(host: DisposableHost) -> None:
    service(host, "absent", "/bin/false", "Type=oneshot", unit_lines=("StartLimitIntervalSec=0",))
    started(host, "depends")
    kill(host, "depends")
    service(host, "depends", SLEEP, unit_lines=("Requires=absent.service", "After=absent.service"))
    effect = restart(host, "depends")["effect"]
    assert effect["ok"] is False
    assert "dependency" in effect["detail"]
    assert "limit" not in effect["detail"]


def test_a_unit_that_systemd_is_busy_with_is_waited_for(host: DisposableHost) -> None:
    started(host, "leaving", "KillSignal=SIGCONT", "TimeoutStopSec=8")
    host.run(["systemctl", "stop", "--no-block", "leaving"], check=True)
    told = restart(host, "leaving", "act", "service:leaving")
    assert told["steps"][0] == "wait until leaving.service is no longer deactivating"
    assert told["effect"]["ok"] is True
    assert properties(host, "leaving.service", "ActiveState") == {"ActiveState": "active"}


# -- commands -------------------------------------------------------------------------------------------------------------
def by_command(host: DisposableHost, name: str, *start: str, **more: Any) -> dict[str, Any]:
    return restart(host, name, command={"start": start, "user": "nobody"}, **more)


def test_a_command_becomes_a_unit_of_its_own_and_outlives_the_engine(host: DisposableHost) -> None:
    told = by_command(host, "outlives", "/bin/sleep", "infinity")
    assert told["effect"]["ok"] is True
    assert host.run(["test", "-e", f"/proc/{told['engine']}"]).returncode == 1, "the engine's process is gone"
    unit = properties(host, "zen-agents-service-outlives.service", "ActiveState", "MainPID", "Transient", "ControlGroup")
    assert (unit["ActiveState"], unit["Transient"]) == ("active", "yes")
    assert unit["ControlGroup"] == "/system.slice/zen-agents-service-outlives.service"
    pid = unit["MainPID"]
    assert told["effect"]["after"] == f"process {pid}"
    assert host.run(["stat", "--format=%U", f"/proc/{pid}"]).stdout == "nobody\n"
    assert host.run(["cat", f"/proc/{pid}/comm"]).stdout == "sleep\n"

    again = by_command(host, "outlives", "/bin/sleep", "infinity")
    assert again["effect"]["before"].startswith(f"process {pid} "), "the next engine finds it, stops it, starts it anew"
    assert properties(host, "zen-agents-service-outlives.service", "MainPID") != {"MainPID": pid}


def test_a_killed_command_is_started_again_in_the_same_unit(host: DisposableHost) -> None:
    by_command(host, "revived", "/bin/sleep", "infinity")
    unit = "zen-agents-service-revived.service"
    pid = properties(host, unit, "MainPID")["MainPID"]
    host.run(["kill", "-KILL", pid], check=True)
    wait_for(lambda: properties(host, unit, "ActiveState") == {"ActiveState": "inactive"})
    told = by_command(host, "revived", "/bin/sleep", "infinity")
    assert (told["effect"]["ok"], told["effect"]["before"]) == (True, "absent")
    assert properties(host, unit, "ActiveState") == {"ActiveState": "active"}


def test_arguments_arrive_as_they_are_written(host: DisposableHost) -> None:
    odd = ["$HOME", "${PATH}", "a$b", "$$", "%n %% %h", "two words", "", "-x", "é;|&"]
    tell = "import json, signal, sys; open('/tmp/arguments', 'w').write(json.dumps(sys.argv[1:])); signal.pause()"
    command = {"start": ["/usr/bin/python3", "-c", tell, *odd], "user": "nobody", "environment": {"A": "$B %n 'c'"}}
    restart(host, "odd", command=command)
    assert json.loads(wait_for(lambda: host.run(["cat", "/tmp/arguments"]).stdout)) == odd
    pid = properties(host, "zen-agents-service-odd.service", "MainPID")["MainPID"]
    assert "A=$B %n 'c'" in host.read_file(f"/proc/{pid}/environ").split("\0")


def test_a_command_that_cannot_run_is_a_failure_and_says_why(host: DisposableHost) -> None:
    told = by_command(host, "nothing", "/usr/bin/no-such-program")
    assert told["error"] == "ActionFailedError"
    assert "systemd did not start zen-agents-service-nothing.service" in told["said"]
    assert "no-such-program" in told["said"]


def test_a_daemon_that_refuses_to_start_is_a_failure_that_is_told_with_its_exit_code(host: DisposableHost) -> None:
    refuse = ("/usr/bin/python3", "-c", "raise SystemExit(7)")
    told = by_command(host, "refuses", *refuse, pidfile="/run/refuses.pid")
    assert told["error"] == "ActionFailedError"
    assert "systemd did not start zen-agents-service-refuses-" in told["said"]
    assert "(exit 7)" in told["said"]


def test_a_daemon_that_stays_with_its_command_goes_on_when_nobody_waits_any_more(host: DisposableHost) -> None:
    host.run(["install", "-d", "--owner=nobody", "/run/stays"], check=True)
    stay = "echo $$ > /run/stays/pid; exec /bin/sleep infinity"
    told = by_command(host, "stays", "/bin/sh", "-c", stay, pidfile="/run/stays/pid", executable="/bin/sleep")
    assert told["effect"]["ok"] is True
    pid = host.read_file("/run/stays/pid").strip()
    assert told["effect"]["after"] == f"process {pid}"
    assert host.run(["cat", f"/proc/{pid}/comm"]).stdout == "sleep\n"


def test_a_command_that_leaves_a_daemon_is_found_by_its_pidfile(host: DisposableHost) -> None:
    host.run(["install", "-d", "--owner=nobody", "/run/daemon"], check=True)
    fork = (
        "import os, sys\npid = os.fork()\nif pid:\n    open('/run/daemon/pid', 'w').write(str(pid))\n    sys.exit()\n"
        "os.execv('/bin/sleep', ['sleep', 'infinity'])"
    )
    told = by_command(host, "daemon", "/usr/bin/python3", "-c", fork, pidfile="/run/daemon/pid", executable="/bin/sleep")
    assert told["effect"]["ok"] is True
    pid = wait_for(lambda: host.run(["cat", "/run/daemon/pid"]).stdout)
    assert host.run(["cat", f"/proc/{pid}/comm"]).stdout == "sleep\n"
    again = by_command(host, "daemon", "/usr/bin/python3", "-c", fork, pidfile="/run/daemon/pid", executable="/bin/sleep")
    assert again["effect"]["before"].startswith(f"process {pid} ")
    assert wait_for(lambda: host.run(["cat", "/run/daemon/pid"]).stdout) != pid
    assert host.run(["test", "-e", f"/proc/{pid}"]).returncode == 1


def test_nothing_runs_under_the_emergency_stop(host: DisposableHost) -> None:
    before = started(host, "frozen")
    host.write_file(f"{STATE}/EMERGENCY_STOP", "set by a test\n")
    try:
        told = restart(host, "frozen")
    finally:
        host.run(["rm", "--", f"{STATE}/EMERGENCY_STOP"], check=True)
    assert (told["error"], "emergency" in told["said"].lower()) == ("RefusedError", True)
    assert properties(host, "frozen.service", "MainPID", "InvocationID") == before
