"""Whatever goes wrong with the looking, a check neither calls it good nor bad (R2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.simulation.host import SimulatedHost
from tests.support.asking import ask
from zen_agents.catalog import CHECKS
from zen_agents.checks.base import Check
from zen_agents.checks.cache import CacheCheck
from zen_agents.checks.certificate import CertificateCheck
from zen_agents.checks.clock_offset import ClockOffsetProbe, TimeDaemonCheck
from zen_agents.checks.connection import ConnectionCheck
from zen_agents.checks.conntrack import ConntrackCheck
from zen_agents.checks.cpu import CpuCheck
from zen_agents.checks.disk import DiskCheck
from zen_agents.checks.drift import DriftCheck
from zen_agents.checks.job import JobCheck
from zen_agents.checks.journal_size import JournalSizeCheck
from zen_agents.checks.leak import LeakCheck
from zen_agents.checks.link import LinkCheck
from zen_agents.checks.load import LoadCheck
from zen_agents.checks.local_ports import LocalPortsCheck
from zen_agents.checks.log import DeletedLogCheck, LogCheck
from zen_agents.checks.log_rate import LogRateCheck
from zen_agents.checks.memory import MemoryCheck
from zen_agents.checks.mount import MountCheck
from zen_agents.checks.network_probe import HttpProbe, SocketProbe, TcpProbe
from zen_agents.checks.oom import OomCheck
from zen_agents.checks.path import PathCheck
from zen_agents.checks.pressure import PressureCheck
from zen_agents.checks.process import ByPidfile, ByRecord, ByUnit, ProcessCheck
from zen_agents.checks.resolver import ResolverCheck
from zen_agents.checks.root_accounts import RootAccountsCheck
from zen_agents.checks.runaway import RunawayCheck
from zen_agents.checks.script import ScriptCheck
from zen_agents.checks.setuid_files import SetuidFilesCheck
from zen_agents.checks.temp_dir import TempDirCheck
from zen_agents.checks.uninterruptible import UninterruptibleCheck
from zen_agents.checks.unit import UnitCheck
from zen_agents.checks.upgrade import UpgradeCheck
from zen_agents.checks.wakes import WakesCheck
from zen_agents.model.certificate import CertificateQuestion
from zen_agents.model.observation import Status
from zen_agents.model.resolver_file import switched
from zen_agents.ports.host_network import Link, Route
from zen_agents.ports.host_plugins import PluginCall
from zen_agents.ports.host_probes import HttpRequest
from zen_agents.ports.host_resources import CpuTimes, DiskUse, Memory, Pressure
from zen_agents.ports.host_runs import Runs
from zen_agents.ports.process_pattern import ProcessPattern

#: Check, and each method of the view that it cannot do without.
CASES: Sequence[tuple[Callable[[], Check], Sequence[str]]] = (
    (lambda: CpuCheck(every_seconds=15), ["cpu_times"]),
    (lambda: LoadCheck(every_seconds=15), ["load"]),
    (lambda: MemoryCheck(every_seconds=15), ["memory"]),
    (lambda: PressureCheck(every_seconds=15), ["pressure"]),
    (lambda: DiskCheck(path="/", every_seconds=60), ["disk_use", "mounts"]),
    (lambda: ProcessCheck("web", ByRecord("web"), every_seconds=5), ["service_process"]),
    (lambda: ProcessCheck("web", ByPidfile("/run/web.pid"), every_seconds=5), ["pidfile_process"]),
    (lambda: ProcessCheck("web", ByUnit("web.service"), every_seconds=5), ["unit"]),
    (
        lambda: LeakCheck(
            "web", ByUnit("web.service"), every_seconds=30, memory_bytes=None, over_seconds=600, ahead_seconds=300
        ),
        ["unit", "processes", "descriptors"],
    ),
    (
        lambda: RunawayCheck(
            "crunch",
            ProcessPattern("x", "web.service"),
            every_seconds=15,
            percent=90,
            for_seconds=600,
            nice=10,
            tolerated_seconds=None,
        ),
        ["busy_processes"],
    ),
    (lambda: RootAccountsCheck(known=["root"], every_seconds=60), ["content"]),
    (lambda: SetuidFilesCheck("tmp", path="/srv/tmp", known=(), every_seconds=300), ["file", "list_directory"]),
    (lambda: OomCheck(every_seconds=15, shown_for_seconds=600), ["oom_kills"]),
    (lambda: UpgradeCheck(every_seconds=600), ["processes"]),
    (lambda: UnitCheck("web", "web.service", every_seconds=30), ["unit"]),
    (
        lambda: TcpProbe("web", host_name="127.0.0.1", port=80, every_seconds=5, answer_within_seconds=1),
        ["tcp"],
    ),
    (lambda: SocketProbe("web", path="/run/web.sock", every_seconds=5, answer_within_seconds=1), ["unix_socket"]),
    (lambda: WakesCheck("web", ByUnit("web.service"), within_seconds=180, every_seconds=60), ["unit", "sleeps"]),
    (lambda: HttpProbe("web", HttpRequest("http://x/"), every_seconds=5, answer_within_seconds=1), ["http"]),
    (
        lambda: ResolverCheck(
            "host",
            file="/etc/resolv.conf",
            asks="db",
            expects=(),
            fallbacks=("10.0.0.2",),
            every_seconds=30,
            answer_within_seconds=1,
        ),
        ["real_path", "read_text", "ask_name"],
    ),
    (
        lambda: ConnectionCheck("db", host_name="db", port=1, tries=1, every_seconds=30, answer_within_seconds=1),
        ["connection"],
    ),
    (lambda: ScriptCheck("load", PluginCall(("/check_load",), "nobody", 3.0), every_seconds=60), ["plugin"]),
    (lambda: LinkCheck("up", interface="eth0", default_route=True, every_seconds=30), ["link", "default_routes"]),
    (lambda: LocalPortsCheck(above=80.0, wider=None, every_seconds=30), ["local_ports"]),
    (lambda: ConntrackCheck(raised=None, every_seconds=30), ["tracked_connections"]),
    (
        lambda: PathCheck(
            "key", path="/etc/key", expected_kind="file", mode=0o600, owner="root", group="root", every_seconds=60
        ),
        ["file", "user_id", "group_id"],
    ),
    (
        lambda: DriftCheck("key", path="/etc/key", declared="/srv/key", unit="web.service", deployers=(), every_seconds=60),
        ["file", "content", "unit_file_pending"],
    ),
    (lambda: TempDirCheck("app", path="/srv/tmp", older_than_seconds=60, every_seconds=300), ["file", "list_directory"]),
    (lambda: LogCheck("app", pattern="/srv/log/*.log", every_seconds=60), ["list_directory"]),
    (lambda: DeletedLogCheck("app", pattern="/srv/log/*.log", every_seconds=60), ["deleted_open_files"]),
    (
        lambda: CertificateCheck(
            "web", CertificateQuestion("/srv/web.pem", server="web:443"), every_seconds=9, answer_within_seconds=1
        ),
        ["certificate"],
    ),
    (lambda: CacheCheck("pip", path="/srv/cache", enough_bytes=1, every_seconds=600), ["file", "list_directory"]),
    (lambda: JobCheck("j", Runs("/usr/bin/j", "root"), max_age_seconds=60, every_seconds=60), ["processes", "user_id"]),
    (lambda: JournalSizeCheck(every_seconds=300), ["machine_id", "list_directory"]),
    (lambda: LogRateCheck("web", unit="web.service", above=10, every_seconds=15), ["journal_entries"]),
    (lambda: MountCheck("root", path="/", every_seconds=30), ["mounts"]),
    (lambda: TimeDaemonCheck(unit="web.service", every_seconds=60), ["unit"]),
    (lambda: ClockOffsetProbe(servers=["a:1"], every_seconds=60, answer_within_seconds=1), ["server_time"]),
    (lambda: UninterruptibleCheck(held_for_seconds=60, every_seconds=30), ["processes"]),
)
EACH = [(make, method) for make, methods in CASES for method in methods]


def furnished() -> SimulatedHost:
    """Return a host on which everything that the cases look at is there and well."""
    host = SimulatedHost(seed=2)
    host.add_service("web", unit="web.service", port=80, pidfile="/run/web.pid")
    host.start("web")
    host.files.add_file("/etc/key", "key", mode=0o600)
    host.files.add_file("/srv/key", "key")
    host.files.add_file("/etc/resolv.conf", switched("nameserver 10.0.0.1\n", ["10.0.0.2"]))
    host.network.name_servers["10.0.0.2"] = {"db": ("10.0.0.5",)}
    host.plugins["/check_load"] = (0, "fine")
    host.network.connections["db:1"] = [""]
    host.network.links["eth0"], host.network.routes = Link("up", True), [Route("eth0", "")]
    for path in ("/srv/tmp/a", "/srv/log/a.log", "/srv/cache/a", f"/var/log/journal/{host.machine}/system.journal"):
        host.files.add_file(path, size=10)
    return host


@pytest.mark.parametrize("make, method", EACH)
def test_what_cannot_be_asked_is_unknown(make: Callable[[], Check], method: str) -> None:
    host = furnished()
    host.faults.fail(method)
    assert {found.status for found in ask(make(), host).values()} == {Status.UNKNOWN}


GARBAGE = st.one_of(
    st.text(min_size=1, max_size=5),
    st.integers(),
    st.floats(),
    st.lists(st.integers(), min_size=1, max_size=4),
    st.dictionaries(st.text(max_size=3), st.integers(), min_size=1, max_size=2),
    st.just(object()),
)


#: An account may have any number for its id, so what is asked of it is no case here.
SHAPED = [(make, method) for make, method in EACH if method not in ("user_id", "group_id")]


@given(case=st.sampled_from(SHAPED), garbage=GARBAGE)
@settings(max_examples=300, deadline=None)
def test_an_answer_of_another_shape_is_never_a_problem(case: tuple[Callable[[], Check], str], garbage: object) -> None:
    make, method = case
    host = furnished()
    host.faults.answer(method, garbage)
    assert Status.PROBLEM not in {found.status for found in ask(make(), host).values()}


NUMBER = st.one_of(st.floats(), st.integers(-(2**63), 2**63), st.none(), st.just(0), st.just(0.0), st.text(max_size=2))
NUMBERS_OF = {
    "cpu_times": st.builds(CpuTimes, NUMBER, NUMBER, NUMBER),
    "load": st.tuples(NUMBER, NUMBER, NUMBER),
    "memory": st.builds(Memory, NUMBER, NUMBER, NUMBER, NUMBER),
    "pressure": st.builds(Pressure, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER),
    "disk_use": st.builds(DiskUse, NUMBER, NUMBER, NUMBER, NUMBER),
}


@given(data=st.data(), method=st.sampled_from(sorted(NUMBERS_OF)))
@settings(max_examples=300, deadline=None)
def test_a_percentage_is_a_percentage_or_unknown(data: st.DataObject, method: str) -> None:
    make = next(make for make, methods in CASES if method in methods)
    host, check = furnished(), make()
    ask(check, host)
    host.advance(60)
    host.faults.answer(method, data.draw(NUMBERS_OF[method]))
    for name, found in ask(check, host).items():
        assert found.status in (Status.OK, Status.UNKNOWN)
        assert (found.value is None) == (found.status is Status.UNKNOWN)
        if found.value is not None and ("percent" in name or "60" in name):
            assert 0 <= found.value <= 100


def test_no_memory_at_all_and_no_disk_at_all_are_no_data() -> None:
    host = furnished()
    host.faults.answer("memory", Memory(0, 0, 0, 0))
    host.faults.answer("disk_use", DiskUse(0, 0, 0, 0))
    for check in (MemoryCheck(every_seconds=15), DiskCheck(path="/", every_seconds=60)):
        assert {found.status for found in ask(check, host).values()} == {Status.UNKNOWN}


def test_every_check_of_the_catalog_says_what_it_asks() -> None:
    kinds = [check.kind for check in CHECKS.values()]
    assert len(set(kinds)) == len(kinds)
    assert all(check.summary.endswith("?") for check in CHECKS.values())
