"""Default routes and links, as the kernel tells them in /proc/net and /sys/class/net."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import struct
from collections.abc import Iterator, Sequence

from zen_agents.adapters.linux_kernel import read_setting
from zen_agents.adapters.linux_view_reading import read_kernel_file
from zen_agents.errors import HostError
from zen_agents.ports.host_network import Link, Route, TrackedConnections

#: Flags of a route: it is up, it refuses.
_UP, _REJECT = 0x0001, 0x0200
_MOST_BYTES = 1 << 20
_INTERFACE = re.compile(r"[A-Za-z0-9_.:@-]{1,15}", re.ASCII)
_NO_ADDRESS = "0" * 32


def real_path(path: str) -> str:
    """Return where a path leads when all links are followed; HostError for what is no absolute path."""
    if not path.startswith("/") or "\0" in path:
        raise HostError(f"{path!r} is not an absolute path")
    return os.path.realpath(path)


def default_routes(proc_root: str) -> Sequence[Route]:
    """Return the default routes that are up, of IPv4 first; HostError if they cannot be read."""
    try:
        return (*_routes4(_lines(f"{proc_root}/net/route")), *_routes6(_lines(f"{proc_root}/net/ipv6_route")))
    except (ValueError, IndexError, struct.error) as error:
        raise HostError(f"the routes in {proc_root}/net are not as expected") from error


def _lines(path: str) -> Sequence[str]:
    # No IPv6 means no ipv6_route.
    return (read_kernel_file(path, limit=_MOST_BYTES) or b"").decode("ascii", "replace").splitlines()


def _routes4(lines: Sequence[str]) -> Iterator[Route]:
    for line in lines[1:]:
        interface, destination, gateway, flags, _, _, _, mask, *_ = line.split()
        if destination == mask == "00000000" and _is_usable(flags):
            yield Route(interface, socket.inet_ntoa(struct.pack("=I", int(gateway, 16))) if int(gateway, 16) else "")


def _routes6(lines: Sequence[str]) -> Iterator[Route]:
    for line in lines:
        destination, length, _, _, gateway, _, _, _, flags, interface = line.split()
        if destination == _NO_ADDRESS and length == "00" and interface != "lo" and _is_usable(flags):
            hop = "" if gateway == _NO_ADDRESS else str(ipaddress.IPv6Address(int(gateway, 16)))
            yield Route(interface, hop)


def _is_usable(flags: str) -> bool:
    return int(flags, 16) & (_UP | _REJECT) == _UP


def link(interface: str, sys_root: str) -> Link | None:
    """Return the state of an interface, None if there is none; HostError if it cannot be read."""
    if not _INTERFACE.fullmatch(interface) or interface in (".", ".."):
        raise HostError(f"{interface!r} is not the name of a network interface")
    folder = f"{sys_root}/class/net/{interface}"
    state = read_kernel_file(f"{folder}/operstate", limit=64)
    if state is None:
        return None
    try:
        carrier = read_kernel_file(f"{folder}/carrier", limit=8)
    except HostError:
        # The kernel does not tell of an interface that is switched off.
        carrier = None
    return Link(state.decode("ascii", "replace").strip(), (carrier or b"").strip() == b"1")


def tracked_connections(proc_root: str) -> TrackedConnections | None:
    """Return how many connections the firewall tracks, None where the kernel tracks none; HostError for nonsense."""
    count, most = (read_setting(f"net.netfilter.nf_conntrack_{each}", proc_root) for each in ("count", "max"))
    if count is None or most is None:
        return None
    if not count.isdecimal() or not most.isdecimal():
        raise HostError(f"the kernel says {count} of {most} tracked connections, which are no numbers")
    return TrackedConnections(int(count), int(most))
