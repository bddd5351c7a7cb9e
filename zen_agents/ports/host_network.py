"""Name servers, connections, links and local ports: the part of the host's port that looks at its network."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zen_agents.ports.host_probes import ProbeResult
    from zen_agents.ports.host_processes import Process


class NameAnswer(NamedTuple):
    """What one name server said of one name."""

    #: "" if it gave an address, else: no_such_name, no_address, server_failure, server_refuses, bad_answer, refused,
    #: timeout, reset, unreachable.
    error: str
    detail: str
    addresses: tuple[str, ...] = ()
    seconds: float = 0.0


class Route(NamedTuple):
    """One default route."""

    interface: str
    #: Address of the next hop, "" where there is none.
    gateway: str


class Link(NamedTuple):
    """One network interface."""

    #: The kernel's word: up, down, lowerlayerdown, dormant, unknown ...
    state: str
    #: Whether there is a signal on the wire; interfaces without a wire that are up have it.
    carrier: bool


class LocalPorts(NamedTuple):
    """How the ports are used from which this host connects."""

    first: int
    last: int
    #: How many of them lead to the one address and port to which most do: only those stand in each other's way.
    taken: int
    #: That address and port, "" if nothing is connected.
    towards: str
    #: How many of all TCP connections are closed and wait to be forgotten (TIME_WAIT).
    time_wait: int
    #: Ports at which this host listens, ascending.
    listening: tuple[int, ...]

    @property
    def percent(self) -> float:
        """How much of the range is taken towards one address and port."""
        return min(100.0, 100.0 * self.taken / (self.last - self.first + 1))


class TrackedConnections(NamedTuple):
    """What the firewall keeps in mind."""

    tracked: int
    #: How many there can be.
    most: int

    @property
    def percent(self) -> float:
        """How full its table is."""
        return min(100.0, 100.0 * self.tracked / self.most) if self.most else 0.0


class NetworkView(Protocol):
    """Questions about the network."""

    async def ask_name(self, server: str, name: str, timeout_seconds: float, *, port: int = 53) -> NameAnswer:
        """Ask the name server at an address for the addresses of a name, by UDP and if need be by TCP; never remembered.

        HostError for what is no address or no name, and where this host itself is short of something.
        """
        ...

    async def connection(self, host: str, port: int, timeout_seconds: float) -> ProbeResult:
        """Connect, and stay a moment: whoever accepts and hangs up at once is `reset`. Never remembered."""
        ...

    async def unix_socket(
        self, path: str, timeout_seconds: float, *, send: bytes = b"", contains: bytes = b""
    ) -> ProbeResult:
        """Connect to a unix socket; with `send` or `contains`, say that and wait for an answer, as `HostView.tcp` does.

        `refused` where nobody listens, be it for want of a file, and `timeout` also where its queue stays full. HostError
        where this engine may not connect. Never remembered.
        """
        ...

    def real_path(self, path: str) -> str:
        """Return where a path leads when all links are followed; itself if it is none, or leads nowhere."""
        ...

    def default_routes(self) -> Sequence[Route]:
        """Return the default routes that are up, of IPv4 first."""
        ...

    def link(self, interface: str) -> Link | None:
        """Return the state of an interface, None if there is none of that name."""
        ...

    def local_ports(self) -> LocalPorts:
        """Return how the local ports of TCP are used; not remembered, it takes milliseconds per thousand connections."""
        ...

    def tracked_connections(self) -> TrackedConnections | None:
        """Return how many connections the firewall tracks, None where the kernel tracks none; not remembered."""
        ...

    def local_port_client(self) -> tuple[Process, int] | None:
        """Return who holds most of the ports that `LocalPorts.taken` counts, and how many; None where that cannot be told.

        Looks at the descriptors of every process.
        """
        ...
