"""Connection pools as they are looked at: whose sessions are meant, how many are taken, and which were forgotten."""

from __future__ import annotations

from typing import NamedTuple

from zen_agents.dataclass import dataclass

#: So many sessions are told, and ended, at most.
MOST_SESSIONS = 100


@dataclass(frozen=True, slots=True)
class PoolQuestion:
    """Which pool to look at, as whom, and whose sessions of it are meant; an empty text leaves that part out."""

    #: `postgres`, `pgbouncer` for its admin console, or `http` for a page that tells it.
    kind: str
    #: HOST:PORT.
    server: str = ""
    #: Role of the engine there, and the database it connects to.
    login: str = ""
    login_database: str = ""
    #: The role whose sessions are meant, and if given only those of one application and database.
    user: str = ""
    application: str = ""
    database: str = ""
    #: File of the engine's password there, or of the token that the page wants.
    password_file: str = ""
    #: `disable`, `prefer`, `require` or `verify-full`, as libpq has them.
    tls: str = "prefer"
    #: PEM file of the only trusted authorities.
    authority: str = ""
    #: A session that waits for longer than this within a transaction was forgotten (seconds).
    in_transaction_seconds: float = 300.0
    #: The same of one that waits outside of a transaction; 0: such a session is never forgotten.
    idle_seconds: float = 0.0
    #: The page, and where in its JSON the two numbers are: names with dots between.
    url: str = ""
    used_at: str = "used"
    limit_at: str = "limit"


class PoolSession(NamedTuple):
    """One session at a server. Its number comes again after it ended, so its beginning tells it apart."""

    pid: int
    #: When it began and since when it waits, as the server writes it, in UTC.
    began: str
    since: str
    #: `idle`, `idle in transaction` or `idle in transaction (aborted)`.
    state: str
    #: What it says it is, and where it comes from. Untrusted text.
    application: str
    client: str


class PoolLook(NamedTuple):
    """What was found."""

    #: How many are taken of how many there are, where that is scarcest.
    used: int = 0
    limit: int = 0
    #: What has that limit: `the server`, `the role app`, `the database orders`, `the pool`.
    scarce: str = ""
    #: How many sessions are meant by the question.
    meant: int = 0
    #: Those that were forgotten, longest first; at most MOST_SESSIONS.
    forgotten: tuple[PoolSession, ...] = ()
    #: Which run of the server it was.
    run: str = ""
    #: The server's words, if it had no connection left even for this look; then nothing else is known.
    full: str = ""
    #: Why nothing could be told; "" if it could.
    untold: str = ""

    @property
    def percent(self) -> float:
        """How much is taken."""
        if self.full:
            return 100.0
        return 100.0 * self.used / self.limit if self.limit > 0 else 0.0
