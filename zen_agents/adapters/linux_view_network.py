"""What a look at a Linux host says of its network; what finds it out is loaded by the first question."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from typing import TYPE_CHECKING

from zen_agents.adapters import linux_probe
from zen_agents.adapters.linux_view_table import TableLook

if TYPE_CHECKING:
    from zen_agents.model.address import Address, Network
    from zen_agents.ports.host_firewall import KeptNetwork
    from zen_agents.ports.host_network import Link, LocalPorts, NameAnswer, Route, TrackedConnections
    from zen_agents.ports.host_probes import HttpRequest, ProbeResult
    from zen_agents.ports.host_processes import Process
    from zen_agents.ports.time_answer import TimeAnswer


class NetworkLook(TableLook):
    """The part of `LinuxView` that implements `ports.host_network.NetworkView` and `ports.host_firewall.FirewallView`."""

    async def ask_name(self, server: str, name: str, timeout_seconds: float, *, port: int = 53) -> NameAnswer:
        """Ask one name server; never remembered."""
        from zen_agents.adapters import dns_query  # noqa: PLC0415 - only where a resolver is listed

        return await dns_query.ask_name(server, name, timeout_seconds, port=port)

    async def connection(self, host: str, port: int, timeout_seconds: float) -> ProbeResult:
        """Connect and stay a moment; never remembered."""
        from zen_agents.adapters import linux_connection  # noqa: PLC0415 - only where a connection is listed

        return await linux_connection.connection(host, port, timeout_seconds, self._host.resolver)

    async def unix_socket(
        self, path: str, timeout_seconds: float, *, send: bytes = b"", contains: bytes = b""
    ) -> ProbeResult:
        """Connect, ask if there is something to ask, and hang up; never remembered."""
        from zen_agents.adapters import linux_unix_socket  # noqa: PLC0415 - only where one is listed

        return await linux_unix_socket.unix_socket(path, timeout_seconds, send=send, contains=contains)

    def real_path(self, path: str) -> str:
        """Return where a path leads when all links are followed; not remembered."""
        from zen_agents.adapters import linux_network  # noqa: PLC0415 - only where a resolver is listed

        return linux_network.real_path(path)

    def default_routes(self) -> Sequence[Route]:
        """Return the default routes that are up; not remembered."""
        from zen_agents.adapters import linux_network  # noqa: PLC0415 - only where a link is listed

        return linux_network.default_routes(self._host.proc_root)

    def link(self, interface: str) -> Link | None:
        """Return the state of an interface, None if there is none; not remembered."""
        from zen_agents.adapters import linux_network  # noqa: PLC0415 - only where a link is listed

        return linux_network.link(interface, f"{self._host.root}/sys")

    def local_ports(self) -> LocalPorts:
        """Return how the local ports of TCP are used; not remembered."""
        from zen_agents.adapters import linux_local_ports  # noqa: PLC0415 - only where they are watched

        return linux_local_ports.read(self._host.proc_root).use

    def tracked_connections(self) -> TrackedConnections | None:
        """Return how many connections the firewall tracks, None where the kernel tracks none; not remembered."""
        from zen_agents.adapters import linux_network  # noqa: PLC0415 - only where they are watched

        return linux_network.tracked_connections(self._host.proc_root)

    def local_port_client(self) -> tuple[Process, int] | None:
        """Return who holds most of the ports that are taken, and how many; not remembered."""
        from zen_agents.adapters import linux_local_ports  # noqa: PLC0415 - only where they are watched

        holders = linux_local_ports.read(self._host.proc_root).inodes
        processes = self.processes()
        found = linux_local_ports.busiest(holders, self._host.descriptors.socket_owners(processes))
        return (processes[found[0]], found[1]) if found is not None else None

    def bans(self) -> Mapping[Network, float]:
        """Return what the engine shut out, and for how long each still is; not remembered."""
        from zen_agents.adapters import linux_firewall  # noqa: PLC0415 - only where a pattern may ban

        return linux_firewall.bans()

    def kept_networks(self) -> Sequence[KeptNetwork]:
        """Return the addresses that this host cannot do without; not remembered."""
        from zen_agents.adapters import linux_addresses  # noqa: PLC0415 - only where a pattern may ban

        return linux_addresses.kept_networks(self._host.proc_root, self._host.root)

    def connected(self, ports: Collection[int]) -> Set[Address]:
        """Return who is connected to one of these ports, or was a moment ago; not remembered."""
        from zen_agents.adapters import linux_addresses  # noqa: PLC0415 - only where a pattern may ban

        return linux_addresses.connected(self._host.proc_root, ports)

    async def tcp(
        self, host: str, port: int, timeout_seconds: float, *, send: bytes = b"", contains: bytes = b""
    ) -> ProbeResult:
        """Connect, ask if there is something to ask, and hang up; never remembered."""
        return await linux_probe.tcp(host, port, timeout_seconds, self._host.resolver, send=send, contains=contains)

    async def server_time(self, server: str, timeout_seconds: float) -> TimeAnswer:
        """Ask a time server once; never remembered."""
        from zen_agents.adapters import linux_time  # noqa: PLC0415 - only hosts that list servers

        return await linux_time.server_time(server, timeout_seconds, self._host.resolver)

    async def http(self, request: HttpRequest, timeout_seconds: float) -> ProbeResult:
        """Ask for a page; never remembered."""
        if request.unix:
            from zen_agents.adapters import linux_unix_socket  # noqa: PLC0415 - only hosts that ask at one

            return await linux_unix_socket.http(request, timeout_seconds)
        return await linux_probe.http(request, timeout_seconds, self._host.resolver)
