"""A job that does not begin because its killed self left a lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import file_bytes, file_text, lives, struck

_JOB = "/usr/local/bin/report"
_TEXT = """#!/bin/sh
# Runs once at a time: who finds the lock goes away again.
set -Ce
echo $$ > {lock}
sleep "$1"
rm -f {lock}
"""


@dataclass(frozen=True, slots=True)
class StaleLock(Fault):
    """`kill -9` of a job that wrote its pid into a lock: no later run begins while the file is there."""

    name = "stale_lock"

    lock: str = "/run/report.lock"

    def prepare(self, host: DisposableHost) -> None:
        host.write_file(_JOB, _TEXT.format(lock=self.lock), mode=0o755)
        host.run(["systemd-run", "--quiet", "--collect", "--unit=chaos-report", _JOB, "infinity"], check=True)
        wait_until(lambda: file_bytes(host, self.lock), "the lock", seconds=10)

    def inject(self, host: DisposableHost) -> float:
        return struck(host, ("kill", "KILL", self._holder(host)))

    def is_gone(self, host: DisposableHost) -> bool:
        holder = self._holder(host)
        return not holder or lives(host, holder)

    def traces(self) -> Sequence[str]:
        return ("unit chaos-*",)

    def _holder(self, host: DisposableHost) -> str:
        """Return the pid in the lock, "" if it is not there (any more)."""
        return file_text(host, self.lock).strip()
