"""A Redis that takes more and more memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import answers, struck

_UNIT, _PORT, _PING = "redis-server.service", 6379, "PING\r\n"


@dataclass(frozen=True, slots=True)
class RedisFilled(Fault):
    """A client writes one value after the other into the Redis of Debian, which as shipped has no `maxmemory`."""

    name = "redis_filled"
    programs = ("redis-server", "redis-cli")

    mib: int = 96

    def prepare(self, host: DisposableHost) -> None:
        host.run(["systemctl", "enable", "--now", _UNIT], check=True)
        wait_until(lambda: answers(host, _PORT, _PING), _UNIT, seconds=10)

    def inject(self, host: DisposableHost) -> float:
        # One at a time, for it serves nobody meanwhile.
        script = "return redis.call('RPUSH', 'filled', string.rep('x', 1048576))"
        return struck(host, ("run", "redis-cli", "-r", str(self.mib), "EVAL", script, "0"))

    def is_gone(self, host: DisposableHost) -> bool:
        return host.run(["redis-cli", "DBSIZE"]).stdout.strip() == "0" and answers(host, _PORT, _PING)

    def traces(self) -> Sequence[str]:
        return (f"unit {_UNIT}", f"port tcp* {_PORT}")
