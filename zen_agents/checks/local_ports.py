"""How many of the ports from which this host connects are taken towards one address and port, and by whom.

When none is left, nobody on this host can connect there any more, however well the other side is. Connections that wait to
be forgotten (TIME_WAIT) take a port as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host import HostView
from zen_agents.ports.host_network import LocalPorts


class PortRange(NamedTuple):
    """First and last."""

    first: int
    last: int


class LocalPortsCheck(Check):
    """Observes `local_ports.percent` and `local_ports.time_wait`.

    With a wider range to fall back on also `local_ports.widened` (judged): a problem while that range is in use.
    """

    kind = "local_ports"
    summary = "Are there ports left from which this host can connect?"

    TARGET: ClassVar[str] = "local_ports:tcp"

    def __init__(self, *, above: float, wider: PortRange | None, every_seconds: float) -> None:
        super().__init__(name="local_ports", target=self.TARGET, every_seconds=every_seconds)
        self._above, self._wider = above, wider

    @property
    def observes(self) -> tuple[str, ...]:
        names = (f"{self.name}.percent", f"{self.name}.time_wait")
        return (*names, f"{self.name}.widened") if self._wider is not None else names

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Count them; who holds most is asked only when that is worth a word."""
        ports = host.local_ports()
        if not isinstance(ports, LocalPorts) or not 0 <= ports.percent <= 100:
            raise HostError("the use of local ports came back as nonsense")
        said = _said(ports) + (_client(host) if ports.percent >= self._above else "")
        found = [
            Observation(f"{self.name}.percent", self.target, Status.OK, now, ports.percent, said),
            Observation(f"{self.name}.time_wait", self.target, Status.OK, now, float(ports.time_wait)),
        ]
        return (*found, self._widened(ports, now)) if self._wider is not None else tuple(found)

    def _widened(self, ports: LocalPorts, now: Instant) -> Observation:
        is_wider = (ports.first, ports.last) == self._wider
        status = Status.PROBLEM if is_wider else Status.OK
        said = f"connections are made from ports {ports.first} to {ports.last}"
        return Observation(f"{self.name}.widened", self.target, status, now, None, said)


def _said(ports: LocalPorts) -> str:
    whole = ports.last - ports.first + 1
    towards = f" towards {ports.towards}" if ports.towards else ""
    return f"{ports.taken} of {whole} local ports ({ports.first} to {ports.last}) are taken{towards}"


def _client(host: HostView) -> str:
    """Return in words who holds most of them."""
    try:
        found = host.local_port_client()
        if found is None:
            return "; by connections that wait to be forgotten, or by processes that we may not look into"
        process, count = found
        return f"; {count} of them by process {process.pid} ({process.name}) of {host.cgroup(process) or 'an unknown unit'}"
    except HostError as error:
        return f"; by whom cannot be told: {error}"
