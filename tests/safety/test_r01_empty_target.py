"""R1, R17 and R18 of every action: what is asked for is planned for exactly that, or refused; nothing ever means "all"."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from chaos.simulation.host import SimulatedHost
from tests.support.guarding import policy, question
from zen_agents.actions.base import Action
from zen_agents.actions.clean_temp_files import CleanTempFiles
from zen_agents.catalog import ACTIONS
from zen_agents.errors import ZenError
from zen_agents.guards.allow_list import AllowList
from zen_agents.jobs.data_failing import DataFailingReply, FailingFile
from zen_agents.jobs.data_repair import DataRepairReply, FileRepair
from zen_agents.model.action import ActionRequest
from zen_agents.model.package_look import PackageLook, Update
from zen_agents.model.resolver_file import switched
from zen_agents.model.verdict import Ruling

#: What a person or a mistake could write where a name belongs.
NOTHING = [
    "",
    " ",
    "*",
    "**",
    "/",
    "//",
    ".",
    "..",
    "all",
    "None",
    "null",
    "host",
    ":",
    "service:",
    "path:",
    "path: ",
    "temp_dir:*",
]
NAMES = st.one_of(st.sampled_from(NOTHING), st.text(max_size=30), st.sampled_from(["service:web", "path:key", "log:app"]))
ODD_PATHS = [
    "", "/", "//", "/..", "/etc/..", "/srv/../", "/srv/*", "relative", "~", "/srv/\n", "/srv/app", "/etc/passwd",
]  # fmt: skip
PATHS = st.one_of(st.sampled_from(ODD_PATHS), st.text(max_size=30))
VALUES = st.one_of(
    PATHS, st.none(), st.integers(-5, 5), st.floats(), st.booleans(), st.lists(st.text(max_size=5), max_size=3)
)
_KINDS = {
    "restart_service": "service", "remove_stale_pidfile": "service", "signal_parent": "service",
    "renice_process": "process", "kill_process": "process", "cap_cpu": "process",
    "create_directory": "path", "restore_permissions": "path",
    "flush_resolver_cache": "resolver", "switch_resolver": "resolver", "restore_resolver": "resolver",
    "widen_port_range": "local_ports", "restore_port_range": "local_ports",
    "raise_conntrack_limit": "conntrack", "restore_conntrack_limit": "conntrack",
    "clean_temp_files": "temp_dir", "clear_cache": "cache", "rotate_logs": "log", "truncate_deleted_log": "log",
    "end_stuck_job": "job", "clear_stale_lock": "job", "vacuum_journal": "journal", "limit_log_rate": "log_rate",
    "prune_log_archives": "log_archives", "compress_log_archives": "log_archives",
    "renew_certificate": "certificate", "change_certificate_authority": "certificate", "reload_service": "certificate",
    "restore_file": "baseline", "restore_sysctl": "sysctl",
    "reset_pool": "pool", "recycle_pool": "pool", "ban_address": "address",
    "remount_read_write": "mount", "restart_time_daemon": "clock",
    "restore_last_good": "service", "upgrade_debian_packages": "packages", "upgrade_python_packages": "environment",
    "lock_account": "root_accounts", "quarantine_setuid": "setuid_files",
    "repair_data": "dataset", "restore_data": "dataset", "quarantine_file": "dataset",
}  # fmt: skip
_NAMED = {"ban_address": "192.0.2.7", "upgrade_debian_packages": "debian"}
_CERTIFICATE = {"certificate": "web", "file": "/srv/web.pem", "reload": {"unit": "web.service"}}
_RENEWAL = {**_CERTIFICATE, "client": "command", "argv": ["/srv/issue"], "made": "/srv/new.pem", "at_least_seconds": 10.0}
_DATA = {
    "name": "web",
    "source": {"kind": "csv", "path": "/srv/key"},
    "repairs": [{"kind": "trim"}, {"kind": "restore_snapshot"}],
    "snapshots": "/srv/good",
}
_PLAUSIBLE = {
    "restart_service": {"service": "web", "unit": "web.service"},
    "remove_stale_pidfile": {"service": "web", "path": "/run/web.pid"},
    "signal_parent": {"service": "web", "unit": "web.service"},
    "renice_process": {"match": "^crunch$", "unit": "web.service", "cpu_percent": 50, "for_seconds": 60},
    "cap_cpu": {"match": "^crunch$", "unit": "web.service", "cpu_percent": 50, "for_seconds": 60, "quota_percent": 20},
    "kill_process": {"match": "^crunch$", "unit": "web.service", "cpu_percent": 50, "for_seconds": 60},
    "create_directory": {"path": "/srv/new", "mode": "0750", "owner": "root", "group": "root"},
    "restore_permissions": {"path": "/srv/key", "kind": "file", "mode": "0600", "owner": "root", "group": "root"},
    "clean_temp_files": {"path": "/srv/tmp", "older_than_seconds": 60.0},
    "rotate_logs": {"path": "/srv/log/*.log", "rotate_at_bytes": 10},
    "truncate_deleted_log": {"path": "/srv/log/*.log", "at_least_bytes": 1},
    "clear_cache": {"path": "/srv/cache", "down_to_bytes": 0},
    "end_stuck_job": {"executable": "/usr/bin/nightly", "user": "root", "max_age_seconds": 60.0, "keep": 0},
    "clear_stale_lock": {"path": "/run/web.pid", "executable": "/usr/bin/nightly"},
    "vacuum_journal": {"down_to_bytes": 1, "keep_seconds": 0.0},
    "limit_log_rate": {"unit": "web.service", "lines_per_second": 100},
    "prune_log_archives": {"paths": ["/srv/log/*.log"], "older_than_seconds": 60.0, "keep_seconds": 0.0},
    "compress_log_archives": {"paths": ["/srv/log/*.log"], "pack_after_seconds": 0.0},
    "remount_read_write": {"path": "/mnt/read-only"},
    "restart_time_daemon": {"unit": "chrony.service"},
    "ban_address": {"seconds": 600, "most_at_once": 5},
    "flush_resolver_cache": {"resolver": "web"},
    "reload_service": _CERTIFICATE,
    "renew_certificate": _RENEWAL,
    "change_certificate_authority": {**_RENEWAL, "made": "/srv/foreign.pem"},
    "switch_resolver": {"file": "/srv/resolv.conf", "asks": "db", "fallbacks": ["127.0.0.2"]},
    "restore_resolver": {"file": "/srv/switched", "asks": "db"},
    "widen_port_range": {"usual": "40000 40031", "wider": "32768 60999"},
    "restore_port_range": {"usual": "50000 50031", "wider": "40000 40031", "above_percent": 90.0},
    "raise_conntrack_limit": {"usual": 65536, "raised": 131072},
    "restore_conntrack_limit": {"usual": 32768, "raised": 65536, "above_percent": 90.0},
    "restore_last_good": {"files": ["/srv/key"], "test": {"run": ["/usr/bin/true", "CANDIDATE"]}},
    "recycle_pool": {"argv": ["/srv/renew"]},
    "reset_pool": {
        "server": "127.0.0.1:5432",
        "login": "zen_agents",
        "user": "app",
        "in_transaction_seconds": 60.0,
        "above_percent": 0.0,
    },
    "restore_file": {"path": "/srv/key", "declared": "/srv/declared"},
    "upgrade_debian_packages": {"packages": {"libacme1": "1.1"}},
    "restore_sysctl": {"setting": "net.ipv4.tcp_keepalive_time", "value": "600"},
    "lock_account": {"known": ["root"]},
    "quarantine_setuid": {"path": "/srv/tmp", "known": []},
    "repair_data": {"contract": _DATA},
    "restore_data": {"contract": _DATA},
    "quarantine_file": {"contract": _DATA},
    "upgrade_python_packages": {"environment": "web", "venv": "/srv/venv", "user": "app", "wheels": ["/srv/wheels"]},
}


def a_host() -> SimulatedHost:
    """Return a host on which each of the actions has something to do."""
    host = SimulatedHost()
    host.add_service("web", unit="web.service")
    host.add_service("chrony", unit="chrony.service")
    for path in ("/srv", "/srv/tmp", "/srv/cache", "/srv/log", "/run", "/etc"):
        host.files.add_directory(path)
    for path in ("/srv/tmp/a", "/srv/cache/a", "/srv/log/app.log", "/srv/log/app.log.1", "/srv/key"):
        host.files.add_file(path, "x" * 100)
    host.files.add_file("/etc/passwd", "root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/home/toor:/bin/sh\n")
    host.files.add_file("/etc/shadow", "root:*:1:0:9:7:::\ntoor:$6$salt$hash:1:0:9:7:::\n")
    host.files.add_file("/srv/tmp/fetch", "x" * 100, mode=0o4755)
    host.files.add_file("/srv/declared", "declared")
    host.files.add_directory("/srv/good")
    host.files.add_file("/srv/good/key", "good")
    host.repairs["web"] = DataRepairReply(files=(FileRepair(path="/srv/key", rows=9, kept=9, changed=9),)).model_dump_json()
    failing = DataFailingReply(failing=(FailingFile(path="/srv/key", why="not_null.a: 1 of 9 rows"),), files=1)
    host.failing_files["web"] = failing.model_dump_json()
    host.keep_last_good("web", {"/srv/key": b"good"}, "2026-01-04T03:20:00+00:00")
    host.kernel_settings["net.ipv4.tcp_keepalive_time"] = "60"
    host.files.add_file("/run/web.pid", "999\n")
    host.files.add_file("/srv/resolv.conf", "nameserver 192.0.2.1\n")
    host.files.add_file("/srv/switched", switched("nameserver 192.0.2.1\n", ["127.0.0.2"]))
    host.kernel_settings["net.ipv4.ip_local_port_range"] = "40000 40031"
    host.kernel_settings["net.netfilter.nf_conntrack_max"] = "65536"
    host.network.tracked = 0
    host.add_service("nscd", unit="nscd.service")
    host.start("nscd")
    host.files.add_file("/srv/web.pem", host.certificates.text("1", ends=1e9))
    host.files.add_file("/srv/foreign.pem", host.certificates.text("2", ends=4e9, authority="Other"))
    host.start("web")
    host.add_process("ended", parent=host.services["web"].pid)
    host.change_process(max(host.processes), state="Z")
    host.add_process("crunch", cgroup="/system.slice/web.service", busy=(99.0, 0.0))
    host.add_process("app", pid=300).deleted[3] = ("/srv/log/app.log", 500)
    host.add_process("nightly", argv=("/usr/bin/nightly",))
    host.files.add_disk("/mnt/read-only", total_bytes=1 << 30, read_only=True)
    host.files.add_file(f"/var/log/journal/{host.machine}/system@{'a' * 32}-{1:016x}-{1:016x}.journal", size=100)
    host.debian.installed["libacme1"], host.debian.offered["libacme1"] = "1.0", ["1.0", "1.1"]
    host.pools.connect("app")
    host.environments.holds["/srv/venv"] = {"acmelib": "1.0"}
    due = Update("acmelib", "1.0", "1.2", ("A-1",), "security", "do", "security_updates: auto")
    host.packages["/srv/venv"] = PackageLook(1, updates=(due,))
    host.advance(86_400)
    return host


def _is_named(touched: str, path: str) -> bool:
    """Tell whether what is touched is what is named, or below it, or one of its rotated files."""
    directory = path.rpartition("/")[0] if "*" in path else path
    # `create_directory` makes what is missing on the way; everything else stays at or below what is named.
    within = touched == path or touched.startswith(f"{directory}/") or path.startswith(f"{touched}/")
    return within or touched.rpartition(".")[0].startswith(directory)


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.name)
def test_a_plausible_request_is_planned_so_the_rest_of_this_page_means_something(action: type[Action]) -> None:
    target = f"{_KINDS[action.name]}:{_NAMED.get(action.name, 'web')}"
    plan = action().plan(ActionRequest(action.name, target, _PLAUSIBLE[action.name]), a_host().look())
    assert plan.touches
    assert plan.steps


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.name)
@pytest.mark.parametrize("target", NOTHING)
def test_a_target_that_names_nothing_is_refused_by_the_action_itself(action: type[Action], target: str) -> None:
    host = a_host()
    # `temp_dir:*` is another action's kind, or a name like any other: then it is the allow-list that refuses it.
    try:
        plan = action().plan(ActionRequest(action.name, target, _PLAUSIBLE[action.name]), host.look())
    except ZenError:
        return
    assert target == "temp_dir:*"
    asked = question(None, request=plan.request, plan=plan, policy=policy(allowed={action.name: action.Policy()}))
    assert AllowList().assess(asked).ruling is Ruling.DENY


@pytest.mark.parametrize("seconds", [0.0, -1.0, 86_400_000_000_000.0, float("inf"), float("nan")])
def test_an_age_that_is_no_duration_is_refused(seconds: float) -> None:
    asked = ActionRequest("clean_temp_files", "temp_dir:app", {"path": "/srv/tmp", "older_than_seconds": seconds})
    with pytest.raises((ZenError, ValidationError)):
        CleanTempFiles().plan(asked, a_host().look())


@given(data=st.data(), target=NAMES)
@settings(max_examples=300, deadline=None)
def test_whatever_is_asked_for_a_plan_touches_only_what_it_names_or_there_is_none(data: st.DataObject, target: str) -> None:
    action = data.draw(st.sampled_from(list(ACTIONS.values())))
    params = dict(_PLAUSIBLE[action.name])
    for key in data.draw(st.lists(st.sampled_from(sorted(params)), max_size=2)):
        params[key] = data.draw(VALUES)
    host = a_host()
    try:
        plan = action().plan(ActionRequest(action.name, target, params), host.look())
    except (ZenError, ValidationError):
        return
    assert target.partition(":")[2].strip()
    paths = params.get("paths", [params.get("path", params.get("file", params.get("venv", "")))])
    for touched in plan.touches:
        assert touched.name.strip()
        if touched.kind.value == "path":
            assert any(_is_named(touched.name, str(path)) for path in paths), (touched, paths)
    # Planning only looks.
    assert host.changes == []
