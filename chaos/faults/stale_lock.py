"""A job that does not begin because its killed self left a lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import struck

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
        wait_until(lambda: self._holder(host), "the lock", seconds=10)

    def inject(self, host: DisposableHost) -> float:
        return struck(host, ("kill", "KILL", self._holder(host)))

    def is_gone(self, host: DisposableHost) -> bool:
        holder = self._holder(host)
        return not holder or Path(f"/proc/{host.pid}/root/proc/{holder}").exists()

    def traces(self) -> Sequence[str]:
        return ("unit chaos-*",)

    def _holder(self, host: DisposableHost) -> str:
        try:
            return Path(f"/proc/{host.pid}/root{self.lock}").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return ""
