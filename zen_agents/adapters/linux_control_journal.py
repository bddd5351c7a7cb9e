"""The rate limit of one unit: a drop-in below /run, and the word of it that journald reads at once.

systemd tells journald a unit's limit in two links below /run/systemd/units when the unit starts, and a reload does not tell
it anew (seen with systemd 252). The engine writes what systemd would write at the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from zen_agents.adapters.linux_view_journal import BURST, DROP_IN, DROP_INS, UNITS, limit_of
from zen_agents.adapters.linux_view_reading import read_regular_file
from zen_agents.adapters.linux_view_units import span_seconds
from zen_agents.errors import ActionFailedError, HostError, StalePlanError
from zen_agents.ports.host import HostControl
from zen_agents.ports.host_commands import Command

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_INTERVAL_SECONDS, _RELOAD_SECONDS = 1, 30.0
#: How a unit and journald's configuration call the two halves of a limit, and where the latter has drop-ins.
_OF_UNIT, _OF_JOURNALD = ("LogRateLimitIntervalUSec", "LogRateLimitBurst"), ("RateLimitIntervalSec", "RateLimitBurst")
_HOMES = ("/usr/lib", "/run", "/etc")
_TEXT = f"""# Written by zen-agents: this unit flooded the journal. Gone at the next boot, or by: zen-agents undo.
[Service]
LogRateLimitIntervalSec={_INTERVAL_SECONDS}s
{BURST}"""


class Limit(NamedTuple):
    """So many lines in so many seconds; no seconds mean no limit."""

    seconds: float
    lines: int


#: What journald has without a configuration.
_BY_ITSELF = Limit(30.0, 10_000)


async def limit(control: HostControl, unit: str, lines_per_second: int, root: str = "") -> None:
    """Limit a unit, for what runs as well; StalePlanError if it is so already, HostError if that cannot be written."""
    await _done(control, lambda: write_limit(unit, lines_per_second, root))
    await _reload(control)
    await _done(control, lambda: tell_journald(unit, Limit(_INTERVAL_SECONDS, lines_per_second), root))


async def lift(control: HostControl, unit: str, root: str = "") -> None:
    """Take the limit of a unit away; StalePlanError if there is none.

    journald keeps what it was told last, so it is told what holds without the engine: the unit's own limit, or its own.
    """
    await _done(control, lambda: remove_limit(unit, root))
    await _reload(control)
    own = await _limit_of_unit(control, unit)
    holds = own if own is not None else await asyncio.to_thread(journald_limit, root)
    await _done(control, lambda: tell_journald(unit, holds, root))


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


async def _limit_of_unit(control: HostControl, unit: str) -> Limit | None:
    """Return what the unit says itself, None if it says nothing."""
    argv = ("systemctl", "show", f"--property={','.join(_OF_UNIT)}", "--", unit)
    result = await control.run(Command(argv, timeout_seconds=_RELOAD_SECONDS))
    said = dict(line.partition("=")[::2] for line in result.output.splitlines())
    limit = _limit(*(said.get(name, "") for name in _OF_UNIT))
    return limit if limit is not None and limit.seconds > 0 else None


def journald_limit(root: str = "") -> Limit:
    """Return journald's own limit: of its configuration the last word counts, else what it has by itself."""
    files = [Path(f"{root}/etc/systemd/journald.conf")]
    drop_ins = [file for home in _HOMES for file in Path(f"{root}{home}/systemd/journald.conf.d").glob("*.conf")]
    said: dict[str, str] = {}
    for file in [*files, *sorted(drop_ins, key=lambda file: file.name)]:
        read = read_regular_file(str(file), limit=65536)
        lines = read[0].decode("utf-8", "replace").splitlines() if read is not None else []
        said |= {name.strip(): value.strip() for name, equals, value in (line.partition("=") for line in lines) if equals}
    by_itself = (_BY_ITSELF.seconds, _BY_ITSELF.lines)
    interval, burst = (said.get(name, str(value)) for name, value in zip(_OF_JOURNALD, by_itself, strict=True))
    return _limit(interval, burst) or _BY_ITSELF


def _limit(interval: str, burst: str) -> Limit | None:
    """Return a limit as systemd writes it, None for anything else."""
    try:
        # A number without a unit is seconds.
        seconds = float(interval) if interval.replace(".", "", 1).isdigit() else span_seconds(interval)
    except ValueError:
        return None
    return Limit(seconds, int(burst)) if burst.isascii() and burst.isdigit() and isfinite(seconds) else None


def tell_journald(unit: str, limit: Limit, root: str = "") -> None:
    """Put a limit where journald looks for it."""
    values = {"interval": round(limit.seconds * 1e6), "burst": limit.lines}
    with _opened(f"{root}{UNITS}") as folder:
        for name, value in values.items():
            link = f"log-rate-limit-{name}:{unit}"
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
