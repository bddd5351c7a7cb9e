"""What is promised of bans, over a simulated firewall and over nftables itself in a network of its own."""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Protocol

import pytest

from chaos.simulation.host import SimulatedHost
from tests.support.changing import IS_ROOT, changing, until
from zen_agents.adapters import linux_firewall
from zen_agents.errors import ActionFailedError, HostError
from zen_agents.ports.host import HostControl, HostView

_NEW_NETWORK = 0x40000000
V4, V6, NET6 = ip_network("192.0.2.7"), ip_network("2001:db8::7"), ip_network("2001:db8:1::/64")


class Firewalled(Protocol):
    """A host that can ban."""

    def look(self) -> HostView: ...
    def control(self) -> HostControl: ...


def _own_network() -> int:
    """Enter a network without anything in it; return what leads back. OSError where that may not be."""
    libc = ctypes.CDLL(None, use_errno=True)
    back = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    if libc.unshare(_NEW_NETWORK) != 0:
        os.close(back)
        raise OSError(ctypes.get_errno(), "no network of its own")
    return back


class _Real:
    """This very host within a network of its own."""

    def __init__(self, folder: Path) -> None:
        self._here = changing(folder)

    def look(self) -> HostView:
        return self._here.host.look()

    def control(self) -> HostControl:
        return self._here.control()


@pytest.fixture
def nftables(tmp_path: Path) -> Iterator[_Real]:
    if not IS_ROOT or shutil.which("nft") is None:
        pytest.skip("needs root and nft")
    try:
        back = _own_network()
    except OSError as error:
        pytest.skip(str(error))
    try:
        if subprocess.run(["nft", "list", "tables"], capture_output=True, check=False).returncode != 0:
            pytest.skip("this kernel has no nftables")
        yield _Real(tmp_path)
    finally:
        ctypes.CDLL(None).setns(back, _NEW_NETWORK)
        os.close(back)


def ran(*argv: str) -> str:
    """Run a command and return what it said."""
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


@pytest.fixture(params=["simulated", "nftables"])
def firewalled(request: pytest.FixtureRequest) -> Firewalled:
    return SimulatedHost() if request.param == "simulated" else request.getfixturevalue("nftables")


async def test_what_is_banned_is_told_with_its_time_and_lifted(firewalled: Firewalled) -> None:
    assert firewalled.look().bans() == {}
    for network in (V4, V6, NET6):
        await firewalled.control().ban(network, 600)
    bans = firewalled.look().bans()
    assert set(bans) == {V4, V6, NET6}
    assert all(590 <= left <= 600 for left in bans.values())
    await firewalled.control().lift_ban(NET6)
    await firewalled.control().lift_ban(V4)
    assert set(firewalled.look().bans()) == {V6}


async def test_what_is_banned_twice_is_banned_once_and_what_is_not_cannot_be_lifted(firewalled: Firewalled) -> None:
    await firewalled.control().ban(V4, 60)
    # Which of both times it has then is the kernel's to say: before Linux 6.12 it is the first.
    await firewalled.control().ban(V4, 6000)
    assert set(firewalled.look().bans()) == {V4}
    with pytest.raises(ActionFailedError, match="nft ended with 1"):
        await firewalled.control().lift_ban(V6)


async def test_a_ban_ends_by_itself(firewalled: Firewalled) -> None:
    await firewalled.control().ban(NET6, 1)
    if isinstance(firewalled, SimulatedHost):
        firewalled.advance(1.1)
    await until(lambda: firewalled.look().bans() == {}, seconds=60)
    assert firewalled.look().bans() == {}


async def test_two_networks_that_overlap_are_refused(firewalled: Firewalled) -> None:
    await firewalled.control().ban(ip_network("2001:db8:1::7"), 600)
    with pytest.raises(ActionFailedError):
        await firewalled.control().ban(NET6, 600)
    assert set(firewalled.look().bans()) == {ip_network("2001:db8:1::7")}


async def test_who_is_kept_and_who_is_connected_can_be_asked(firewalled: Firewalled) -> None:
    kept = {each.network for each in firewalled.look().kept_networks()}
    assert {ip_network("127.0.0.0/8"), ip_network("::1")} <= kept
    assert firewalled.look().connected([22]) == set()


async def test_the_rules_are_there_once_and_nothing_else_is_changed(nftables: _Real) -> None:
    ran("nft", "add", "table", "inet", "theirs")
    for number in range(3):
        await nftables.control().ban(ip_network(f"192.0.2.{number}"), 600)
    listed = ran("nft", "list", "ruleset")
    assert listed.count("ip saddr @banned4 drop") == 1
    assert listed.count("ip6 saddr @banned6 drop") == 1
    assert listed.count("table ") == 2
    assert "hook prerouting priority raw" in listed


async def test_a_table_of_that_name_that_is_somebody_elses_is_told(nftables: _Real) -> None:
    ran("nft", "add table inet zen_agents; add set inet zen_agents banned4 { type mark; }")
    ran("nft", "add", "element", "inet", "zen_agents", "banned4", "{ 7 }")
    with pytest.raises(HostError, match="not the engine's"):
        nftables.look().bans()
    with pytest.raises(ActionFailedError):
        await nftables.control().ban(V4, 600)


async def test_a_ban_keeps_a_connection_out_and_its_end_lets_it_in(nftables: _Real, tmp_path: Path) -> None:
    """Through a pair of interfaces, as from another host."""
    del tmp_path
    for words in (
        "link set lo up", "link add near type veth peer name far", "link set near up",
        "address add 198.51.100.1/24 dev near", "netns add zen-test-outside",
    ):  # fmt: skip
        ran("ip", *words.split())
    try:
        outside = ["ip", "netns", "exec", "zen-test-outside"]
        ran("ip", "link", "set", "far", "netns", "zen-test-outside")
        for words in ("address add 198.51.100.2/24 dev far", "link set far up"):
            ran(*outside, "ip", *words.split())
        server = await asyncio.start_server(lambda _, writer: writer.close(), "198.51.100.1", 0)
        port = server.sockets[0].getsockname()[1]
        visit = f"import socket; socket.create_connection(('198.51.100.1', {port}), 0.5).recv(1)"

        async def reaches() -> bool:
            quiet = asyncio.subprocess.DEVNULL
            child = await asyncio.create_subprocess_exec(*outside, "python3", "-c", visit, stderr=quiet)
            return await child.wait() == 0

        assert await reaches()
        assert nftables.look().connected([port]) == {ip_address("198.51.100.2")}
        assert nftables.look().connected([port + 1]) == set()
        assert ip_network("198.51.100.1") in {each.network for each in nftables.look().kept_networks()}
        await nftables.control().ban(ip_network("198.51.100.2"), 600)
        assert not await reaches()
        await nftables.control().lift_ban(ip_network("198.51.100.2"))
        assert await reaches()
        server.close()
    finally:
        ran("ip", "netns", "delete", "zen-test-outside")


def test_without_nft_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linux_firewall, "_PATH", "/nowhere")
    with pytest.raises(HostError, match="apt install nftables"):
        linux_firewall.bans()
