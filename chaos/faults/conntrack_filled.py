"""The firewall's table of connections fills."""

from __future__ import annotations

from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import struck

_RULES = "table inet chaos { chain seen { type filter hook output priority 0; ct state new counter accept; }; }"
_COUNT = "/proc/sys/net/netfilter/nf_conntrack_count"


@dataclass(frozen=True, slots=True)
class ConntrackFilled(Fault):
    """A client speaks to one port after the other, and each is remembered for a while.

    The table of a disposable host is its own; its limit is that of the kernel, which nobody in there can set.
    """

    name = "conntrack_filled"
    programs = ("nft", "conntrack")

    connections: int = 2000

    def prepare(self, host: DisposableHost) -> None:
        host.run(["nft", _RULES], check=True)
        # So that it is as full for as long as somebody looks.
        host.run(["sysctl", "--quiet", "--write", "net.netfilter.nf_conntrack_udp_timeout=600"], check=True)

    def inject(self, host: DisposableHost) -> float:
        speak = f"for port in $(seq 20000 {20000 + self.connections - 1}); do echo > /dev/udp/127.0.0.1/$port; done"
        at = struck(host, ("run", "bash", "-c", f"{speak} 2> /dev/null; true"))
        wait_until(lambda: self._count(host) >= self.connections, "that all are tracked", seconds=10)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        return self._count(host) < self.connections // 2

    def _count(self, host: DisposableHost) -> int:
        return int(host.read_file(_COUNT))
