"""A log that grew too large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import file_bytes, file_state, start_unit, struck

_STATE = "640 65534:4"
_LINES, _LIMIT_BYTES = 40_000, 1 << 20


@dataclass(frozen=True, slots=True)
class LogGrown(Fault):
    """A service that may only write to its own log, not make a new one, writes 40 000 lines at once; none may be lost.

    With `link` its directory has a second name, by which whoever does not look sees two logs.
    """

    name = "log_grown"

    unit: str = "app"
    folder: str = "/var/log/app"
    link: str = ""

    def prepare(self, host: DisposableHost) -> None:
        host.run(["install", "-D", "--mode=0640", "--owner=nobody", "--group=adm", "/dev/null", self._log], check=True)
        if self.link:
            host.run(["ln", "-s", self.folder, self.link], check=True)
        # Each line opens it anew; nobody but root makes files there.
        write = f"/bin/sh -c 'while echo all is well >> {self._log}; do sleep 0.1; done; exit 1'"
        start_unit(host, self.unit, [write], "User=nobody", "Restart=no")
        wait_until(lambda: file_bytes(host, self._log) > 0, "the first line", seconds=10)

    def inject(self, host: DisposableHost) -> float:
        return struck(host, ("append", self._log, "the line that counts, and some more of it", str(_LINES)))

    def is_gone(self, host: DisposableHost) -> bool:
        return file_bytes(host, self._log) < _LIMIT_BYTES

    def traces(self) -> Sequence[str]:
        return (f"file {self.folder}/*",)

    def harm(self, host: DisposableHost) -> Sequence[str]:
        kept = host.run(["sh", "-c", f"zcat -f {self._log}* | grep -c 'line that counts'"]).stdout.strip()
        lost = [] if kept in ("0", str(_LINES)) else [f"{kept} of {_LINES} lines are kept"]
        state = file_state(host, self._log)
        return lost if state == _STATE else [*lost, f"{self._log} is {state}: its service cannot write to it"]

    @property
    def _log(self) -> str:
        return f"{self.folder}/app.log"
