"""The PostgreSQL of a simulated host: its sessions, and how many it can have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from zen_agents.errors import ActionFailedError
from zen_agents.model.pool import PoolLook, PoolQuestion, PoolSession


@dataclass(slots=True)
class SimulatedSession:
    """One session; busy ones are `active`."""

    user: str
    pid: int
    waits_since: float
    state: str = "idle in transaction"
    application: str = ""
    database: str = "postgres"

    def told(self) -> PoolSession:
        """Return it as a server tells it."""
        since = str(self.waits_since)
        return PoolSession(self.pid, f"began {self.pid}", since, self.state, self.application, "127.0.0.1")


@dataclass(slots=True)
class SimulatedPools:
    """One PostgreSQL under whatever address; it has forgotten what its sessions say, and knows when they began to wait."""

    now: Callable[[], float]
    most: int = 20
    sessions: dict[int, SimulatedSession] = field(default_factory=dict)
    #: Why it cannot be asked, "" if it can; and how it refuses to end a session.
    untold: str = ""
    refuses: str = ""
    run: str = "its first run"

    def connect(
        self, user: str, *, application: str = "", state: str = "idle in transaction", database: str = "postgres"
    ) -> int:
        """Begin a session, which waits from now on; return its number."""
        pid = max(self.sessions, default=100) + 1
        self.sessions[pid] = SimulatedSession(user, pid, self.now(), state, application, database)
        return pid

    def look(self, asked: PoolQuestion) -> PoolLook:
        """Return what there is."""
        if self.untold:
            return PoolLook(untold=self.untold)
        meant = [each for each in self.sessions.values() if _is_meant(each, asked)]
        forgotten = sorted((each for each in meant if self._is_forgotten(each, asked)), key=lambda each: each.waits_since)
        told = tuple(each.told() for each in forgotten)
        return PoolLook(len(self.sessions), self.most, "the server", len(meant), told, self.run)

    def end(self, asked: PoolQuestion, sessions: Sequence[PoolSession]) -> Sequence[int]:
        """End those that are what they were and forgotten still."""
        if self.refuses or self.untold:
            raise ActionFailedError(f"no session was ended: {self.refuses or self.untold}")
        still = {each.pid for each in self.look(asked).forgotten if each.began in {given.began for given in sessions}}
        ended = [each.pid for each in sessions if each.pid in still]
        for pid in ended:
            del self.sessions[pid]
        return ended

    def _is_forgotten(self, session: SimulatedSession, asked: PoolQuestion) -> bool:
        waited = self.now() - session.waits_since
        if session.state.startswith("idle in transaction"):
            return waited > asked.in_transaction_seconds
        return session.state == "idle" and 0 < asked.idle_seconds < waited


def _is_meant(session: SimulatedSession, asked: PoolQuestion) -> bool:
    return (
        session.user == asked.user
        and asked.application in ("", session.application)
        and asked.database in ("", session.database)
    )
