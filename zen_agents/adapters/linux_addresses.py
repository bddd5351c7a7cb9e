"""Addresses that a Linux host cannot do without, and those that are connected to it, as the kernel and logind tell them."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Sequence, Set
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path

from zen_agents.adapters.linux_network import default_routes
from zen_agents.adapters.linux_view_reading import read_kernel_file, read_regular_file
from zen_agents.errors import HostError
from zen_agents.model.address import Address, network_around, parse_address
from zen_agents.model.resolver_file import read_resolver_file
from zen_agents.ports.host_firewall import KeptNetwork

_LOOPBACK = ("127.0.0.0/8", "::1/128")
#: The resolver's own file, and what systemd-resolved really asks where that names its stub.
_RESOLVER_FILES = ("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf")
_SESSIONS, _UTMP = "/run/systemd/sessions", "/run/utmp"
#: utmp(5) on Linux: the size of an entry, a logged-in user's type, and where its host and its address stand.
_ENTRY, _USER_PROCESS, _HOST, _ADDRESS = 384, 7, slice(76, 332), slice(348, 364)
_MOST_BYTES, _MOST_TABLE, _MOST_SESSIONS = 1 << 20, 64 << 20, 1000
#: States of /proc/net/tcp in which the other side has proved its address by an answer: all but SYN_SENT, SYN_RECV, CLOSE,
#: LISTEN and NEW_SYN_RECV. A first packet may be anybody's who writes another one's address on it.
_ANSWERED = frozenset({"01", "04", "05", "06", "08", "09", "0B"})


def kept_networks(proc_root: str, root: str) -> Sequence[KeptNetwork]:
    """Return them, each with what it is; HostError if that cannot be told."""
    found = [KeptNetwork(ip_network(each), "loopback") for each in _LOOPBACK]
    for why, addresses in (
        ("an address of this host", _own(proc_root)),
        ("a gateway", (parse_address(route.gateway) for route in default_routes(proc_root))),
        ("a name server", _name_servers(root)),
        ("where somebody is logged in from", _sessions(root)),
    ):
        found += [KeptNetwork(network_around(address), why) for address in addresses if address is not None]
    return tuple(dict.fromkeys(found))


def connected(proc_root: str, ports: Collection[int]) -> Set[Address]:
    """Return who has a connection to one of these ports, or had one a moment ago."""
    wanted = {f"{port:04X}" for port in ports}
    found: set[Address] = set()
    for name in ("tcp", "tcp6"):
        for line in _lines(f"{proc_root}/net/{name}", _MOST_TABLE)[1:]:
            _, local, remote, state, *_ = (*line.split(None, 4), "", "", "", "")
            if state in _ANSWERED and local.rpartition(":")[2] in wanted:
                found.add(_unpacked(remote.rpartition(":")[0]))
    return found


def _own(proc_root: str) -> Iterator[Address]:
    """Yield this host's addresses: the local routes of IPv4, and the interfaces of IPv6."""
    last = ""
    for line in _lines(f"{proc_root}/net/fib_trie", _MOST_BYTES):
        word, _, rest = line.strip().partition(" ")
        if word == "|--":
            last = rest
        elif word == "/32" and rest == "host LOCAL":
            yield IPv4Address(last)
    for line in _lines(f"{proc_root}/net/if_inet6", _MOST_BYTES):
        yield IPv6Address(int(line.split()[0], 16))


def _name_servers(root: str) -> Iterator[Address | None]:
    for path in _RESOLVER_FILES:
        read = read_regular_file(str(Path(f"{root}{path}").resolve()), limit=_MOST_BYTES)
        said = read_resolver_file(read[0].decode("utf-8", "replace") if read is not None else "")
        yield from map(parse_address, (*said.servers, *said.former))


def _sessions(root: str) -> Iterator[Address | None]:
    """Yield where people are logged in from: logind's sessions, and utmp where that is kept."""
    folder = Path(f"{root}{_SESSIONS}")
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in sorted(folder.iterdir())[:_MOST_SESSIONS]:
            read = read_regular_file(str(path), limit=_MOST_BYTES)
            said = dict(line.partition("=")[::2] for line in read[0].decode("utf-8", "replace").splitlines()) if read else {}
            if said.get("REMOTE") == "1":
                yield parse_address(said.get("REMOTE_HOST", ""))
    read = read_regular_file(f"{root}{_UTMP}", limit=_MOST_BYTES)
    content = read[0] if read is not None else b""
    for start in range(0, len(content) - _ENTRY + 1, _ENTRY):
        entry = content[start : start + _ENTRY]
        if struct.unpack_from("=h", entry)[0] == _USER_PROCESS:
            packed = entry[_ADDRESS]
            if any(packed):
                yield IPv6Address(packed).ipv4_mapped or IPv6Address(packed) if any(packed[4:]) else IPv4Address(packed[:4])
            yield parse_address(entry[_HOST].split(b"\0")[0].decode("ascii", "replace"))


def _lines(path: str, limit: int) -> Sequence[str]:
    # Without IPv6 its tables are not there.
    return (read_kernel_file(path, limit=limit) or b"").decode("ascii", "replace").splitlines()


def _unpacked(text: str) -> Address:
    """Return an address as /proc/net writes it: words of 32 bits in the order of this machine."""
    try:
        packed = b"".join(struct.pack("=I", int(text[at : at + 8], 16)) for at in range(0, len(text), 8))
        if len(packed) == 4:
            return IPv4Address(packed)
        address = IPv6Address(packed)
    except (ValueError, struct.error) as error:
        raise HostError(f"the kernel writes {text!r} for an address") from error
    return address.ipv4_mapped or address
