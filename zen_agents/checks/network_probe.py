"""Whether a service answers, over the network or at its unix socket.

A process may live and still not serve, so a service is asked what its users ask. The answer says how it failed (refused,
timeout, reset ...). A name that cannot be resolved says nothing about the service, so that is UNKNOWN: when DNS is broken,
every service would look dead at once.

The socket of a unit that does not run may be systemd's, which starts the unit for whoever connects: it is not asked then, so
that what a person stopped stays so (R28).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from zen_agents.checks.base import Probe
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host import HostView
from zen_agents.ports.host_probes import HttpRequest, ProbeResult

#: What a probe can meet that is the observer's fault, not the service's.
_SAYS_NOTHING = frozenset({"name_error"})
#: Room for the time-outs of the probe itself before the sampler gives it up (seconds).
_SLACK = 1.0


class ServiceProbeCheck(Probe):
    """Observes `probe.NAME` (judged; the value is how many seconds the answer took)."""

    def __init__(
        self, service: str, *, every_seconds: float, answer_within_seconds: float,
        asked_while: Callable[[], bool] | None = None,
    ) -> None:  # fmt: skip
        """Ask only while `asked_while` says so, always where it is None."""
        super().__init__(
            name=f"probe.{service}",
            target=f"service:{service}",
            every_seconds=every_seconds,
            timeout_seconds=answer_within_seconds + _SLACK,
        )
        self._answer_within_seconds, self._asked_while = answer_within_seconds, asked_while

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name,)

    async def probe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Ask, and say how it went."""
        if self._asked_while is not None and not self._asked_while():
            return self.unknown(now, "not asked: its unit does not run, and whoever connects may start it")
        result = await self._ask(host)
        if not isinstance(result, ProbeResult) or not isinstance(result.ok, bool):
            raise HostError(f"the probe of {self.target} came back with nonsense")
        if result.ok:
            status, said = Status.OK, result.detail
        else:
            status = Status.UNKNOWN if result.error in _SAYS_NOTHING else Status.PROBLEM
            said = f"{result.error}: {result.detail}" if result.detail else result.error
        facts = {"error": result.error, **({"http_status": str(result.http_status)} if result.http_status else {})}
        return (Observation(self.name, self.target, status, now, max(0.0, result.seconds), said, "", facts),)

    @abstractmethod
    async def _ask(self, host: HostView) -> ProbeResult:
        """Ask once."""


class TcpProbe(ServiceProbeCheck):
    """A port that must accept a connection, and answer where there is something to ask."""

    kind = "tcp"
    summary = "Does this port accept a connection, and answer?"

    def __init__(
        self, service: str, *, host_name: str, port: int, every_seconds: float, answer_within_seconds: float,
        send: bytes = b"", contains: bytes = b"",
    ) -> None:  # fmt: skip
        super().__init__(service, every_seconds=every_seconds, answer_within_seconds=answer_within_seconds)
        self._host_name, self._port = host_name, port
        self._send, self._contains = send, contains

    @property
    def endpoints(self) -> tuple[tuple[str, int], ...]:
        return ((self._host_name, self._port),)

    async def _ask(self, host: HostView) -> ProbeResult:
        within = self._answer_within_seconds
        return await host.tcp(self._host_name, self._port, within, send=self._send, contains=self._contains)


class SocketProbe(ServiceProbeCheck):
    """A unix socket that must accept a connection, and answer where there is something to ask."""

    kind = "unix"
    summary = "Does this unix socket accept a connection, and answer?"

    def __init__(
        self, service: str, *, path: str, every_seconds: float, answer_within_seconds: float,
        asked_while: Callable[[], bool] | None = None, send: bytes = b"", contains: bytes = b"",
    ) -> None:  # fmt: skip
        super().__init__(
            service, every_seconds=every_seconds, answer_within_seconds=answer_within_seconds, asked_while=asked_while
        )
        self._path, self._send, self._contains = path, send, contains

    async def _ask(self, host: HostView) -> ProbeResult:
        return await host.unix_socket(self._path, self._answer_within_seconds, send=self._send, contains=self._contains)


class HttpProbe(ServiceProbeCheck):
    """A page that must come with the right status, and text if one is asked for."""

    kind = "http"
    summary = "Does this address answer as it should?"

    def __init__(
        self, service: str, request: HttpRequest, *, every_seconds: float, answer_within_seconds: float,
        asked_while: Callable[[], bool] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            service, every_seconds=every_seconds, answer_within_seconds=answer_within_seconds, asked_while=asked_while
        )
        self._request = request

    @property
    def endpoints(self) -> tuple[tuple[str, int], ...]:
        if self._request.unix:
            return ()
        url = urlsplit(self._request.url)
        return ((url.hostname, url.port or (443 if url.scheme == "https" else 80)),) if url.hostname else ()

    async def _ask(self, host: HostView) -> ProbeResult:
        return await host.http(self._request, self._answer_within_seconds)
