"""What the host itself shows of what depends on what: units, listening ports, mounts, who resolves names, and files.

Read-only and never a guess: an edge is there because systemd, the kernel or a file says so, and it says which.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from zen_agents.errors import HostError
from zen_agents.ports.events import Watch
from zen_agents.ports.host import HostView
from zen_agents.rules.causality import Edge

#: Who resolves names for this host.
DNS = "dns"
#: Every unit needs these; they explain nothing.
_OF_ALL = frozenset({"-.mount", "sysinit.target", "basic.target"})
#: No chain of units that need each other is followed further.
_DEEPEST = 4
_DNS_PORT, _RESOLV_CONF = 53, "/etc/resolv.conf"
#: So many units, ports, and processes' arguments are read.
MOST_UNITS, MOST_PORTS, MOST_PROCESSES = 2000, 200, 200
_STARTED_WITH = "its process was started with"
_HOSTS_LIMIT = 1 << 20


class Look(Protocol):
    """What a check tells of what it looks at; `checks.base.Check` is one."""

    target: str

    @property
    def endpoints(self) -> tuple[tuple[str, int], ...]:
        """(host, port) that it asks."""
        ...

    def watches(self) -> Sequence[Watch]:
        """The units and paths that it looks at."""
        ...


def edges_of(looks: Sequence[Look], host: HostView, before: Sequence[Edge] = ()) -> list[Edge]:
    """Return every edge by which one service may explain another; HostError if systemd does not answer.

    Who listens is only to be seen while it does: where nobody listens now, what was seen `before` stands. With thousands of
    units or ports they are not read: that would keep systemd and the kernel busy for long.
    """
    by_unit = {watch.name: look.target for look in looks for watch in look.watches() if watch.kind == "unit"}
    found = list(_units(by_unit, host)) if len(by_unit) <= MOST_UNITS else []
    endpoints = {(look.target, name, port) for look in looks for name, port in look.endpoints}
    if len(endpoints) <= MOST_PORTS:
        found += _asked(sorted(endpoints), by_unit, host, before)
    found += _started_with(looks, by_unit, host, before)
    resolvers = [look.target for look in looks if _is_resolver(look)]
    if resolvers or any(edge.parent == DNS for edge in found):
        found += _resolver(resolvers, by_unit, host, before)
    return found


def _is_resolver(look: Look) -> bool:
    return look.target.startswith("resolver:") and any(watch.name == _RESOLV_CONF for watch in look.watches())


def mounts_of(looks: Sequence[Look], host: HostView) -> Iterator[Edge]:
    """Yield the mount on which each watched path is; to be shown, it explains no fault of its own."""
    points = sorted((mount.path for mount in host.mounts() if mount.path != "/"), key=len, reverse=True)
    for look in looks:
        for watch in look.watches():
            on = next((point for point in points if f"{watch.name}/".startswith(f"{point}/")), None)
            if watch.kind == "path" and on is not None:
                yield Edge(look.target, f"mount:{on}", f"{watch.name} is on it")


def _units(by_unit: Mapping[str, str], host: HostView) -> Iterator[Edge]:
    """Follow what units need, through units that are not listed."""
    nearest, seen = sorted(by_unit), set(by_unit)
    for _ in range(_DEEPEST):
        if not nearest:
            return
        onward = set()
        for unit, needs in host.unit_needs(nearest).items():
            for relation, other in needs:
                if other not in _OF_ALL and not other.endswith(".slice"):
                    yield Edge(_node(unit, by_unit), _node(other, by_unit), f"{relation}= of {unit}")
                    onward |= {other} - seen
        seen |= onward
        nearest = sorted(onward)


def _node(unit: str, by_unit: Mapping[str, str]) -> str:
    return by_unit.get(unit, f"unit:{unit}")


def _asked(
    endpoints: Sequence[tuple[str, str, int]], by_unit: Mapping[str, str], host: HostView, before: Sequence[Edge]
) -> Iterator[Edge]:
    """Yield what probes need: whoever listens on a port of this host, and whoever resolves a name that no file knows."""
    names = {name for _, name, _ in endpoints if not _is_address(name) and name != "localhost"}
    listed = _names_in_hosts(host) if names else frozenset()
    for target, name, port in endpoints:
        if name in names:
            if name.lower().rstrip(".") not in listed:
                yield Edge(target, DNS, f"its probe asks for the name {name}")
        elif name == "localhost" or _is_local(name):
            yield from _by_port(target, port, f"its probe asks port {port}, where", by_unit, host, before)


def _names_in_hosts(host: HostView) -> frozenset[str]:
    """Return the names for which nobody is asked: /etc/hosts has them."""
    if host.file("/etc/hosts") is None:
        return frozenset()
    lines = (line.partition("#")[0].split() for line in host.read_text("/etc/hosts", limit=_HOSTS_LIMIT).splitlines())
    return frozenset(name.lower().rstrip(".") for words in lines for name in words[1:])


def _started_with(
    looks: Sequence[Look], by_unit: Mapping[str, str], host: HostView, before: Sequence[Edge]
) -> Iterator[Edge]:
    """Yield the listed paths, a certificate for one, that stand among the arguments of a service's process.

    What a service reads because its own configuration says so is not known. While it does not run, what was seen before
    stands.
    """
    listed = {watch.name: look.target for look in looks for watch in look.watches()
              if watch.kind == "path" and look.target.startswith("path:")}  # fmt: skip
    services = {look.target for look in looks if look.target.startswith("service:")} if listed else set()
    unit_of = {target: unit for unit, target in by_unit.items()}
    for target in sorted(services) if len(services) <= MOST_PROCESSES else ():
        words = _arguments(target, unit_of.get(target), host)
        if not words:
            yield from (edge for edge in before if edge.child == target and edge.source.startswith(_STARTED_WITH))
        for path in files_named(words, listed):
            yield Edge(target, listed[path], f"{_STARTED_WITH} {path}")


def files_named(words: Sequence[str], paths: Collection[str]) -> list[str]:
    """Return which of these paths stand among the words of a command, alone or behind a `=`; in the command's order."""
    found = (each for word in words for each in (word, word.partition("=")[2]) if each in paths)
    return list(dict.fromkeys(found))


def _arguments(target: str, unit: str | None, host: HostView) -> tuple[str, ...]:
    """Return the words of a service's main process, () if none runs or it cannot be told."""
    try:
        if unit is None:
            process = host.service_process(target.partition(":")[2])
        else:
            known = host.unit(unit)
            process = host.process(known.main_pid) if known is not None and known.main_pid else None
        return host.command_line(process)[1:] if process is not None else ()
    except HostError:
        return ()


def _resolver(
    resolvers: Sequence[str], by_unit: Mapping[str, str], host: HostView, before: Sequence[Edge]
) -> Iterator[Edge]:
    """Yield who answers for names: what is listed as the host's name servers, and a unit of this host."""
    for target in resolvers:
        yield Edge(DNS, target, f"it asks the name servers of {_RESOLV_CONF}")
    if host.file(_RESOLV_CONF) is None:
        return
    servers = [line.split()[1] for line in host.read_text(host.real_path(_RESOLV_CONF)).splitlines()
               if line.startswith("nameserver") and len(line.split()) > 1]  # fmt: skip
    local = next((server for server in servers if _is_address(server) and _is_local(server)), None)
    if local is not None:
        how = f"{_RESOLV_CONF} names {local}, where"
        for child in (DNS, *resolvers):
            yield from _by_port(child, _DNS_PORT, how, by_unit, host, before)


def _by_port(
    child: str, port: int, how: str, by_unit: Mapping[str, str], host: HostView, before: Sequence[Edge]
) -> Iterator[Edge]:
    """Yield whose unit listens on a port; what was seen before, if nobody does."""
    listening = host.listeners(port)
    if not listening:
        yield from (edge for edge in before if edge.child == child and edge.source.startswith(how))
    for unit in sorted({unit for pid in listening if (unit := _unit_of(pid, host))}):
        yield Edge(child, _node(unit, by_unit), f"{how} {unit} listens")


def _unit_of(pid: int, host: HostView) -> str:
    """Return the service in whose control group a process is, "" for none."""
    try:
        process = host.process(pid)
        group = host.cgroup(process) if process is not None else ""
    except HostError:
        return ""
    return next((part for part in reversed(group.split("/")) if part.endswith(".service")), "")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_local(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return parsed.is_loopback or parsed.is_unspecified
