"""A real PostgreSQL for a test, and a PgBouncer in front of it, with files of their own and an account that may run them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.support.engine_process import wait_for

_PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
needs_postgres = pytest.mark.skipif(_PROGRAMS is None, reason="needs the package postgresql: a real server")
needs_pgbouncer = pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="needs the package pgbouncer")
#: Of these, a PostgreSQL keeps three for superusers.
MOST_CONNECTIONS = 10
_SETTINGS = f"""
listen_addresses = '127.0.0.1'
max_connections = {MOST_CONNECTIONS}
fsync = off
password_encryption = 'scram-sha-256'
"""
#: Everybody is let in, but one role that has to know its password.
_LETS_IN = """
host all guarded 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""
_POOLER = """
[databases]
orders = host=127.0.0.1 port={port} dbname=postgres pool_size=2
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
admin_users = zen
pool_mode = transaction
"""


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs."""

    port: int

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"127.0.0.1:{self.port}"


@contextlib.contextmanager
def postgres_here(certificate: Path | None = None, key: Path | None = None) -> Iterator[Server]:
    """Run a PostgreSQL for as long as this is open; with a certificate and its key it speaks TLS to whoever wants that."""
    with _place() as place:
        files, port = _made(place)
        for name, file in {"server.crt": certificate, "server.key": key}.items():
            if file is not None:
                _give(file, files / name)
        with (files / "postgresql.conf").open("a") as settings:
            settings.write(f"ssl = {'on' if certificate else 'off'}\n")
        with _running(_server_of(files), signal.SIGQUIT, lambda: _is_ready(port)):
            yield Server(port)


@dataclass(frozen=True, slots=True)
class MortalServer(Server):
    """One that a test ends and starts; its files stay."""

    files: Path

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run it for as long as this is open, unless somebody ends it before."""
        with _running(_server_of(self.files), signal.SIGQUIT, lambda: _is_ready(self.port)):
            yield

    def stop_at_once(self) -> None:
        """Have it end without a word to anybody, as `pg_ctl stop -m immediate` does."""
        self._process().send_signal(signal.SIGQUIT)

    def kill(self) -> None:
        """Kill all of its processes, as a power cut would."""
        found = self._process()
        for each in (found, *found.children()):
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()

    def _process(self) -> psutil.Process:
        return psutil.Process(int((self.files / "postmaster.pid").read_text().splitlines()[0]))


@contextlib.contextmanager
def mortal_postgres(log: Path | None = None) -> Iterator[MortalServer]:
    """Make the files of a PostgreSQL that is yet to run; its log of changes may lie elsewhere, in small files."""
    with _place() as place:
        files, port = _made(place, *(("--wal-segsize=1", f"--waldir={log}") if log is not None else ()))
        yield MortalServer(port, files)


def _made(place: Path, *options: str) -> tuple[Path, int]:
    """Make the files of a server, and choose its port."""
    files, port = place / "files", _free_port()
    program = str(_PROGRAMS) + "/initdb"
    _done([program, "--no-sync", "--auth=trust", "--username=postgres", f"--pgdata={files}", *options])
    with (files / "postgresql.conf").open("a") as settings:
        settings.write(f"{_SETTINGS}port = {port}\nunix_socket_directories = '{place}'\n")
    (files / "pg_hba.conf").write_text(_LETS_IN)
    return files, port


def _server_of(files: Path) -> list[str]:
    return [str(_PROGRAMS) + "/postgres", "-D", str(files)]


@contextlib.contextmanager
def pgbouncer_here(server: Server) -> Iterator[Server]:
    """Run a PgBouncer that has two connections for the database `orders`; its console lets in the role zen."""
    with _place() as place:
        own_port = _free_port()
        settings, users = place / "pgbouncer.ini", place / "users"
        users.write_text('"app" ""\n"zen" ""\n')
        settings.write_text(_POOLER.format(port=server.port, own_port=own_port, users=users))
        with _running(["pgbouncer", "--quiet", str(settings)], signal.SIGTERM, lambda: _accepts(own_port)):
            yield Server(own_port)


@contextlib.contextmanager
def _place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="zen-postgres-") as name:
        if os.geteuid() == 0:
            shutil.chown(name, "postgres", "postgres")
        yield Path(name)


def _give(file: Path, to: Path) -> None:
    to.touch(mode=0o600)
    to.write_bytes(file.read_bytes())
    if os.geteuid() == 0:
        shutil.chown(to, "postgres", "postgres")


@contextlib.contextmanager
def _running(argv: Sequence[str], end: signal.Signals, is_ready: Callable[[], bool]) -> Iterator[None]:
    child = subprocess.Popen(_as_account(argv), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    try:
        wait_for(is_ready, "the server", seconds=20)
        yield
    finally:
        child.send_signal(end)
        child.wait(20)


def _done(argv: Sequence[str]) -> None:
    subprocess.run(_as_account(argv), stdout=subprocess.DEVNULL, cwd="/", timeout=60, check=True)


def _as_account(argv: Sequence[str]) -> list[str]:
    # Neither of the two runs as root; setpriv becomes what it starts, so a signal reaches that.
    as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
    return [*(as_postgres if os.geteuid() == 0 else ()), *argv]


def _is_ready(port: int) -> bool:
    # It listens before it lets anybody in.
    ask = [str(_PROGRAMS) + "/pg_isready", "--quiet", "--host=127.0.0.1", f"--port={port}"]
    return subprocess.run(ask, check=False).returncode == 0


def _accepts(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
