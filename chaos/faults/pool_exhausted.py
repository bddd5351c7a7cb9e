"""A database without a free connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.postgres import PROGRAMS, asked, start_postgres
from chaos.waiting import wait_until
from chaos.workload import program, start_program, struck

_OFFENDER, _OTHER = "app", "reports"
_STARTED_WITHIN_SECONDS = 20.0
#: So many connections PostgreSQL keeps for superusers.
_RESERVED = 3


@dataclass(frozen=True, slots=True)
class PoolExhausted(Fault):
    """A real PostgreSQL, whose application has taken every connection, begun a transaction in each and gone to sleep."""

    name = "pool_exhausted"
    programs = PROGRAMS

    port: int = 5499
    most: int = 20
    #: Well again while less than this share of the connections is taken.
    below: float = 0.8

    def prepare(self, host: DisposableHost) -> None:
        start_postgres(host, self.port, most=self.most)
        for user in (_OFFENDER, _OTHER):
            self._asked(host, "postgres", f"CREATE ROLE {user} LOGIN")
        start_program(host, "chaos-reports", [*program("pg_sessions.py"), str(self.port), _OTHER, "1"])
        wait_until(lambda: self._pids(host, _OTHER), "the other's session", seconds=_STARTED_WITHIN_SECONDS)
        host.write_file(f"{self.REMEMBERED}/other", self._pids(host, _OTHER))

    def inject(self, host: DisposableHost) -> float:
        # All that PostgreSQL leaves to those who are no superusers, but for the other's one.
        leak = [*program("pg_sessions.py"), str(self.port), _OFFENDER, str(self.most - _RESERVED - 1)]
        at = struck(host, ("run", "systemd-run", "--quiet", "--unit=chaos-leak", "--", *leak))
        wait_until(lambda: not self._asked(host, _OFFENDER, "SELECT 1"), "the last session", seconds=10)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        # Whoever asks is none of those who took it.
        others = "backend_type = 'client backend' AND pid <> pg_backend_pid()"
        taken = self._asked(host, "postgres", f"SELECT count(*) FROM pg_stat_activity WHERE {others}")  # noqa: S608
        return int(taken or self.most) < self.below * self.most and self._asked(host, _OFFENDER, "SELECT 1") == "1"

    def harm(self, host: DisposableHost) -> Sequence[str]:
        same = self._pids(host, _OTHER) == host.read_file(f"{self.REMEMBERED}/other")
        return [] if same else ["a session of another user was ended"]

    def _pids(self, host: DisposableHost, user: str) -> str:
        return self._asked(host, "postgres", f"SELECT pid FROM pg_stat_activity WHERE usename = '{user}'")  # noqa: S608

    def _asked(self, host: DisposableHost, user: str, query: str) -> str:
        """Return the answer, "" if there is no connection for that user."""
        return asked(host, self.port, user, query)
