"""One call of a command: its arguments, where configuration and state are, and how to print."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zen_agents.errors import NotRunningError, StoreError, UsageError

if TYPE_CHECKING:
    from zen_agents.adapters.sqlite_store import SqliteStore

FORMATS = ("table", "wide", "json", "jsonl", "yaml", "name")


class Call:
    """What every command is handed."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.state_dir = state_directory(arguments.state_dir)
        self.output: str = arguments.output

    @property
    def machine(self) -> bool:
        """True if the output is for a program."""
        return self.output in ("json", "jsonl", "yaml")

    def store(self) -> SqliteStore:
        """Open the state for reading, with the engine running or dead. NotRunningError if there is none yet."""
        from zen_agents.adapters.sqlite_store import SqliteStore  # noqa: PLC0415  not every command needs it

        path = self.state_dir / "state.db"
        try:
            if not path.exists():
                raise NotRunningError(f"there is no state in {self.state_dir} yet; start the engine with: zen-agents run")
            return SqliteStore.open_read_only(path)
        except PermissionError:
            raise StoreError(f"{self.state_dir} may not be read by you; try as root, or name another --state-dir") from None

    def ask(self, verb: str, *, timeout_seconds: float = 10.0, **args: Any) -> Any:
        """Ask the running engine."""
        from zen_agents.adapters.control_socket import ask  # noqa: PLC0415

        return ask(socket_path(self.state_dir), verb, args, timeout_seconds=timeout_seconds)

    def reason(self, *, needed: bool = True) -> str:
        """Return --reason; asks for it on a terminal, and is a UsageError where nobody can be asked."""
        text: str = self.arguments.reason or ""
        if not text and needed:
            text = self.prompt("Reason: ", flag="--reason TEXT")
        return text

    def prompt(self, question: str, *, flag: str) -> str:
        """Ask a person; where there is none, say which flag answers it."""
        if self.arguments.no_input or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageError(f"{flag} is needed (nobody can be asked here)")
        print(question, end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip()

    def confirm(self, question: str) -> bool:
        """Ask yes or no; --yes answers."""
        return bool(self.arguments.yes) or self.prompt(f"{question} [y/N] ", flag="--yes").lower() in ("y", "yes")

    def clock(self, at: datetime) -> str:
        """Return a moment for people: the time, with the date if it is not today, and the zone's offset."""
        local = at if self.arguments.utc else at.astimezone()
        same_day = local.date() == datetime.now(local.tzinfo).date()
        return f"{local:%H:%M:%S}" if same_day else f"{local:%Y-%m-%d %H:%M:%S}"


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


def something_is_here(arguments: argparse.Namespace) -> bool:
    """Tell whether an engine has run here or a configuration is found, so that `status` makes sense."""
    from zen_agents.settings.finding import find_config  # noqa: PLC0415

    if (state_directory(arguments.state_dir) / "state.db").exists():
        return True
    return find_config(arguments.config or "", os.environ, os.geteuid()) is not None
