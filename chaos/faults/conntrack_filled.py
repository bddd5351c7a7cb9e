"""The firewall's table of connections fills."""

from __future__ import annotations

from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import interpreter, kernel_setting, struck

_RULES = "table inet chaos { chain seen { type filter hook output priority 0; ct state new counter accept; }; }"
_PLACE = "/proc/sys/net/netfilter"
_COUNT, _LIMIT = f"{_PLACE}/nf_conntrack_count", f"{_PLACE}/nf_conntrack_max"
#: One packet to each address and port; nobody listens, and the kernel remembers each for a while.
_SPEAK = """
import contextlib, socket, sys
speaking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number in range(int(sys.argv[1])):
    with contextlib.suppress(OSError):
        speaking.sendto(b"", (f"127.0.{number // 40000}.1", 20000 + number % 40000))
"""
_TRACKED_WITHIN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class ConntrackFilled(Fault):
    """A client speaks to one port after the other, and each is remembered for a while.

    The table of a disposable host is its own; its limit is that of the kernel, which nobody in there can set unless it is
    lent to the host.
    """

    name = "conntrack_filled"
    programs = ("nft", "conntrack")

    connections: int = 2000
    #: The limit that this kernel must have for the host to be lent it; 0: it is not lent. Whoever raises it inside raises it
    #: for the whole machine.
    lent: int = 0

    def why_not(self) -> str:
        if not self.lent:
            return ""
        has = kernel_setting(_LIMIT)
        if not has:
            return "needs a kernel whose limit of tracked connections may be set from here"
        return "" if has == str(self.lent) else f"needs a kernel that tracks {self.lent} connections at most, and not {has}"

    def prepare(self, host: DisposableHost) -> None:
        host.run(["nft", _RULES], check=True)
        # So that it is as full for as long as somebody looks.
        host.run(["sysctl", "--quiet", "--write", "net.netfilter.nf_conntrack_udp_timeout=600"], check=True)
        if self.lent:
            host.lend(_LIMIT)

    def inject(self, host: DisposableHost) -> float:
        at = struck(host, ("run", *interpreter(), "-c", _SPEAK, str(self.connections)))
        wait_until(
            lambda: self._read(host, _COUNT) >= self.connections, "that all are tracked", seconds=_TRACKED_WITHIN_SECONDS
        )
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        enough = self._read(host, _LIMIT) * 4 // 5 if self.lent else self.connections // 2
        return self._read(host, _COUNT) < enough

    def _read(self, host: DisposableHost, path: str) -> int:
        return int(host.read_file(path))
