"""How the ports are used from which this host connects, read from the kernel's tables of TCP sockets.

A port can be taken once for each address and port that it leads to, so what runs out runs out towards one of them. Closed
connections that the kernel would give up for a new one (tcp_tw_reuse) take none, once they have been closed for a second:
before that it gives up none.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from zen_agents.adapters.linux_view_reading import GONE, read_kernel_file, require_kernel_file
from zen_agents.errors import HostError
from zen_agents.ports.host_network import LocalPorts

_RANGE, _REUSE = "sys/net/ipv4/ip_local_port_range", "sys/net/ipv4/tcp_tw_reuse"
#: Values of tcp_tw_reuse: for all connections, for those of the loopback.
_ALL, _LOOPBACK = b"1", b"2"
_LOOPBACK_ADDRESSES = re.compile(rb"(?:(?:0{16}F{4}0{4})?[0-9A-F]{6}7F|0{24}01000000):", re.IGNORECASE)
_TIME_WAIT, _LISTEN = b"06", b"0A"
#: A closed connection with more left than this (hundredths of a second, of 60 s) was closed within the last second.
_JUST_CLOSED = 5900
#: Own address, other address, other port: what a local port can be taken for once.
_Way = tuple[bytes, bytes]
#: Own address, other address, state, hundredths of a second that its timer has left, inode.
_Socket = tuple[bytes, bytes, bytes, int, int]


class Reading(NamedTuple):
    """What was read."""

    use: LocalPorts
    #: Of the sockets that hold the taken ports; those of closed connections have none.
    inodes: frozenset[int]


def read(proc_root: str) -> Reading:
    """Return how the ports are used; HostError if that cannot be read, or is not as expected."""
    try:
        first, last = (int(word) for word in require_kernel_file(f"{proc_root}/{_RANGE}").split())
        if not 0 < first <= last <= 65535:
            raise ValueError(first, last)
        reuse = (read_kernel_file(f"{proc_root}/{_REUSE}", limit=8) or b"").strip()
        return _count(first, last, _sockets(proc_root), reuse)
    except (ValueError, IndexError) as error:
        raise HostError(f"the sockets in {proc_root}/net are not as expected") from error


def _count(first: int, last: int, sockets: Iterator[_Socket], reuse: bytes) -> Reading:
    taken: dict[_Way, dict[int, int]] = {}
    waiting, listening = 0, set()
    for own, other, state, left, inode in sockets:
        address, _, port_text = own.partition(b":")
        port = int(port_text, 16)
        if state == _LISTEN:
            listening.add(port)
            continue
        waiting += state == _TIME_WAIT
        if first <= port <= last and not (state == _TIME_WAIT and _is_given_up(other, left, reuse)):
            taken.setdefault((address, other), {})[port] = inode
    way = max(taken, key=lambda each: len(taken[each]), default=None)
    ports = taken[way] if way is not None else {}
    towards = _address(way[1]) if way is not None else ""
    use = LocalPorts(first, last, len(ports), towards, waiting, tuple(sorted(listening)))
    return Reading(use, frozenset(ports.values()) - {0})


def _is_given_up(other: bytes, left: int, reuse: bytes) -> bool:
    if left > _JUST_CLOSED:
        return False
    return reuse == _ALL or (reuse == _LOOPBACK and _LOOPBACK_ADDRESSES.match(other) is not None)


def _sockets(proc_root: str) -> Iterator[_Socket]:
    """Yield each TCP socket."""
    for name in ("tcp", "tcp6"):
        try:
            with Path(proc_root, "net", name).open("rb") as lines:
                next(lines, None)
                for line in lines:
                    fields = line.split(None, 10)
                    yield fields[1], fields[2], fields[3], int(fields[5][3:], 16), int(fields[9])
        except OSError as error:
            # No IPv6 means no tcp6.
            if error.errno not in GONE:
                raise HostError(f"cannot read {proc_root}/net/{name}: {error.strerror}") from error


def _address(text: bytes) -> str:
    """Return an address of the kernel's tables, 32-bit words in the host's order, as people write it."""
    address, _, port = text.decode("ascii", "replace").partition(":")
    words = bytes.fromhex(address)
    raw = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
    found = ipaddress.ip_address(raw)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    shown = f"[{found}]" if isinstance(found, ipaddress.IPv6Address) and mapped is None else str(mapped or found)
    return f"{shown}:{int(port, 16)}"


def busiest(inodes: frozenset[int], owners: Mapping[int, Sequence[int]]) -> tuple[int, int] | None:
    """Return which process holds most of these sockets, and how many; None if nobody is known to hold one."""
    held: dict[int, int] = {}
    for inode in inodes:
        for pid in owners.get(inode, ()):
            held[pid] = held.get(pid, 0) + 1
    return max(held.items(), key=lambda entry: (entry[1], -entry[0]), default=None)
