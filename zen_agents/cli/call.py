"""One call of a command: its arguments, where configuration and state are, and whom to ask."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zen_agents.errors import NotRunningError, PermissionDeniedError, UsageError, ZenError

if TYPE_CHECKING:
    from zen_agents.adapters.sqlite_store import SqliteStore
    from zen_agents.clock import Instant

FORMATS = ("table", "wide", "json", "jsonl", "yaml", "name")
_DAYS_OF_A_WEEK = 7
#: Those that programs read.
MACHINE = frozenset({"json", "jsonl", "yaml", "name", "csv"})


class Call:
    """What every command is handed."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.state_dir = state_directory(arguments.state_dir)
        self.output: str = "json" if arguments.json is not None else arguments.output
        #: What `--json=FIELD,...` picks; empty for everything.
        self.fields = tuple(field.strip() for field in (arguments.json or "").split(",") if field.strip())

    @property
    def machine(self) -> bool:
        """True if the output is for a program."""
        return self.output in MACHINE

    # -- state and engine ---------------------------------------------------------------------------------------------
    def store(self) -> SqliteStore:
        """Open the state for reading, with the engine running or dead. NotRunningError if there is none yet."""
        from zen_agents.adapters.sqlite_store import SqliteStore  # noqa: PLC0415  not every command needs it

        return SqliteStore.open_read_only(self.state_file())

    def state_file(self) -> Path:
        """Return where the state is kept. NotRunningError if there is none yet, PermissionDeniedError if it is private."""
        path = self.state_dir / "state.db"
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise NotRunningError(
                f"there is no state in {self.state_dir} yet; start the engine: zen-agents run, or name another --state-dir"
            ) from None
        except PermissionError:
            raise PermissionDeniedError(
                f"{self.state_dir} may not be read by you; become its owner, or name another --state-dir"
            ) from None
        if not os.access(path, os.R_OK):
            raise PermissionDeniedError(f"{path} may not be read by you; become its owner")
        return path

    def now(self, store: SqliteStore) -> Instant:
        """Return the present moment on this state's timeline."""
        from zen_agents.clock import SystemClock  # noqa: PLC0415

        return SystemClock(store.anchor()).now()

    def ask(self, verb: str, *, timeout_seconds: float = 10.0, **args: Any) -> Any:
        """Ask the running engine."""
        from zen_agents.adapters.control_client import ask  # noqa: PLC0415

        return ask(socket_path(self.state_dir), verb, args, timeout_seconds=timeout_seconds)

    def host_names(self) -> tuple[str, ...]:
        """Return what this host is called, the engine's word first: what `--confirm` takes."""
        names = [socket.gethostname()]
        try:
            names.insert(0, self.ask("ping", timeout_seconds=2.0)["host"])
        except ZenError:
            names[:0] = self._kept_host_name()
        return tuple(dict.fromkeys(names))

    def _kept_host_name(self) -> list[str]:
        try:
            name = self.store().get("host_name")
        except ZenError:
            return []  # a state that cannot be read must not keep anybody from stopping or resuming
        return [name] if name else []

    # -- people -------------------------------------------------------------------------------------------------------
    def reason(self, *, needed: bool = True) -> str:
        """Return --reason; asks for it on a terminal, and is a UsageError where nobody can be asked."""
        text: str = self.arguments.reason or ""
        if not text.strip() and needed:
            text = self.prompt("Reason: ", flag="--reason TEXT")
            if not text:
                raise UsageError("--reason TEXT is needed; nothing was done")
        return text

    def prompt(self, question: str, *, flag: str) -> str:
        """Ask a person; where there is none, say which flag answers it."""
        if self.arguments.no_input or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageError(f"{flag} is needed (nobody can be asked here)")
        print(question, end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip()

    def person(self) -> str:
        """Return who types: the account that logged in, also behind sudo."""
        from zen_agents.adapters.accounts import account_name, login_uid  # noqa: PLC0415

        uid = login_uid(os.getpid(), os.getuid())
        return account_name(uid) if uid or "SUDO_USER" not in os.environ else os.environ["SUDO_USER"]

    def confirm(self, question: str) -> bool:
        """Ask yes or no; --yes answers."""
        return bool(self.arguments.yes) or self.prompt(f"{question} [y/N] ", flag="--yes").lower() in ("y", "yes")

    def clock(self, at: datetime) -> str:
        """Return a moment for people: the time, with the date if it is not today; local time unless --utc."""
        zone = UTC if self.arguments.utc else None
        local = at.astimezone(zone)
        return f"{local:%H:%M:%S}" if local.date() == self._today.astimezone(zone).date() else f"{local:%Y-%m-%d %H:%M:%S}"

    def when(self, at: datetime) -> str:
        """Return a moment for a column: the time, with the day if it is not today, the date if that is longer ago."""
        zone = UTC if self.arguments.utc else None
        local, days = at.astimezone(zone), (self._today.astimezone(zone).date() - at.astimezone(zone).date()).days
        if days == 0:
            return f"{local:%H:%M:%S}"
        return f"{local:%a %H:%M}" if 0 < days < _DAYS_OF_A_WEEK else f"{local:%Y-%m-%d %H:%M}"

    @cached_property
    def _today(self) -> datetime:
        # Not `SystemClock`: it loads more than all that `status` prints by.
        return datetime.now(UTC)


def state_directory(given: str | None, environ: dict[str, str] | None = None) -> Path:
    """Return where the state is: --state-dir, ZEN_AGENTS_STATE_DIR, else the usual place of this account."""
    environment = os.environ if environ is None else environ
    if named := given or environment.get("ZEN_AGENTS_STATE_DIR"):
        return Path(named).absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/zen-agents")
    home = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "zen-agents"


def socket_path(state_dir: Path) -> Path:
    """Return the socket through which a person on this account asks: acting if they may, else looking."""
    acting = state_dir / "control.sock"
    return acting if os.access(acting, os.W_OK) else state_dir / "view.sock"


def living_engine(state_dir: Path) -> tuple[int, bool] | None:
    """Return the pid of the engine that holds this state and whether it is stopped by a signal; None if none lives."""
    try:
        pid, started = (int(word) for word in (state_dir / "engine.lock").read_text(encoding="ascii").split())
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(") ")[2].split()
    except (OSError, ValueError):
        return None
    return (pid, fields[0] in "Tt") if int(fields[19]) == started and fields[0] not in "ZX" else None


def something_is_here(arguments: argparse.Namespace) -> bool:
    """Tell whether an engine has run here or a configuration is found, so that `status` makes sense."""
    from zen_agents.settings.finding import find_config  # noqa: PLC0415

    return _is_used(state_directory(arguments.state_dir)) or (
        find_config(arguments.config or "", os.environ, os.geteuid()) is not None
    )


def _is_used(state_dir: Path) -> bool:
    try:
        # An audit keeps its answers there where no engine has run as well.
        return any(not entry.name.startswith("advisories.db") for entry in state_dir.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        # A directory that may not be looked into is somebody's: the status says so.
        return True
