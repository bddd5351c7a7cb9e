"""A journal that has grown past what its host's owner wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import disk_mib, struck

_LIMITS = """[Journal]
Compress=no
SystemMaxUse=8G
SystemKeepFree=1M
SystemMaxFileSize=16M
"""
_NEWEST = "the newest entry"


@dataclass(frozen=True, slots=True)
class JournalGrown(Fault):
    """Its own limits are so wide that the journal takes many times what the policy allows; its newest entry must stay."""

    name = "journal_grown"

    mib: int = 128
    policy_mib: int = 96

    def prepare(self, host: DisposableHost) -> None:
        host.write_file("/etc/systemd/journald.conf.d/chaos.conf", _LIMITS)
        host.run(["systemctl", "restart", "systemd-journald"], check=True)
        struck(host, ("journal", str(self._already)))

    def inject(self, host: DisposableHost) -> float:
        newest = ("run", "systemd-cat", "--identifier=newest", "echo", _NEWEST)
        at = struck(host, ("journal", str(self.mib - self._already)), newest)
        # What comes last in journald's queue is there: so was all that came before it.
        wait_until(lambda: self._has_newest(host), "the newest entry", seconds=10)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        return self._mib(host) <= self.policy_mib

    def harm(self, host: DisposableHost) -> Sequence[str]:
        return [] if self._has_newest(host) else ["the newest entry is gone"]

    def _has_newest(self, host: DisposableHost) -> bool:
        return _NEWEST in host.run(["journalctl", "--quiet", "--identifier=newest", "--output=cat"]).stdout

    @property
    def _already(self) -> int:
        # A journal that is nearly full grows past the limit at once: how long a disk takes to fill is nobody's speed.
        return self.policy_mib - 16

    @staticmethod
    def _mib(host: DisposableHost) -> float:
        return sum(disk_mib(host, place) for place in ("/var/log/journal", "/run/log/journal"))
