"""The network of a simulated host: who answers names, what can be connected to, routes, links and local ports."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from ipaddress import ip_network

from chaos.simulation.asking import Questions
from zen_agents.errors import ActionFailedError, HostError
from zen_agents.model.address import Address, Network, first_overlap
from zen_agents.ports.host_firewall import KeptNetwork
from zen_agents.ports.host_network import Link, LocalPorts, NameAnswer, Route, TrackedConnections
from zen_agents.ports.host_probes import ProbeResult
from zen_agents.ports.host_processes import Process

LOOPBACK = tuple(KeptNetwork(ip_network(each), "loopback") for each in ("127.0.0.0/8", "::1/128"))


@dataclass(slots=True)
class SimulatedNetwork:
    """What is there; nothing of it is there at first."""

    #: Address of a name server -> the names it knows, with their addresses.
    name_servers: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    #: Address of a name server -> how it fails, in the words of `NameAnswer`.
    failing: dict[str, str] = field(default_factory=dict)
    #: `host:port` -> how each next connection ends, "" for well; the last one for ever.
    connections: dict[str, list[str]] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)
    links: dict[str, Link] = field(default_factory=dict)
    ports: LocalPorts = field(default_factory=lambda: LocalPorts(32768, 60999, 0, "", 0, ()))
    #: How many connections the firewall tracks, None where it tracks none; its limit is a setting of the kernel.
    tracked: int | None = None
    #: Which process holds how many of the taken ports.
    port_client: tuple[int, int] | None = None

    #: What is banned -> the moment (steady) at which that ends; who is connected, by port; and what must not be banned.
    banned: dict[Network, float] = field(default_factory=dict)
    peers: dict[int, set[Address]] = field(default_factory=dict)
    kept: list[KeptNetwork] = field(default_factory=list)

    def answer(self, server: str, name: str) -> NameAnswer:
        """Return what a name server says of a name."""
        if server in self.failing:
            return NameAnswer(self.failing[server], "so it is simulated")
        if server not in self.name_servers:
            return NameAnswer("timeout", "nobody is there")
        found = self.name_servers[server].get(name, ())
        return NameAnswer("", ", ".join(found), found, 0.001) if found else NameAnswer("no_such_name", "no such name")

    def connect(self, where: str) -> ProbeResult:
        """Return how the next connection ends."""
        endings = self.connections.get(where, ["timeout"])
        ending = endings.pop(0) if len(endings) > 1 else endings[0]
        return ProbeResult(not ending, ending, ending or "connected", 0.001)

    def bans(self, now: float) -> dict[Network, float]:
        """Return what is banned, and for how long still; what has had its time is gone, as with the kernel."""
        self.banned = {network: until for network, until in self.banned.items() if until > now}
        return {network: until - now for network, until in self.banned.items()}

    def ban(self, network: Network, until: float, now: float) -> None:
        """Ban a network, anew if it is banned; one that overlaps with another is refused."""
        overlapping = first_overlap(network, self.bans(now))
        if overlapping is not None and overlapping != network:
            raise ActionFailedError(f"nft ended with 1: {network} overlaps with {overlapping}")
        self.banned[network] = until

    def lift_ban(self, network: Network, now: float) -> None:
        """End a ban before its time."""
        if network not in self.bans(now):
            raise ActionFailedError(f"nft ended with 1: {network} is not there")
        del self.banned[network]

    def take_ports(self, count: int, towards: str, pid: int) -> None:
        """Let a process hold so many local ports towards one address and port."""
        self.ports = self.ports._replace(taken=count, towards=towards)
        self.port_client = (pid, count)


class NetworkQuestions(Questions):
    """The part of `SimulatedView` that implements the ports `NetworkView` and `FirewallView`."""

    async def ask_name(self, server: str, name: str, timeout_seconds: float, *, port: int = 53) -> NameAnswer:
        del timeout_seconds, port
        return self._ask("ask_name", lambda: self._host.network.answer(server, name))

    async def connection(self, host: str, port: int, timeout_seconds: float) -> ProbeResult:
        del timeout_seconds
        return self._ask("connection", lambda: self._host.network.connect(f"{host}:{port}"))

    def real_path(self, path: str) -> str:
        return self._ask("real_path", lambda: self._followed(path))

    def default_routes(self) -> Sequence[Route]:
        return self._ask("default_routes", lambda: tuple(self._host.network.routes))

    def link(self, interface: str) -> Link | None:
        return self._ask("link", lambda: self._host.network.links.get(interface))

    def local_ports(self) -> LocalPorts:
        return self._ask("local_ports", lambda: self._host.network.ports)

    def tracked_connections(self) -> TrackedConnections | None:
        return self._ask("tracked_connections", self._tracked)

    def local_port_client(self) -> tuple[Process, int] | None:
        return self._ask("local_port_client", self._port_client)

    def _followed(self, path: str) -> str:
        if not path.startswith("/"):
            raise HostError(f"{path!r} is not an absolute path")
        state = self._host.files.states.get(path)
        return self._host.files.contents[path] if state is not None and state.kind == "link" else path

    def _tracked(self) -> TrackedConnections | None:
        count, most = self._host.network.tracked, self._host.kernel_settings.get("net.netfilter.nf_conntrack_max")
        return TrackedConnections(count, int(most)) if count is not None and most is not None else None

    def _port_client(self) -> tuple[Process, int] | None:
        if self._host.network.port_client is None:
            return None
        pid, count = self._host.network.port_client
        return self._host.processes[pid].process, count

    def bans(self) -> Mapping[Network, float]:
        return self._ask("bans", lambda: self._host.network.bans(self._host.clock.now().steady))

    def kept_networks(self) -> Sequence[KeptNetwork]:
        return self._ask("kept_networks", lambda: (*LOOPBACK, *self._host.network.kept))

    def connected(self, ports: Collection[int]) -> Set[Address]:
        peers = self._host.network.peers
        return self._ask("connected", lambda: {peer for port in ports for peer in peers.get(port, ())})
