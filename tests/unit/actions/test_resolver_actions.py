"""flush_resolver_cache, switch_resolver and restore_resolver."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from chaos.simulation.host import SimulatedHost
from tests.support.changing import changing
from zen_agents.actions.base import Action
from zen_agents.actions.flush_resolver_cache import FlushResolverCache
from zen_agents.actions.put_back_file import PutBackFile
from zen_agents.actions.restore_resolver import RestoreResolver
from zen_agents.actions.switch_resolver import SwitchResolver
from zen_agents.errors import ActionFailedError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan
from zen_agents.model.resolver_file import switched
from zen_agents.ports.host_commands import Command, CommandResult

TARGET = "resolver:host"
FILE, NAME = "/etc/resolv.conf", "db.internal"
FIRST, FALLBACK, OTHER = "192.0.2.1", "127.0.0.2", "127.0.0.3"
OWN = f"search internal\nnameserver {FIRST}\noptions timeout:1\n"
KNOWS = {NAME: ("10.0.0.5",)}


@pytest.fixture
def host() -> SimulatedHost:
    return SimulatedHost(seed=1)


def flushing(host: SimulatedHost, resolver: str = "host") -> Plan:
    request = ActionRequest("flush_resolver_cache", TARGET, {"resolver": resolver})
    return FlushResolverCache().plan(request, host.look())


def caches(host: SimulatedHost, *names: str) -> list[tuple[str, ...]]:
    """Let these run, and return where the commands go that are run."""
    ran: list[tuple[str, ...]] = []

    def program(command: Command) -> CommandResult:
        ran.append(command.argv)
        return CommandResult(0, "", False, 0.01)

    for name in names:
        host.add_service(name, unit=f"{name}.service")
        host.start(name)
    host.programs = dict.fromkeys(("resolvectl", "unbound-control", "nscd"), program)
    return ran


async def test_each_cache_that_runs_is_told_in_its_own_way(host: SimulatedHost) -> None:
    ran = caches(host, "nscd", "systemd-resolved", "unbound")
    plan = flushing(host)
    effect = await FlushResolverCache().execute(plan, host.control())
    assert ran == [("resolvectl", "flush-caches"), ("unbound-control", "flush_zone", "."), ("nscd", "--invalidate=hosts")]
    assert effect.ok and FlushResolverCache().postcondition(plan) == (TARGET.replace(":", "."), TARGET)


async def test_without_systemd_they_are_known_by_their_processes(host: SimulatedHost) -> None:
    host.systemd = False
    host.add_process("systemd-resolve")
    ran = caches(host)
    await FlushResolverCache().execute(flushing(host), host.control())
    assert ran == [("resolvectl", "flush-caches")]


def test_where_nothing_keeps_names_there_is_nothing_to_do(host: SimulatedHost) -> None:
    host.add_service("unbound", unit="unbound.service")
    with pytest.raises(StalePlanError, match="no names are kept"):
        flushing(host)


def test_the_target_has_to_be_the_one_that_is_meant(host: SimulatedHost) -> None:
    caches(host, "nscd")
    with pytest.raises(RefusedError):
        flushing(host, "other")


async def test_a_cache_that_does_not_do_it_has_failed(host: SimulatedHost) -> None:
    caches(host, "nscd")
    host.programs["nscd"] = lambda command: CommandResult(1, "permission denied", False, 0.01)
    with pytest.raises(ActionFailedError, match="permission denied"):
        await FlushResolverCache().execute(flushing(host), host.control())


# -- switch and way back ----------------------------------------------------------------------------------------------------


@pytest.fixture
def named(host: SimulatedHost) -> SimulatedHost:
    host.files.add_directory("/etc")
    host.files.add_file(FILE, OWN)
    host.network.name_servers = {FALLBACK: dict(KNOWS), OTHER: dict(KNOWS)}
    return host


def planned(action: Action, host: SimulatedHost, **changes: Any) -> Plan:
    params: dict[str, Any] = {"file": FILE, "asks": NAME, **changes}
    if isinstance(action, SwitchResolver):
        params.setdefault("fallbacks", [FALLBACK, OTHER])
    return action.plan(ActionRequest(action.name, TARGET, params), host.look())


async def done(action: Action, host: SimulatedHost, **changes: Any) -> tuple[Plan, Effect]:
    plan = planned(action, host, **changes)
    await action.preflight(plan, host.look())
    return plan, await action.execute(plan, host.control())


async def test_those_that_know_the_name_stand_in_in_their_order(named: SimulatedHost) -> None:
    named.network.failing[FALLBACK] = "timeout"
    plan, effect = await done(SwitchResolver(), named)
    text = named.files.contents[FILE]
    assert text == switched(OWN, [OTHER])
    assert plan.steps[0] == f"in {FILE} name those of {FALLBACK}, {OTHER} that know {NAME}, in place of {FIRST}"
    assert (effect.before, effect.after) == (FIRST, OTHER)
    assert SwitchResolver().postcondition(plan) == ("resolver.host", TARGET)


async def test_nothing_is_switched_when_nobody_else_knows_the_name(named: SimulatedHost) -> None:
    for servers in ({}, {FALLBACK: {}, OTHER: {NAME: ("10.6.6.6",)}}):
        named.network.name_servers = dict(servers)
        with pytest.raises(RefusedError, match="either"):
            await done(SwitchResolver(), named, expects=["10.0.0.5"])
    # Or no more, after somebody agreed.
    named.network.name_servers = {FALLBACK: dict(KNOWS)}
    plan = planned(SwitchResolver(), named)
    named.network.name_servers.clear()
    with pytest.raises(StalePlanError, match="any more"):
        await SwitchResolver().execute(plan, named.control())
    assert named.files.contents[FILE] == OWN


async def test_a_file_that_changed_meanwhile_is_left(named: SimulatedHost) -> None:
    plan = planned(SwitchResolver(), named)
    named.advance(1)
    named.files.add_file(FILE, "nameserver 9.9.9.9\n")
    with pytest.raises(StalePlanError):
        await SwitchResolver().execute(plan, named.control())
    assert named.files.contents[FILE] == "nameserver 9.9.9.9\n"


def test_a_file_that_names_the_one_that_stands_in_already_is_left(named: SimulatedHost) -> None:
    named.files.add_file(FILE, switched(OWN, [FALLBACK]))
    with pytest.raises(StalePlanError, match="nobody else to ask"):
        planned(SwitchResolver(), named, fallbacks=[FALLBACK])


@pytest.mark.parametrize(
    ("real", "said"),
    [
        ("/run/systemd/resolve/stub-resolv.conf", "resolvectl dns"),
        ("/run/NetworkManager/resolv.conf", "nmcli"),
        ("/run/resolvconf/resolv.conf", "resolvconf -a"),
        ("/srv/resolv.conf", "name that file itself"),
    ],
)
def test_what_another_program_writes_is_its_own(named: SimulatedHost, real: str, said: str) -> None:
    named.files.add_link(FILE, real)
    with pytest.raises(RefusedError, match=said):
        planned(SwitchResolver(), named)


@pytest.mark.parametrize("text", ["# Generated by NetworkManager\n" + OWN, "search x\n", "", "nameserver 1.1.1.1 \ufffd\n"])
def test_what_a_program_writes_itself_or_cannot_be_given_back_is_left(named: SimulatedHost, text: str) -> None:
    named.files.add_file(FILE, text)
    with pytest.raises(RefusedError):
        planned(SwitchResolver(), named)


async def test_the_own_name_servers_come_back_once_the_first_answers(named: SimulatedHost) -> None:
    await done(SwitchResolver(), named)
    with pytest.raises(RefusedError, match="does not know"):
        await done(RestoreResolver(), named)
    named.network.name_servers[FIRST] = dict(KNOWS)
    plan, effect = await done(RestoreResolver(), named)
    assert named.files.contents[FILE] == OWN
    assert (effect.before, effect.after) == (f"{FALLBACK}, {OTHER}", FIRST)
    assert RestoreResolver().postcondition(plan) == ("resolver.host.switched", TARGET)
    with pytest.raises(StalePlanError):
        planned(RestoreResolver(), named)


async def test_what_somebody_changed_since_is_theirs(named: SimulatedHost) -> None:
    await done(SwitchResolver(), named)
    named.files.add_file(FILE, named.files.contents[FILE] + "nameserver 9.9.9.9\n")
    with pytest.raises(StalePlanError, match="somebody changed"):
        planned(RestoreResolver(), named)


async def test_a_switch_is_taken_back_by_hand(named: SimulatedHost) -> None:
    plan, effect = await done(SwitchResolver(), named)
    back = SwitchResolver().inverse(plan, effect)
    assert back is not None and back.inverse_of == "switch_resolver"
    assert back.params["files"][0]["left"] == hashlib.sha256(named.files.contents[FILE].encode()).hexdigest()
    undo = PutBackFile()
    again = undo.plan(back, named.look())
    await undo.execute(again, named.control())
    assert (named.files.contents[FILE], undo.missing(again, named.look())) == (OWN, "")


async def test_a_real_file_is_swapped_at_once_and_keeps_its_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, file = changing(tmp_path), tmp_path / "resolv.conf"
    file.write_text(OWN)
    file.chmod(0o640)

    async def knows(*_: object, **__: object) -> list[str]:
        return [FALLBACK]

    monkeypatch.setattr("zen_agents.actions.switch_resolver.knowing", knows)
    params = {"file": str(file), "asks": NAME, "fallbacks": [FALLBACK]}
    effect = await here.act(SwitchResolver(), TARGET, params)
    assert file.read_text() == switched(OWN, [FALLBACK])
    assert file.stat().st_mode & 0o777 == 0o640
    assert here.host.look().kept_content(effect.undo["files"][0]["quarantine"]) == OWN.encode()
    assert here.host.look().file(str(file)) in here.host.look().list_directory(str(tmp_path))
