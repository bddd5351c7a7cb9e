"""A real PostgreSQL on a disposable host, and asking it."""

from __future__ import annotations

from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import accepts, start_unit

#: What it takes of the machine.
PROGRAMS = ("psql", "pg_ctlcluster")
_PLACE = "/srv/db"
_STARTED_WITHIN_SECONDS = 20.0
_SETTINGS = """listen_addresses = '127.0.0.1'
port = {port}
max_connections = {most}
unix_socket_directories = '{place}'
fsync = off
"""


def start_postgres(host: DisposableHost, port: int, *, most: int = 20) -> None:
    """Start one as `db.service` that lets in everybody on the host, and wait until it answers."""
    programs = host.run(["sh", "-c", "ls -d /usr/lib/postgresql/*/bin"], check=True).stdout.split()[-1]
    host.run(["install", "-d", "--owner=postgres", _PLACE], check=True)
    create = [f"{programs}/initdb", "--no-sync", "--auth=trust", f"--pgdata={_PLACE}/files"]
    host.run(["runuser", "--user=postgres", "--", *create], check=True)
    settings = _SETTINGS.format(port=port, most=most, place=_PLACE)
    host.run(["tee", "--append", f"{_PLACE}/files/postgresql.conf"], text_in=settings, check=True)
    start_unit(host, "db", [f"{programs}/postgres", "-D", f"{_PLACE}/files"], "User=postgres")
    wait_until(lambda: accepts(host, port), "the database", seconds=_STARTED_WITHIN_SECONDS)
    wait_until(lambda: asked(host, port, "postgres", "SELECT 1"), "its answer", seconds=_STARTED_WITHIN_SECONDS)


def asking(port: int, user: str, query: str) -> list[str]:
    """Return the command that asks it, as a user."""
    to = ["--host=127.0.0.1", f"--port={port}", f"--username={user}", "--dbname=postgres"]
    return ["psql", *to, "--no-psqlrc", "--tuples-only", "--no-align", "--quiet", f"--command={query}"]


def asked(host: DisposableHost, port: int, user: str, query: str) -> str:
    """Return the answer, "" if there is no connection for that user."""
    return host.run(asking(port, user, query)).stdout.strip()
