from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.guarding import ENGINE_PID, CalmHost, by_alice, file_state, plan, policy, process, question, request, unit
from zen_agents.actions.restore_sysctl import SettingsPolicy
from zen_agents.actions.scope import PathsPolicy
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.pipeline import assess
from zen_agents.guards.protected import Protected
from zen_agents.guards.protected_names import unit_of
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling


def touching(store: SqliteStore, *names: str, host: CalmHost | None = None, **changes) -> Answer:
    return Protected().assess(question(store, plan=plan(None, *names), host=host or CalmHost(), **changes))


def test_allows_an_ordinary_unit(store: SqliteStore) -> None:
    answer = touching(store, "unit:web.service")
    assert (answer.ruling, answer.value) == (Ruling.ALLOW, "nothing protected is touched")


@pytest.mark.parametrize("name", ["web.service", "ssh.service"])
def test_every_answer_says_where_what_is_protected_is_written(store: SqliteStore, name: str) -> None:
    host = CalmHost(units={name: unit(name)})
    written = {"protected.units": "zen.yaml:40:3", "protected.paths": "zen.yaml:44:3"}
    for key, where in written.items():
        answer = touching(store, f"unit:{name}", host=host, policy=policy(origins={key: where}))
        assert answer.origin == where
    assert touching(store, f"unit:{name}", host=host, policy=policy(origins={})).origin == ""


@pytest.mark.parametrize(
    "name",
    [
        "ssh.service", "sshd@3-10.0.0.1.service", "ssh.socket", "systemd-journald.service", "init.scope", "dbus.service",
        "NetworkManager.service", "networking.service", "session-3.scope", "user@1000.service", "multi-user.target",
        "boot.mount", "zen-agents.service", "apt-daily-upgrade.service", "user.slice",
    ],
)  # fmt: skip
def test_units_of_the_protected_set_are_refused(store: SqliteStore, name: str) -> None:
    answer = touching(store, f"unit:{name}", host=CalmHost(units={name: unit(name)}))
    assert (answer.reason, answer.value) == (Reason.PROTECTED, f"{name} is protected")


def test_root_is_never_locked_and_another_with_its_rights_may_be(store: SqliteStore) -> None:
    answer = touching(store, "account:backdoor", "account:root")
    assert (answer.reason, answer.value) == (Reason.PROTECTED, "account root is protected")
    assert touching(store, "account:backdoor").ruling is Ruling.ALLOW


def test_an_alias_is_judged_by_what_it_stands_for(store: SqliteStore) -> None:
    host = CalmHost(units={"harmless.service": unit("sshd.service")})
    assert touching(store, "unit:harmless.service", host=host).value == "sshd.service is protected"


def test_what_a_stop_takes_along_counts_through_any_number_of_units(store: SqliteStore) -> None:
    host = CalmHost(
        units={
            "web.service": unit(takes_along=("api.service",)),
            "api.service": unit("api.service", takes_along=("web.service", "vpn.service")),
            "vpn.service": unit("vpn.service", takes_along=("alias-of-ssh.service",)),
            "alias-of-ssh.service": unit("ssh.service"),
        }
    )
    assert touching(store, "unit:web.service", host=host).value == "it takes ssh.service along, which is protected"


def test_a_unit_that_takes_itself_along_hides_no_other(store: SqliteStore) -> None:
    for along in (("ssh.service", "web.service"), ("web.service", "ssh.service")):
        host = CalmHost(units={"web.service": unit(takes_along=along)})
        assert touching(store, "unit:web.service", host=host).reason is Reason.PROTECTED


def test_a_taken_along_unit_that_is_not_loaded_is_judged_by_its_name(store: SqliteStore) -> None:
    host = CalmHost(units={"web.service": unit(takes_along=("ssh.service", "gone.service"))})
    assert touching(store, "unit:web.service", host=host).reason is Reason.PROTECTED


def test_a_restart_that_takes_too_much_along_is_refused_unseen(store: SqliteStore) -> None:
    host = CalmHost(units={"web.service": unit(takes_along=tuple(f"u{n}.service" for n in range(600)))})
    verdict = assess(question(store, host=host), [Protected()])
    assert verdict.reason is Reason.GUARD_ERROR
    assert verdict.answers[0].value == "HostError: a restart would take more than 500 units along"


@pytest.mark.parametrize(("along", "refused"), [(499, False), (500, True)])
def test_up_to_five_hundred_units_are_looked_at(store: SqliteStore, along: int, refused: bool) -> None:
    names = tuple(f"u{number}.service" for number in range(along))
    host = CalmHost(units={"web.service": unit(takes_along=(*names, "web.service", *names))})
    assert (assess(question(store, host=host), [Protected()]).reason is Reason.GUARD_ERROR) is refused


def test_a_unit_that_systemd_does_not_know_is_told(store: SqliteStore) -> None:
    verdict = assess(question(store, plan=plan(None, "unit:gone.service")), [Protected()])
    assert verdict.answers[0].value == "HostError: systemd does not know gone.service"


def test_a_person_adds_units_and_paths(store: SqliteStore) -> None:
    more = policy(protected_units=frozenset({"pay*.service"}), protected_paths=frozenset({"/srv/pay"}))
    host = CalmHost(units={"payroll.service": unit("payroll.service")})
    assert touching(store, "unit:payroll.service", host=host, policy=more).reason is Reason.PROTECTED
    assert touching(store, "path:/srv/pay/today", policy=more).reason is Reason.PROTECTED
    assert touching(store, "path:/srv/payments", policy=more).ruling is Ruling.ALLOW


@pytest.mark.parametrize("name", ["sshd", "systemd-logind", "dpkg", "apt-get", "NetworkManager"])
def test_processes_of_the_protected_set_are_refused(store: SqliteStore, name: str) -> None:
    host = CalmHost(table={4242: process(4242, name)})
    answer = touching(store, "process:4242:9", host=host)
    assert (answer.reason, answer.value) == (Reason.PROTECTED, f"process 4242 ({name}) is protected")


def test_init_the_engine_and_what_it_runs_under_are_refused(store: SqliteStore) -> None:
    table = {1: process(1, "tini", parent=0), 600: process(600, "supervisor"), ENGINE_PID: process(ENGINE_PID, parent=600)}
    said = {
        1: "process 1 (tini) is protected",
        600: "process 600 (supervisor) is the engine itself, or what it runs under",
        ENGINE_PID: f"process {ENGINE_PID} (web) is the engine itself, or what it runs under",
    }
    for pid in table:
        assert touching(store, f"process:{pid}:9", host=CalmHost(table=dict(table))).value == said[pid]


def test_all_that_the_engine_runs_under_is_known_however_deep(store: SqliteStore) -> None:
    table = {pid: process(pid, f"p{pid}", parent=pid - 1) for pid in range(600, ENGINE_PID + 1)}
    for pid in (ENGINE_PID - 1, ENGINE_PID - 2, ENGINE_PID - 64):
        assert touching(store, f"process:{pid}:9", host=CalmHost(table=dict(table))).reason is Reason.PROTECTED


def test_processes_are_judged_also_where_the_engines_own_is_not_seen(store: SqliteStore) -> None:
    host = CalmHost(table={4242: process(4242), 4243: process(4243, "sshd")})
    hidden = policy(own_pid=999)
    assert touching(store, "process:4242:9", host=host, policy=hidden).ruling is Ruling.ALLOW
    assert touching(store, "process:4242:9", "process:4243:9", host=host, policy=hidden).reason is Reason.PROTECTED


def test_kernel_threads_are_refused_and_the_second_process_of_a_container_is_not(store: SqliteStore) -> None:
    bare = CalmHost(table={2: process(2, "kthreadd", parent=0), 90: process(90, "kworker/0:1", parent=2)})
    container = CalmHost(table={2: process(2, "web"), 90: process(90, "web", parent=2)})
    for name in ("process:2:9", "process:90:9"):
        assert touching(store, name, host=bare).reason is Reason.PROTECTED
        assert touching(store, name, host=container).ruling is Ruling.ALLOW


def _in_a_terminal() -> dict:
    return {50: process(50, "sshd"), 51: process(51, "bash", parent=50), 4242: process(4242, "worker", parent=51)}


def test_what_runs_in_a_live_session_is_that_persons(store: SqliteStore) -> None:
    answer = touching(store, "process:4242:9", host=CalmHost(table=_in_a_terminal()))
    assert answer.value == "process 4242 (worker) belongs to a live session (sshd)"
    contained = CalmHost(table={2: process(2, "sshd"), 90: process(90, "bash", parent=2)})
    assert touching(store, "process:90:9", host=contained).value == "process 90 (bash) belongs to a live session (sshd)"
    itself = touching(store, "process:4242:9", host=CalmHost(table={4242: process(4242, "tmux: server")}))
    assert itself.value == "process 4242 (tmux: server) belongs to a live session (tmux: server)"


def test_what_the_engine_itself_started_is_its_own_even_in_a_terminal(store: SqliteStore) -> None:
    host = CalmHost(table=_in_a_terminal(), started={"web": process(4242, "worker", parent=51)})
    assert touching(store, "service:web", "process:4242:9", host=host).ruling is Ruling.ALLOW
    reused = CalmHost(table=_in_a_terminal(), started={"web": process(4242, "worker", start_time=1)})
    assert touching(store, "service:web", "process:4242:9", host=reused).reason is Reason.PROTECTED


@pytest.mark.parametrize("table", [{}, {4242: process(4242, start_time=77)}])
def test_a_process_that_is_gone_or_reused_makes_the_plan_stale(store: SqliteStore, table: dict) -> None:
    answer = touching(store, "process:4242:9", host=CalmHost(table=table))
    assert (answer.reason, answer.value) == (
        Reason.STALE_PLAN,
        "process 4242 is no longer the one that was looked at",
    )


def test_a_service_is_judged_by_name_while_it_is_down(store: SqliteStore) -> None:
    assert touching(store, "service:web", "service:sshd").value == "service sshd has a protected name"
    assert touching(store, "service:web").ruling is Ruling.ALLOW
    more = policy(protected_units=frozenset({"pay*.service"}), own_units=frozenset({"healer.service"}))
    for name in ("payroll", "healer"):
        assert touching(store, f"service:{name}", policy=more).value == f"service {name} has a protected name"


@pytest.mark.parametrize(
    "path",
    [
        "/", "/boot", "/boot/grub/grub.cfg", "/etc", "/etc/passwd", "/etc/shadow-", "/etc/sudoers.d/ops",
        "/etc/ssh/sshd_config",
        "/usr/bin/python3", "/proc/1/mem", "/dev/sda", "/var/lib/dpkg/status", "/home/alice",
        "/home/alice/.ssh/authorized_keys",
        "/root/.ssh", "/var/log/journal/x", "/var", "/srv",
    ],
)  # fmt: skip
def test_paths_of_the_protected_set_are_refused(store: SqliteStore, path: str) -> None:
    answer = touching(store, f"path:{path}")
    assert (answer.reason, answer.value) == (Reason.PROTECTED, f"{path} is protected")


@pytest.mark.parametrize(
    "path",
    [
        "/tmp",
        "/var/tmp/app",
        "/var/log/app/app.log",
        "/srv/app/uploads",
        "/etc/app/tls.key",
        "/run/worker.pid",
        "/bootstrap",
    ],
)
def test_paths_that_are_listed_for_repair_are_allowed(store: SqliteStore, path: str) -> None:
    assert touching(store, f"path:{path}").ruling is Ruling.ALLOW


@pytest.mark.parametrize("path", ["/opt/zen/state", "/opt/zen/state/state.db", "/opt/zen"])
def test_the_engines_own_files_are_refused_and_what_holds_them(store: SqliteStore, path: str) -> None:
    assert touching(store, f"path:{path}").reason is Reason.PROTECTED


def test_an_own_path_that_nobody_can_place_refuses_every_path(store: SqliteStore) -> None:
    asked = question(store, plan=plan(None, "path:/srv/x"), policy=policy(own_paths=frozenset({".state"})))
    assert assess(asked, [Protected()]).reason is Reason.GUARD_ERROR


@pytest.mark.parametrize("path", ["srv/x", "/srv/../etc/passwd", "/srv//x", "//etc/passwd", "/srv/x/", "."])
def test_a_path_that_is_not_plain_is_refused(store: SqliteStore, path: str) -> None:
    assert touching(store, f"path:{path}").value.endswith("is not a plain absolute path")


def test_a_path_through_a_link_is_refused(store: SqliteStore) -> None:
    files = {"/srv": file_state("/srv", "directory"), "/srv/app": file_state("/srv/app", "link")}
    answer = touching(store, "path:/srv/app/tmp", host=CalmHost(files=files))
    assert answer.value == "/srv/app/tmp leads through the link /srv/app; name the real path"


def test_one_protected_member_refuses_all(store: SqliteStore) -> None:
    assert touching(store, "unit:web.service", "path:/srv/x", "path:/etc/shadow").reason is Reason.PROTECTED


@pytest.mark.parametrize("question_name", ["unit", "process", "file"])
def test_what_cannot_be_told_is_refused(store: SqliteStore, question_name: str) -> None:
    asked = question(
        store,
        plan=plan(None, "unit:web.service", "process:4242:9", "path:/srv/x"),
        host=CalmHost(table={4242: process(4242)}, mute=frozenset({question_name})),
    )
    assert assess(asked, [Protected()]).reason is Reason.GUARD_ERROR


@pytest.mark.parametrize("action", ["clean_temp_files", "clear_cache"])
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/var/log", "holds /var/log/journal, which is protected; list the directories in it one by one"),
        ("/var/spool", "holds /var/spool/cron, which is protected; list the directories in it one by one"),
        ("/usr/local/lib", "is protected"),
    ],
)
def test_what_is_emptied_must_hold_nothing_protected(store: SqliteStore, path: str, said: str, action: str) -> None:
    asked = replace(request(), action=action, target="temp_dir:x")
    touching = [f"path:{path}"]
    emptied = Protected().assess(question(store, request=asked, plan=plan(asked, *touching)))
    assert emptied.reason is Reason.PROTECTED
    assert emptied.value == f"{path} {said}"
    below = Protected().assess(question(store, request=asked, plan=plan(asked, f"path:{path}/app")))
    assert below.ruling is Ruling.ALLOW


def test_a_mode_of_what_holds_something_protected_may_be_restored(store: SqliteStore) -> None:
    assert touching(store, "path:/var/log").ruling is Ruling.ALLOW


def test_the_engines_own_unit_is_known_by_its_process_whatever_it_is_called(store: SqliteStore) -> None:
    own = unit("healer.service", main_pid=ENGINE_PID)
    direct = CalmHost(units={"healer.service": own})
    assert touching(store, "unit:healer.service", host=direct).value == "healer.service is the engine itself"
    along = CalmHost(units={"web.service": unit(takes_along=("healer.service",)), "healer.service": own})
    assert touching(store, "unit:web.service", host=along).reason is Reason.PROTECTED


def test_no_person_passes_it(store: SqliteStore) -> None:
    asked = question(store, request=by_alice("protected"), plan=plan(by_alice(), "path:/etc/shadow"))
    assert assess(asked, [Protected()]).reason is Reason.PROTECTED


def test_an_own_path_that_is_not_plain_is_compared_as_the_path_it_means(store: SqliteStore) -> None:
    engine = policy(own_paths=frozenset({"/opt//zen/x/../state/"}))
    answer = touching(store, "path:/opt/zen/state/state.db", policy=engine)
    assert answer.value == "/opt/zen/state/state.db is, holds or lies in /opt/zen/state, which is protected"


def test_why_an_own_path_cannot_be_placed_is_told(store: SqliteStore) -> None:
    engine = policy(own_paths=frozenset({"state"}))
    verdict = assess(question(store, plan=plan(None, "path:/srv/x"), policy=engine), [Protected()])
    assert verdict.answers[0].value == "ValueError: the protected path 'state' is not absolute"


@pytest.mark.parametrize("path", ["/Xapp/data", "/srv/X"])
def test_a_path_of_existing_directories_is_allowed_whatever_its_letters(store: SqliteStore, path: str) -> None:
    parts = path.strip("/").split("/")
    above = ["/" + "/".join(parts[: count + 1]) for count in range(len(parts))]
    host = CalmHost(files={each: file_state(each, "directory") for each in above})
    assert touching(store, f"path:{path}", host=host).value == "nothing protected is touched"


def test_a_link_is_known_by_its_whole_name(store: SqliteStore) -> None:
    host = CalmHost(files={"/srv": file_state("/srv", "directory"), "/srv/appX": file_state("/srv/appX", "link")})
    assert "leads through the link /srv/appX" in touching(store, "path:/srv/appX", host=host).value


def test_a_child_of_a_process_that_is_not_the_kernels_is_no_kernel_thread(store: SqliteStore) -> None:
    table = {2: process(2, "kthreadd", parent=0), 44: process(44, "web", parent=1)}
    assert touching(store, "process:44:9", host=CalmHost(table=table)).ruling is Ruling.ALLOW


# -- the exceptions -------------------------------------------------------------------------------------------------------
HOSTS, UNIT_FILE = "/etc/hosts", "/etc/systemd/system/web.service"
KEEPALIVE = "net.ipv4.tcp_keepalive_time"
ITS_PATH = "/proc/sys/net/ipv4/tcp_keepalive_time"


def restoring(
    store: SqliteStore, path: str, *listed: str, action: str = "restore_file", inverse: str = "", **more
) -> Answer:
    allowed = {"restore_file": PathsPolicy(paths=listed or None), "restore_sysctl": SettingsPolicy(settings=(KEEPALIVE,))}
    asked = replace(request(), action=action, inverse_of=inverse)
    planned = replace(plan(None, f"path:{path}"), request=asked)
    return Protected().assess(question(store, request=asked, plan=planned, policy=policy(allowed=allowed, **more)))


@pytest.mark.parametrize(
    "path", [HOSTS, UNIT_FILE, "/etc/systemd/system/web.service.d/nice.conf", "/etc/sysctl.d/50-web.conf"]
)
def test_a_file_that_a_person_listed_exactly_may_be_restored(store: SqliteStore, path: str) -> None:
    assert restoring(store, path, path).ruling is Ruling.ALLOW
    assert restoring(store, path, path, action="put_back_file", inverse="restore_file").ruling is Ruling.ALLOW


@pytest.mark.parametrize(
    ("path", "listed"),
    [
        (HOSTS, "/etc"),
        (HOSTS, "/etc/hosts.allow"),
        ("/etc/passwd", "/etc/passwd"),
        ("/etc/ssh/sshd_config", "/etc/ssh/sshd_config"),
        ("/etc/systemd/system/ssh.service", "/etc/systemd/system/ssh.service"),
        ("/etc/systemd/system/sshd.service.d/x.conf", "/etc/systemd/system/sshd.service.d/x.conf"),
        ("/etc/systemd/system/zen-agents.service", "/etc/systemd/system/zen-agents.service"),
        ("/etc/systemd/system", "/etc/systemd/system"),
    ],
)
def test_nothing_else_is_an_exception(store: SqliteStore, path: str, listed: str) -> None:
    assert restoring(store, path, listed).reason is Reason.PROTECTED


def test_the_exceptions_are_of_one_action_and_never_the_engines_own_or_a_persons(store: SqliteStore) -> None:
    assert restoring(store, HOSTS, HOSTS, action="restore_permissions").reason is Reason.PROTECTED
    assert restoring(store, HOSTS, HOSTS, protected_paths=frozenset({HOSTS})).reason is Reason.PROTECTED
    own = frozenset({"/etc/systemd/system/web.service"})
    assert restoring(store, UNIT_FILE, UNIT_FILE, own_paths=own).reason is Reason.PROTECTED
    more = frozenset({"web.service"})
    assert restoring(store, UNIT_FILE, UNIT_FILE, protected_units=more).reason is Reason.PROTECTED


def test_a_kernel_setting_that_is_listed_may_be_set(store: SqliteStore) -> None:
    assert restoring(store, ITS_PATH, action="restore_sysctl").ruling is Ruling.ALLOW
    assert restoring(store, "/proc/sys/net/ipv4/ip_forward", action="restore_sysctl").reason is Reason.PROTECTED
    assert restoring(store, "/proc/sys", action="restore_sysctl").reason is Reason.PROTECTED


@pytest.mark.parametrize(
    ("path", "unit_name"),
    [
        ("/etc/systemd/system/web.service", "web.service"),
        ("/etc/systemd/system/web.service.d/limit.conf", "web.service"),
        ("/etc/hosts", ""),
    ],
)
def test_a_file_of_a_unit_names_it(path: str, unit_name: str) -> None:
    assert unit_of(path) == unit_name
