"""Processes, units and probes: is a service well?"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from chaos.simulation.host import SimulatedHost
from tests.support.asking import ask
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.checks.network_probe import HttpProbe, SocketProbe, TcpProbe
from zen_agents.checks.process import ByPidfile, ByRecord, ByUnit, ProcessCheck
from zen_agents.checks.unit import UnitCheck
from zen_agents.clock import SystemClock
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.events import Watch
from zen_agents.ports.host_probes import HttpRequest, ProbeResult

OK, PROBLEM, UNKNOWN = Status.OK, Status.PROBLEM, Status.UNKNOWN


def command_service(host: SimulatedHost, name: str = "web") -> None:
    host.add_service(name, command=("/usr/bin/web",), port=8080)
    host.start(name)


def test_a_living_process_is_ok_and_watched_by_pid_and_start_time(host: SimulatedHost) -> None:
    command_service(host)
    check = ProcessCheck("web", ByRecord("web"), every_seconds=5)
    found = ask(check, host)["process.web"]
    process = host.processes[host.services["web"].pid].process
    assert found.status is OK
    assert found.target == "service:web"
    assert found.fingerprint == process.fingerprint
    assert check.watches() == (Watch("process", "process.web", process.pid, process.start_time),)


def test_a_killed_process_is_a_problem_at_once_and_no_longer_watched(host: SimulatedHost) -> None:
    command_service(host)
    check = ProcessCheck("web", ByRecord("web"), every_seconds=5)
    before = ask(check, host)["process.web"]
    host.crash("web")
    found = ask(check, host)["process.web"]
    assert found.status is PROBLEM
    assert found.fingerprint == before.fingerprint
    assert check.watches() == ()
    assert ask(check, host)["process.web"].detail == found.detail


def test_a_service_that_never_ran_is_a_problem(host: SimulatedHost) -> None:
    host.add_service("web", command=("/usr/bin/web",))
    assert ask(ProcessCheck("web", ByRecord("web"), every_seconds=5), host)["process.web"].status is PROBLEM


def test_the_next_process_of_a_service_is_found(host: SimulatedHost) -> None:
    command_service(host)
    check = ProcessCheck("web", ByRecord("web"), every_seconds=5)
    first = ask(check, host)["process.web"]
    host.crash("web")
    ask(check, host)
    host.advance(1)
    host.start("web")
    second = ask(check, host)["process.web"]
    assert second.status is OK
    assert second.fingerprint != first.fingerprint


def test_a_zombie_is_dead(host: SimulatedHost) -> None:
    pid = host.add_process("worker").process.pid
    host.files.add_file("/run/worker.pid", f"{pid}\n")
    check = ProcessCheck("worker", ByPidfile("/run/worker.pid"), every_seconds=5)
    alive = ask(check, host)["process.worker"].status
    host.change_process(pid, state="Z")
    assert (alive, ask(check, host)["process.worker"].status) == (OK, PROBLEM)


def test_a_reused_pid_is_another_process(host: SimulatedHost) -> None:
    command_service(host)
    pid = host.services["web"].pid
    check = ProcessCheck("web", ByRecord("web"), every_seconds=5)
    ask(check, host)
    host.change_process(pid, start_time=host.processes[pid].process.start_time + 1)
    assert ask(check, host)["process.web"].status is PROBLEM


def test_a_pidfile_that_cannot_be_trusted_is_unknown(host: SimulatedHost) -> None:
    pid = host.add_process("worker").process.pid
    host.files.add_file("/run/worker.pid", f"{pid}\n", mode=0o666)
    check = ProcessCheck("worker", ByPidfile("/run/worker.pid"), every_seconds=5)
    assert ask(check, host)["process.worker"].status is UNKNOWN


def test_a_known_process_is_looked_at_by_one_read_and_nothing_else(host: SimulatedHost) -> None:
    command_service(host)
    check = ProcessCheck("web", ByRecord("web"), every_seconds=5)
    ask(check, host)
    for method in ("service_process", "command_line", "processes", "executable", "owner", "cgroup"):
        host.faults.fail(method)
    assert ask(check, host)["process.web"].status is OK


def test_measurements_of_a_process_come_where_they_are_wanted(host: SimulatedHost) -> None:
    command_service(host)
    pid = host.services["web"].pid
    host.processes[pid].descriptors = (512, 1024)
    check = ProcessCheck("web", ByRecord("web"), every_seconds=5, metrics=["rss", "descriptors_percent", "cpu_percent"])
    ask(check, host)
    host.advance(10)
    host.change_process(pid, cpu_seconds=5.0, resident_bytes=123)
    found = ask(check, host)
    assert {name: observation.value for name, observation in found.items()} == {
        "process.web": None,
        "process.web.cpu_percent": 50.0,
        "process.web.rss": 123.0,
        "process.web.descriptors_percent": 50.0,
    }
    host.crash("web")
    gone = ask(check, host)
    assert gone["process.web"].status is PROBLEM
    assert gone["process.web.rss"].status is UNKNOWN


def test_a_real_process_that_is_killed_is_noticed(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    try:
        pidfile = tmp_path / "child.pid"
        pidfile.write_text(f"{child.pid}\n")
        pidfile.chmod(0o600)
        tmp_path.chmod(0o700)
        host, clock = LinuxHost(tmp_path / "state"), SystemClock()
        check = ProcessCheck("child", ByPidfile(str(pidfile)), every_seconds=5)
        alive = check.observe(host.look(), clock.now())[0]
        os.kill(child.pid, signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        zombie = check.observe(host.look(), clock.now())[0]
    finally:
        child.kill()
        child.wait()
        assert child.stdin is not None
        child.stdin.close()
    gone = check.observe(host.look(), clock.now())[0]
    assert (alive.status, zombie.status, gone.status) == (OK, PROBLEM, PROBLEM)


# -- units ------------------------------------------------------------------------------------------------------------
def unit_service(host: SimulatedHost, **traits: object) -> UnitCheck:
    host.add_service("web", unit="web.service", **traits)
    host.start("web")
    return UnitCheck("web", "web.service", every_seconds=30)


def observed(check: UnitCheck, host: SimulatedHost) -> Observation:
    return ask(check, host)["unit.web"]


def test_an_active_unit_is_ok_and_its_main_process_is_watched(host: SimulatedHost) -> None:
    check = unit_service(host)
    found = observed(check, host)
    process = host.processes[host.services["web"].pid].process
    assert found.status is OK
    assert check.watches() == (
        Watch("unit", "web.service"),
        Watch("process", "web.service", process.pid, process.start_time),
    )


def test_a_failed_unit_is_a_problem_and_no_persons_doing(host: SimulatedHost) -> None:
    check = unit_service(host)
    host.crash("web")
    found = observed(check, host)
    assert found.status is PROBLEM
    assert "stopped_by_person" not in found.facts


@pytest.mark.parametrize("how", ["stopped", "disabled"])
def test_a_unit_that_a_person_stopped_is_told_as_such(host: SimulatedHost, how: str) -> None:
    check = unit_service(host)
    if how == "stopped":
        host.stop("web")
    else:
        host.services["web"].enabled = False
        host.crash("web")
    found = observed(check, host)
    assert found.status is PROBLEM
    assert found.facts["stopped_by_person"] == "yes"


def test_a_unit_that_is_disabled_but_runs_is_ok(host: SimulatedHost) -> None:
    check = unit_service(host, enabled=False)
    assert observed(check, host).status is OK


def test_a_unit_that_systemd_is_starting_cannot_be_told_and_after_a_while_is_not_running(host: SimulatedHost) -> None:
    check = unit_service(host, start_seconds=600.0)
    seen = []
    for _ in range(4):
        seen.append(observed(check, host).status)
        host.advance(20)
    assert seen == [UNKNOWN, UNKNOWN, UNKNOWN, PROBLEM]


def test_a_unit_that_systemd_does_not_know_is_unknown(host: SimulatedHost) -> None:
    assert observed(UnitCheck("web", "web.service", every_seconds=30), host).status is UNKNOWN


def test_without_systemd_no_unit_can_be_told() -> None:
    host = SimulatedHost(systemd=False)
    found = observed(UnitCheck("web", "web.service", every_seconds=30), host)
    assert found.status is UNKNOWN
    assert "does not run this host" in found.detail


def test_the_main_process_of_a_unit_is_found_through_systemd(host: SimulatedHost) -> None:
    unit_service(host)
    check = ProcessCheck("web", ByUnit("web.service"), every_seconds=5, metrics=["rss"])
    assert ask(check, host)["process.web.rss"].value == 10 << 20


# -- probes -----------------------------------------------------------------------------------------------------------
def tcp(port: int = 8080) -> TcpProbe:
    return TcpProbe("web", host_name="127.0.0.1", port=port, every_seconds=5, answer_within_seconds=1)


def test_a_port_that_answers_is_ok_with_the_time_it_took(host: SimulatedHost) -> None:
    command_service(host)
    found = ask(tcp(), host)["probe.web"]
    assert (found.status, found.value) == (OK, 0.001)


def test_a_refused_and_a_silent_port_are_problems_that_say_which(host: SimulatedHost) -> None:
    command_service(host)
    host.services["web"].hangs = True
    silent = ask(tcp(), host)["probe.web"]
    host.crash("web")
    refused = ask(tcp(), host)["probe.web"]
    assert (silent.status, silent.facts["error"]) == (PROBLEM, "timeout")
    assert (refused.status, refused.facts["error"]) == (PROBLEM, "refused")
    assert refused.detail.startswith("refused")


def test_a_name_that_cannot_be_resolved_says_nothing_about_the_service(host: SimulatedHost) -> None:
    host.faults.answer("tcp", ProbeResult(False, "name_error", "no such name", 0.1))
    assert ask(tcp(), host)["probe.web"].status is UNKNOWN


@pytest.mark.parametrize(
    "status, body, expected",
    [(200, "fine", OK), (204, "fine", OK), (500, "fine", PROBLEM), (200, "down", PROBLEM)],
)
def test_a_page_is_judged_by_status_and_text(host: SimulatedHost, status: int, body: str, expected: Status) -> None:
    host.add_service("web", unit="web.service", port=8080, http_status=status, body=body)
    host.start("web")
    request = HttpRequest("http://127.0.0.1:8080/healthz", expect_status=(200, 204), contains="fine")
    found = ask(HttpProbe("web", request, every_seconds=5, answer_within_seconds=1), host)["probe.web"]
    assert found.status is expected
    assert found.facts["http_status"] == str(status)


@pytest.mark.parametrize("page", [False, True])
def test_the_socket_of_a_unit_is_asked_only_while_the_unit_runs(host: SimulatedHost, page: bool) -> None:
    check = unit_service(host, socket="/run/web.sock")
    request = HttpRequest("http://localhost/_ping", unix="/run/web.sock")
    probe = (
        HttpProbe("web", request, every_seconds=5, answer_within_seconds=1, asked_while=check.is_running)
        if page
        else SocketProbe("web", path="/run/web.sock", every_seconds=5, answer_within_seconds=1, asked_while=check.is_running)
    )
    seen = [ask(probe, host)["probe.web"]]
    for change in (lambda: None, lambda: setattr(host.services["web"], "hangs", True), lambda: host.stop("web")):
        change()
        observed(check, host)
        seen.append(ask(probe, host)["probe.web"])
    assert [each.status for each in seen] == [UNKNOWN, OK, PROBLEM, UNKNOWN]
    assert (seen[2].facts["error"], "may start it" in seen[3].detail) == ("timeout", True)
    assert probe.endpoints == ()


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()
        self.wfile.write(b"all is well")

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_real_probes_tell_a_real_server_from_a_closed_port(server: HTTPServer, tmp_path: Path) -> None:
    host, now, port = LinuxHost(tmp_path), SystemClock().now(), server.server_port

    async def probe_all() -> list[Observation]:
        view = host.look()
        found = [*await tcp(port).probe(view, now)]
        for path in ("healthz", "missing"):
            request = HttpRequest(f"http://127.0.0.1:{port}/{path}", contains="well")
            found += await HttpProbe("web", request, every_seconds=5, answer_within_seconds=5).probe(view, now)
        return found

    answers = asyncio.run(probe_all())
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed_port = unused.getsockname()[1]
    closed = asyncio.run(tcp(closed_port).probe(host.look(), now))[0]
    assert [found.status for found in answers] == [OK, OK, PROBLEM]
    assert closed.status is PROBLEM
    assert closed.facts["error"] == "refused"


def test_a_probe_is_never_asked_like_a_blocking_check(host: SimulatedHost) -> None:
    with pytest.raises(TypeError, match="await probe"):
        tcp().observe(host.look(), host.clock.now())
