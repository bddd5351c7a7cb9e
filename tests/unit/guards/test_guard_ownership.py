from __future__ import annotations

import pytest

from tests.support.guarding import ENGINE_PID, NOW, CalmHost, by_alice, file_state, plan, policy, process, question, unit
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.ownership import Ownership
from zen_agents.guards.pipeline import assess
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Ruling

HEX = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4


def test_allows_on_a_calm_host(store: SqliteStore) -> None:
    answer = Ownership().assess(question(store))
    assert (answer.ruling, answer.value) == (Ruling.ALLOW, "ours, and the host is calm")


@pytest.mark.parametrize("state", ["running", "degraded", "offline", ""])
def test_states_of_systemd_that_do_not_matter(store: SqliteStore, state: str) -> None:
    assert Ownership().assess(question(store, host=CalmHost(state=state))).ruling is Ruling.ALLOW


@pytest.mark.parametrize("state", ["initializing", "starting", "stopping", "maintenance", "unknown", "whatever"])
def test_nothing_acts_while_systemd_comes_up_or_goes_down(store: SqliteStore, state: str) -> None:
    answer = Ownership().assess(question(store, host=CalmHost(state=state)))
    assert (answer.reason, answer.value) == (Reason.BUSY_ELSEWHERE, f"systemd is {state}")


def test_a_machine_that_is_drained_or_about_to_end_is_left_alone(store: SqliteStore) -> None:
    mark = "/run/zen-agents/leave-alone"
    listed = policy(leave_alone_while=(mark,), origins={"limits.leave_alone_while": "zen.yaml:9:3"})
    answer = Ownership().assess(question(store, host=CalmHost(files={mark: file_state(mark)}), policy=listed))
    assert (answer.ruling, answer.reason, answer.value) == (Ruling.DENY, Reason.BUSY_ELSEWHERE, f"{mark} says so")
    assert answer.origin == "zen.yaml:9:3"
    assert Ownership().assess(question(store, host=CalmHost(), policy=listed)).ruling is Ruling.ALLOW


def test_a_host_that_just_booted_is_left_alone_for_a_while(store: SqliteStore) -> None:
    written = policy(origins={"limits.boot_grace": "zen.yaml:21:3"})
    answer = Ownership().assess(question(store, host=CalmHost(booted_for=20.0), policy=written))
    assert (answer.reason, answer.until) == (Reason.BUSY_ELSEWHERE, NOW.steady + 100.0)
    assert answer.origin == "zen.yaml:21:3"
    assert answer.value == "booted less than 2m ago, 1m40s left"
    assert Ownership().assess(question(store, host=CalmHost(booted_for=119.5))).reason is Reason.BUSY_ELSEWHERE
    assert Ownership().assess(question(store, host=CalmHost(booted_for=120.0))).ruling is Ruling.ALLOW


@pytest.mark.parametrize(
    ("busy", "said"),
    [
        ({"transaction": "dpkg, pid 9"}, "a package transaction is in progress: dpkg, pid 9"),
        ({"run": "puppet agent, pid 9"}, "a configuration run is in progress: puppet agent, pid 9"),
        ({"cloud_init": True}, "cloud-init has not finished"),
        ({"units": {"web.service": unit(busy=True)}}, "systemd has a job for web.service"),
    ],
)
def test_whoever_works_on_the_host_is_waited_for(store: SqliteStore, busy: dict, said: str) -> None:
    answer = Ownership().assess(question(store, host=CalmHost(**busy)))
    assert (answer.reason, answer.value) == (Reason.BUSY_ELSEWHERE, said)


GROUPS = [
    (f"/kubepods.slice/kubepods-burstable.slice/kubepods-pod12.slice/cri-containerd-{HEX}.scope", "Kubernetes"),
    (f"/kubepods/besteffort/pod12/{HEX}", "Kubernetes"),
    (f"/system.slice/docker-{HEX}.scope", "Docker"),
    (f"/docker/{HEX}", "Docker"),
    (f"/machine.slice/libpod-{HEX}.scope/container", "Podman"),
    (f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{HEX}.scope", "Podman"),
    (f"/system.slice/crio-{HEX}.scope", "CRI-O"),
    ("/lxc.payload.mail/system.slice/postfix.service", "LXC"),
    (f"/../{HEX}", "a container engine"),
]


@pytest.mark.parametrize(("group", "owner"), GROUPS)
def test_a_containers_process_is_not_ours(store: SqliteStore, group: str, owner: str) -> None:
    host = CalmHost(table={4242: process(4242)}, groups={4242: group})
    answer = Ownership().assess(question(store, plan=plan(None, "process:4242:9"), host=host))
    assert (answer.reason, answer.value) == (Reason.NOT_OURS, f"process 4242 (web) belongs to {owner}")


@pytest.mark.parametrize("group", [group for group, _ in GROUPS])
def test_inside_its_own_container_the_engine_repairs_its_neighbours(store: SqliteStore, group: str) -> None:
    host = CalmHost(table={4242: process(4242)}, groups={4242: group, ENGINE_PID: group})
    assert Ownership().assess(question(store, plan=plan(None, "process:4242:9"), host=host)).ruling is Ruling.ALLOW


@pytest.mark.parametrize("group", [group for group, _ in GROUPS if HEX in group])
def test_another_container_than_the_engines_is_not_ours(store: SqliteStore, group: str) -> None:
    host = CalmHost(table={4242: process(4242)}, groups={4242: group, ENGINE_PID: group.replace(HEX, OTHER)})
    assert Ownership().assess(question(store, plan=plan(None, "process:4242:9"), host=host)).reason is Reason.NOT_OURS


def test_a_unit_whose_main_process_a_container_owns_is_not_ours(store: SqliteStore) -> None:
    host = CalmHost(units={"web.service": unit(main_pid=4242)}, table={4242: process(4242)}, groups={4242: f"/docker/{HEX}"})
    answer = Ownership().assess(question(store, host=host))
    assert (answer.reason, answer.value) == (Reason.NOT_OURS, "process 4242 (web) belongs to Docker")


def test_a_unit_that_a_container_engine_made_is_not_ours(store: SqliteStore) -> None:
    name = f"docker-{HEX}.scope"
    host = CalmHost(units={name: unit(name)})
    answer = Ownership().assess(question(store, plan=plan(None, f"unit:{name}"), host=host))
    assert (answer.reason, answer.value) == (Reason.NOT_OURS, f"{name} belongs to a container engine")


def test_a_unit_in_a_container_engines_slice_is_not_ours(store: SqliteStore) -> None:
    host = CalmHost(units={"web.service": unit(slice="kubepods-besteffort.slice")})
    assert Ownership().assess(question(store, host=host)).value == "web.service belongs to a container engine"


def test_a_main_process_that_ended_meanwhile_is_nobodys(store: SqliteStore) -> None:
    host = CalmHost(units={"web.service": unit(main_pid=4242)}, groups={4242: f"/docker/{HEX}"})
    assert Ownership().assess(question(store, host=host)).ruling is Ruling.ALLOW


def test_a_unit_without_a_main_process_is_nobodys(store: SqliteStore) -> None:
    host = CalmHost(table={0: process(0)}, groups={0: f"/docker/{HEX}"})
    assert Ownership().assess(question(store, host=host)).ruling is Ruling.ALLOW


def test_any_of_several_processes_that_is_another_owners_refuses(store: SqliteStore) -> None:
    names = ("unit:web.service", "unit:api.service", "process:4242:9")
    units = {"web.service": unit(main_pid=1), "api.service": unit("api.service", main_pid=51)}
    table = {pid: process(pid, f"p{pid}") for pid in (1, 51, 4242)}
    for pid in (1, 51, 4242):
        host = CalmHost(units=units, table=dict(table), groups={pid: f"/docker/{HEX}"})
        answer = Ownership().assess(question(store, plan=plan(None, *names), host=host))
        assert answer.value == f"process {pid} (p{pid}) belongs to Docker"


def test_without_the_engines_own_process_every_container_is_anothers(store: SqliteStore) -> None:
    host = CalmHost(table={4242: process(4242)}, groups={4242: f"/docker/{HEX}"})
    asked = question(store, plan=plan(None, "process:4242:9"), host=host, policy=policy(own_pid=999))
    assert Ownership().assess(asked).reason is Reason.NOT_OURS


@pytest.mark.parametrize(
    "mute",
    ["system_state", "boot_seconds", "package_transaction", "configuration_run", "cloud_init_pending", "cgroup", "leaving"],
)
def test_what_cannot_be_told_is_refused(store: SqliteStore, mute: str) -> None:
    host = CalmHost(table={4242: process(4242)}, mute=frozenset({mute}))
    asked = question(store, plan=plan(None, "process:4242:9"), host=host)
    assert assess(asked, [Ownership()]).reason is Reason.GUARD_ERROR


def test_whose_a_process_is_need_not_be_told_where_none_is_touched(store: SqliteStore) -> None:
    host = CalmHost(mute=frozenset({"cgroup"}))
    assert Ownership().assess(question(store, plan=plan(None, "path:/etc/hosts"), host=host)).ruling is Ruling.ALLOW


def test_a_person_passes_it_only_by_name(store: SqliteStore) -> None:
    host = CalmHost(transaction="dpkg, pid 9")
    assert assess(question(store, request=by_alice(), host=host), [Ownership()]).reason is Reason.BUSY_ELSEWHERE
    named = assess(question(store, request=by_alice("ownership"), host=host), [Ownership()])
    assert named.ruling is Ruling.ALLOW
