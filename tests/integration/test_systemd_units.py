"""What the engine sees of units, and what wakes it, on a host that a real systemd runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chaos.host import DisposableHost
from tests.support.disposable import answer_of, host_or_skip, properties, service
from tests.support.engine_process import wait_for

pytestmark = [pytest.mark.systemd, pytest.mark.needs_root]

SLEEP = "/bin/sleep infinity"


@pytest.fixture(scope="module")
def host() -> Iterator[DisposableHost]:
    yield from host_or_skip()


def look(host: DisposableHost, *names: str) -> dict[str, Any]:
    answer: dict[str, Any] = answer_of(host, "inside_look.py", *names)
    return answer


def unit(host: DisposableHost, name: str) -> dict[str, Any]:
    found: dict[str, Any] = look(host, name)["units"][name]
    return found


def test_systemd_is_seen_and_asked_how_the_host_is(host: DisposableHost) -> None:
    answer = look(host)
    assert answer["has_systemd"] is True
    assert answer["system_state"] in {"running", "degraded"}


def test_a_running_unit_is_told_as_systemd_tells_it(host: DisposableHost) -> None:
    service(host, "runs", SLEEP)
    host.run(["systemctl", "start", "runs"], check=True)
    said = properties(host, "runs.service", "MainPID", "InvocationID", "Slice")
    seen = unit(host, "runs.service")
    assert seen["id"] == "runs.service"
    assert (seen["load_state"], seen["active_state"], seen["sub_state"]) == ("loaded", "active", "running")
    assert said == {"MainPID": str(seen["main_pid"]), "InvocationID": seen["invocation"], "Slice": seen["slice"]}
    assert seen["main_pid"] > 1 and seen["result"] == "success" and seen["unit_file_state"] == "disabled"
    assert not seen["busy"]
    assert host.run(["cat", f"/proc/{seen['main_pid']}/comm"]).stdout == "sleep\n"


def test_the_kind_may_be_left_out_of_a_name(host: DisposableHost) -> None:
    assert unit(host, "systemd-journald")["id"] == "systemd-journald.service"


def test_a_killed_a_failed_and_a_stopped_unit_are_told_apart(host: DisposableHost) -> None:
    for name in ("killed", "stopped"):
        service(host, name, SLEEP)
    service(host, "fails", "/bin/false")
    host.run(["systemctl", "start", "killed", "stopped", "fails"])
    host.run(["systemctl", "kill", "--signal=KILL", "killed"], check=True)
    host.run(["systemctl", "stop", "stopped"], check=True)
    names = ("killed.service", "fails.service", "stopped.service")
    wait_for(lambda: [properties(host, name, "ActiveState")["ActiveState"] for name in names[:2]] == ["failed"] * 2)
    seen = look(host, *names)["units"]
    assert [(seen[name]["active_state"], seen[name]["result"], seen[name]["main_pid"]) for name in names] == [
        ("failed", "signal", 0),
        ("failed", "exit-code", 0),
        ("inactive", "success", 0),
    ]


def test_a_masked_unit_says_so(host: DisposableHost) -> None:
    service(host, "masked", SLEEP)
    host.run(["systemctl", "mask", "masked"], check=True)
    seen = unit(host, "masked.service")
    assert (seen["load_state"], seen["unit_file_state"]) == ("masked", "masked")


def test_an_enabled_unit_says_so(host: DisposableHost) -> None:
    service(host, "enabled", SLEEP)
    host.run(["systemctl", "enable", "enabled"], check=True)
    assert unit(host, "enabled.service")["unit_file_state"] == "enabled"


def test_an_alias_is_resolved_to_the_canonical_id(host: DisposableHost) -> None:
    service(host, "canonical", SLEEP)
    link = ["ln", "-s", "/usr/lib/systemd/system/canonical.service", "/etc/systemd/system/nickname.service"]
    host.run(link, check=True)
    host.run(["systemctl", "daemon-reload"], check=True)
    host.run(["systemctl", "start", "canonical"], check=True)
    seen = look(host, "nickname.service", "canonical.service")["units"]
    assert seen["nickname.service"] == seen["canonical.service"]
    assert seen["nickname.service"]["id"] == "canonical.service"


def test_what_a_restart_takes_along_is_known(host: DisposableHost) -> None:
    service(host, "base", SLEEP)
    for name, how in (("needs", "Requires"), ("bound", "BindsTo"), ("part", "PartOf"), ("wants", "Wants")):
        service(host, name, SLEEP, unit_lines=(f"{how}=base.service",))
    service(host, "told", SLEEP, unit_lines=("StopPropagatedFrom=base.service",))
    host.run(["systemctl", "start", "base", "needs", "bound", "part", "wants", "told"], check=True)
    along = unit(host, "base.service")["takes_along"]
    assert sorted(along) == ["bound.service", "needs.service", "part.service", "told.service"]
    before = {name: properties(host, name, "InvocationID") for name in (*along, "wants.service")}
    host.run(["systemctl", "restart", "base"], check=True)
    restarted = {name for name in before if properties(host, name, "InvocationID") != before[name]}
    assert restarted == {"bound.service", "needs.service", "part.service"}
    host.run(["systemctl", "stop", "base"], check=True)
    stopped = {name for name in before if properties(host, name, "ActiveState")["ActiveState"] == "inactive"}
    assert stopped == set(along), "no more and no less than was told"


def test_systemds_own_start_limit_is_known(host: DisposableHost) -> None:
    limit = ("StartLimitBurst=3", "StartLimitIntervalSec=90")
    service(host, "limited", SLEEP, unit_lines=limit)
    service(host, "unlimited", SLEEP, unit_lines=("StartLimitIntervalSec=0",))
    seen = look(host, "limited.service", "unlimited.service")["units"]
    assert (seen["limited.service"]["start_limit_burst"], seen["limited.service"]["start_limit_interval_seconds"]) == (
        3,
        90.0,
    )
    assert seen["unlimited.service"]["start_limit_interval_seconds"] == 0.0


def test_each_run_has_an_invocation_of_its_own(host: DisposableHost) -> None:
    service(host, "again", SLEEP)
    host.run(["systemctl", "start", "again"], check=True)
    first = unit(host, "again.service")
    assert unit(host, "again.service") == first, "nothing happened between two looks"
    host.run(["systemctl", "restart", "again"], check=True)
    second = unit(host, "again.service")
    assert len({first["invocation"], second["invocation"], ""}) == 3
    assert second["main_pid"] != first["main_pid"]
    assert second["changed_us"] > first["changed_us"]


def test_systemds_own_restarts_are_counted(host: DisposableHost) -> None:
    service(host, "phoenix", SLEEP, "Restart=always", "RestartSec=0")
    host.run(["systemctl", "start", "phoenix"], check=True)
    assert unit(host, "phoenix.service")["restarts"] == 0
    host.run(["systemctl", "kill", "--signal=KILL", "phoenix"], check=True)
    wait_for(
        lambda: properties(host, "phoenix.service", "NRestarts", "SubState") == {"NRestarts": "1", "SubState": "running"}
    )
    assert unit(host, "phoenix.service")["restarts"] == 1


def test_a_unit_that_systemd_is_starting_is_busy(host: DisposableHost) -> None:
    service(host, "slow", SLEEP, "Type=notify")
    host.run(["systemctl", "start", "--no-block", "slow"], check=True)
    wait_for(lambda: properties(host, "slow.service", "ActiveState")["ActiveState"] == "activating")
    seen = unit(host, "slow.service")
    assert seen["busy"] and seen["active_state"] == "activating"
    host.run(["systemctl", "kill", "--signal=KILL", "slow"], check=True)


def test_an_unknown_unit_is_none_and_a_template_no_unit(host: DisposableHost) -> None:
    seen = look(host, "never-heard-of.service", "getty@.service", "dbus.socket")["units"]
    assert seen["never-heard-of.service"] is None
    assert "is not the name of a unit" in seen["getty@.service"]
    assert seen["dbus.socket"]["active_state"] == "active"


# -- events ---------------------------------------------------------------------------------------------------------------
def test_a_killed_main_process_wakes_by_the_bus(host: DisposableHost) -> None:
    service(host, "woken", SLEEP)
    service(host, "quiet", SLEEP)
    host.run(["systemctl", "start", "woken", "quiet"], check=True)
    pid = properties(host, "woken.service", "MainPID")["MainPID"]
    heard = answer_of(host, "inside_events.py", "woken.service,quiet.service", "kill", "-KILL", pid)
    assert heard["connected"] == ["unit:quiet.service", "unit:woken.service"], "each is looked at once it is listened to"
    assert heard["unwatched"] == 0
    assert heard["woken"] == ["unit:woken.service by systemd"]


def test_stop_and_start_wake_and_odd_names_are_spelled_as_systemd_spells_them(host: DisposableHost) -> None:
    service(host, "7-odd_name.x@1:y", SLEEP)
    name = "7-odd_name.x@1:y.service"
    host.run(["systemctl", "start", name], check=True)
    assert answer_of(host, "inside_events.py", name, "systemctl", "stop", name)["woken"] == [f"unit:{name} by systemd"]
    assert answer_of(host, "inside_events.py", name, "systemctl", "start", name)["woken"] == [f"unit:{name} by systemd"]


def test_a_bus_that_goes_away_is_met_again(host: DisposableHost) -> None:
    service(host, "patient", SLEEP)
    host.run(["systemctl", "start", "patient", "dbus"], check=True)
    heard = answer_of(host, "inside_events.py", "patient.service", "systemctl", "kill", "--signal=KILL", "dbus.service")
    assert heard["connected"] == ["unit:patient.service"]
    assert heard["woken"] == ["unit:patient.service by systemd"], "all is looked at again after a lost connection"
