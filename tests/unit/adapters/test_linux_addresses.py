"""Who is connected, and whom this host needs, as the kernel, the resolver's files, logind and utmp have it."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path

import pytest

from zen_agents.adapters.linux_addresses import connected, kept_networks
from zen_agents.errors import HostError

_HEAD = "  sl  local_address rem_address   st tx_queue rx_queue\n"


def kernel(address: str) -> str:
    """Return an address as /proc/net writes it."""
    packed = ip_address(address).packed
    return "".join(f"{struct.unpack('=I', packed[at : at + 4])[0]:08X}" for at in range(0, len(packed), 4))


def line(remote: str, state: str, port: int = 22) -> str:
    local = "192.0.2.1" if ip_address(remote).version == 4 else "2001:db8::1"
    return f"   0: {kernel(local)}:{port:04X} {kernel(remote)}:C350 {state} 00000000:00000000 00:00000000 0 0 0 0\n"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "net").mkdir()
    return tmp_path


def put(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.mark.parametrize("state", ["01", "04", "05", "06", "08", "09", "0B"])
def test_who_has_answered_is_connected(proc: Path, state: str) -> None:
    put(proc, {"net/tcp": _HEAD + line("192.0.2.7", state), "net/tcp6": _HEAD + line("2001:db8::7", state)})
    assert connected(str(proc), [22]) == {IPv4Address("192.0.2.7"), IPv6Address("2001:db8::7")}


@pytest.mark.parametrize("state", ["02", "03", "07", "0A", "0C"])
def test_a_first_packet_that_may_be_anybodys_is_no_connection(proc: Path, state: str) -> None:
    put(proc, {"net/tcp": _HEAD + line("192.0.2.7", state)})
    assert connected(str(proc), [22]) == set()


def test_another_port_does_not_count_and_an_ipv4_address_is_one_also_within_ipv6(proc: Path) -> None:
    there = line("::ffff:192.0.2.7", "01") + line("::ffff:192.0.2.8", "01", port=443)
    put(proc, {"net/tcp": _HEAD, "net/tcp6": f"{_HEAD}{there}   1: cut off"})
    assert connected(str(proc), [22, 2222]) == {IPv4Address("192.0.2.7")}
    put(proc, {"net/tcp": f"{_HEAD}   0: 0100007F:0016 nonsense:C350 01 x\n"})
    with pytest.raises(HostError, match="for an address"):
        connected(str(proc), [22])


def test_whom_this_host_needs_is_kept_with_why(proc: Path) -> None:
    gateway = f"{struct.unpack('=I', ip_address('192.0.2.254').packed)[0]:08X}"
    trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 192.0.2.0\n        /24 link UNICAST\n"
    trie += "     |-- 192.0.2.1\n        /32 host LOCAL\n"
    put(
        proc,
        {
            "net/fib_trie": trie,
            "net/if_inet6": "20010db8000000000000000000000001 02 40 00 80 eth0\n",
            "net/route": f"Iface\tDest\tGateway\nveth0\t00000000\t{gateway}\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
        },
    )
    root = proc / "root"
    user = struct.pack("=h", 7).ljust(76, b"\0") + b"198.51.100.8".ljust(256, b"\0")
    entry = user.ljust(348, b"\0") + IPv4Address("198.51.100.9").packed.ljust(16, b"\0")
    gone = struct.pack("=h", 8) + entry[2:348] + IPv4Address("198.51.100.10").packed.ljust(16, b"\0")
    put(
        root,
        {
            "etc/resolv.conf": "nameserver 192.0.2.53\nnameserver nonsense\n",
            "run/systemd/resolve/resolv.conf": "nameserver 2001:db8::53\n",
            "run/systemd/sessions/4": "UID=1000\nREMOTE=1\nREMOTE_HOST=198.51.100.7\n",
            "run/systemd/sessions/5": "UID=1000\nREMOTE=0\nREMOTE_HOST=198.51.100.6\n",
            "run/systemd/sessions/6": "REMOTE=1\nREMOTE_HOST=laptop.example.com\n",
            "run/utmp": entry.ljust(384, b"\0") + gone.ljust(384, b"\0") + b"cut off",
        },
    )
    found = {(str(kept.network), kept.why) for kept in kept_networks(str(proc), str(root))}
    assert found == {
        ("127.0.0.0/8", "loopback"), ("::1/128", "loopback"), ("192.0.2.1/32", "an address of this host"),
        ("2001:db8::1/128", "an address of this host"), ("192.0.2.254/32", "a gateway"), ("192.0.2.53/32", "a name server"),
        ("2001:db8::53/128", "a name server"), ("198.51.100.7/32", "where somebody is logged in from"),
        ("198.51.100.8/32", "where somebody is logged in from"), ("198.51.100.9/32", "where somebody is logged in from"),
    }  # fmt: skip


def test_a_host_with_nothing_of_it_still_keeps_its_loopback(proc: Path) -> None:
    assert [kept.network for kept in kept_networks(str(proc), str(proc / "root"))] == [
        ip_network("127.0.0.0/8"), ip_network("::1"),
    ]  # fmt: skip
    put(proc, {"root/etc/resolv.conf/is-a-directory": ""})
    with pytest.raises(HostError):
        kept_networks(str(proc), str(proc / "root"))
