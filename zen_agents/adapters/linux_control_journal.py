"""The rate limit of one unit: a drop-in below /run, and the word of it that journald reads at once.

systemd tells journald a unit's limit in two links below /run/systemd/units when the unit starts, and a reload does not tell
it anew (seen with systemd 252). The engine writes what systemd would write at the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator

from zen_agents.adapters.linux_view_journal import BURST, DROP_IN, DROP_INS, UNITS, limit_of
from zen_agents.errors import ActionFailedError, HostError, StalePlanError
from zen_agents.ports.host import Command, HostControl

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_INTERVAL_SECONDS, _RELOAD_SECONDS = 1, 30.0
_TEXT = f"""# Written by zen-agents: this unit flooded the journal. Gone at the next boot, or by: zen-agents undo.
[Service]
LogRateLimitIntervalSec={_INTERVAL_SECONDS}s
{BURST}"""


async def limit(control: HostControl, unit: str, lines_per_second: int, root: str = "") -> None:
    """Limit a unit, for what runs as well; StalePlanError if it is so already, HostError if that cannot be written."""
    await _done(control, lambda: write_limit(unit, lines_per_second, root))
    await _reload(control)
    await _done(control, lambda: tell_journald(unit, lines_per_second, root))


async def lift(control: HostControl, unit: str, root: str = "") -> None:
    """Take the limit of a unit away; StalePlanError if there is none."""
    await _done(control, lambda: remove_limit(unit, root))
    await _reload(control)
    await _done(control, lambda: tell_journald(unit, None, root))


def write_limit(unit: str, lines_per_second: int, root: str = "") -> None:
    """Write the drop-in; StalePlanError if the unit has this limit already, HostError if it cannot be written."""
    present = limit_of(unit, root)
    if present == lines_per_second:
        raise StalePlanError(f"{unit} is limited to {present} lines a second already; nothing was done")
    with _opened(f"{root}{DROP_INS}") as above:
        with contextlib.suppress(FileExistsError):
            os.mkdir(f"{unit}.d", 0o755, dir_fd=above)
        with _opened(f"{unit}.d", above) as folder:
            aside = f".{DROP_IN}.new"
            _unlink(aside, folder)
            descriptor = os.open(aside, _NEW_FILE, 0o644, dir_fd=folder)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(f"{_TEXT}{lines_per_second * _INTERVAL_SECONDS}\n")
            os.rename(aside, DROP_IN, src_dir_fd=folder, dst_dir_fd=folder)


def remove_limit(unit: str, root: str = "") -> None:
    """Remove the drop-in, and its directory if nothing else is in it; StalePlanError if there is none."""
    if limit_of(unit, root) is None:
        raise StalePlanError(f"{unit} is not limited any more; nothing was done")
    with _opened(f"{root}{DROP_INS}") as above:
        with _opened(f"{unit}.d", above) as folder:
            _unlink(DROP_IN, folder)
        with contextlib.suppress(OSError):
            os.rmdir(f"{unit}.d", dir_fd=above)


def tell_journald(unit: str, lines_per_second: int | None, root: str = "") -> None:
    """Put the limit, or none, where journald looks for it."""
    values = {"interval": _INTERVAL_SECONDS * 1_000_000, "burst": lines_per_second}
    with _opened(f"{root}{UNITS}") as folder:
        for name, value in values.items():
            link = f"log-rate-limit-{name}:{unit}"
            if lines_per_second is None:
                _unlink(link, folder)
                continue
            aside = f".{link}.new"
            _unlink(aside, folder)
            os.symlink(str(value), aside, dir_fd=folder)
            os.rename(aside, link, src_dir_fd=folder, dst_dir_fd=folder)


async def _reload(control: HostControl) -> None:
    result = await control.run(Command(("systemctl", "daemon-reload"), timeout_seconds=_RELOAD_SECONDS))
    if result.exit_code != 0:
        raise ActionFailedError(f"systemctl daemon-reload ended with {result.exit_code}: {result.output.strip()[-300:]}")


async def _done(control: HostControl, work: Callable[[], None]) -> None:
    """Do it unless the emergency stop is set; what the system refuses is a HostError."""
    control.check_stop()
    try:
        await asyncio.to_thread(work)
    except OSError as error:
        raise HostError(f"the limit cannot be written: {error.strerror} ({error.filename})") from error


@contextlib.contextmanager
def _opened(path: str, above: int | None = None) -> Iterator[int]:
    descriptor = os.open(path, _DIRECTORY, dir_fd=above)
    try:
        if os.fstat(descriptor).st_uid not in (0, os.geteuid()):
            raise HostError(f"{path} is somebody else's; nothing was written there")
        yield descriptor
    finally:
        os.close(descriptor)


def _unlink(name: str, folder: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
