"""Last good configurations in the state directory: contents by their hash, and one card for each service."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from zen_agents.adapters.durable_file import replace_durably
from zen_agents.adapters.launcher import account_of, checked_argv, environment_of
from zen_agents.adapters.linux_view_files import look_at_file
from zen_agents.adapters.linux_view_reading import run_bounded
from zen_agents.drift.declared import sha256
from zen_agents.errors import HostError
from zen_agents.ports.host_commands import Command, CommandResult
from zen_agents.ports.host_last_good import KeptVersion

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)
#: coreutils' timeout ends a command with its whole group; between TERM and KILL (seconds).
_GRACE_SECONDS = 2
_SAID_BYTES = 65536


class LastGood:
    """The kept configurations of all services of one engine; nobody else may read them."""

    def __init__(self, state_dir: str | Path) -> None:
        self._directory = Path(state_dir) / "last-good"

    def find(self, service: str) -> Sequence[KeptVersion]:
        """Return the files that were kept of a service, () if none were; HostError if its card makes no sense."""
        try:
            rows = json.loads(self._card(service).read_text(encoding="utf-8"))
            return tuple(KeptVersion(**row) for row in rows)
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, TypeError) as error:
            raise HostError(f"what was kept of {service} in {self._directory} cannot be read; move it away") from error

    def content(self, version: KeptVersion) -> bytes:
        """Return what a kept file held; HostError if that is missing or damaged."""
        try:
            content = (self._directory / version.sha256).read_bytes()
        except OSError as error:
            raise HostError(f"the last good {version.path} is not in {self._directory}: {error.strerror}") from error
        if sha256(content) != version.sha256:
            raise HostError(f"the last good {version.path} in {self._directory} is damaged; restore it by hand")
        return content

    def keep(self, service: str, contents: Mapping[str, bytes], kept_at: str) -> None:
        """Keep files in place of those before; the card is written last, so that it never names what is not there."""
        rows = []
        try:
            self._directory.mkdir(mode=0o700, exist_ok=True)
            for path, content in contents.items():
                state = look_at_file(path)
                if state is None:
                    raise HostError(f"{path} went away")
                version = KeptVersion(path, sha256(content), state.mode & 0o777, state.owner, state.group, kept_at)
                replace_durably(self._directory / version.sha256, content)
                rows.append(version._asdict())
            replace_durably(self._card(service), json.dumps(rows, sort_keys=True).encode())
            self._drop_unnamed()
        except OSError as error:
            raise HostError(f"the configuration of {service} could not be kept: {error.strerror}") from error

    def _drop_unnamed(self) -> None:
        cards = [path.stem for path in self._directory.glob("*.json")]
        named = {version.sha256 for service in cards for version in self.find(service)}
        for path in self._directory.iterdir():
            if path.suffix != ".json" and path.name not in named:
                path.unlink()

    def _card(self, service: str) -> Path:
        if not _NAME.fullmatch(service):
            raise HostError(f"{service!r} is not the name of a service")
        return self._directory / f"{service}.json"


def run_test(command: Command) -> CommandResult:
    """Run a configuration's test as its account, in a clean environment; HostError if it cannot be run."""
    account, argv = account_of(command.user), checked_argv(command)
    seconds = max(1, round(command.timeout_seconds))
    bounded = ("/usr/bin/timeout", f"--kill-after={_GRACE_SECONDS}", str(seconds), *argv)
    code, said = run_bounded(
        bounded,
        timeout_seconds=seconds + 2 * _GRACE_SECONDS,
        limit=_SAID_BYTES,
        environment=environment_of(command, account),
        account=(account.name, account.uid, account.gid),
    )
    return CommandResult(code, said, code in (124, 137), 0.0)
