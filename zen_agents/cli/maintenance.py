"""Planned work: which windows there are, and start or end one now. Checks go on in every window.

Examples:
  zen-agents maintenance                            the next openings of each, in its zone and in UTC; what is open first
  zen-agents maintenance start disks --for 2h --reason "new disks"
  zen-agents maintenance start move --until 06:00 --timezone Europe/Berlin --effect observe --reason "moving racks"
  zen-agents maintenance end disks

Effects: no_actions (told, not acted), no_alerts (acted, not told), observe (neither). An unknown outcome, safe mode, the
emergency stop and a question to people are told in any window.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.options import config_of
from zen_agents.cli.outcome import tell
from zen_agents.cli.render import note, table
from zen_agents.cli.times import ago, end_of, seconds_of
from zen_agents.clock import Instant, SystemClock
from zen_agents.errors import NotRunningError, UsageError, ZenError
from zen_agents.guards.base import MaintenanceWindow
from zen_agents.guards.windows import EFFECTS, OpenWindow, forbids, started, upcoming
from zen_agents.settings.loader import load
from zen_agents.settings.policy import to_policy

#: Openings shown of each window.
_NEXT = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `maintenance` takes."""
    parser.add_argument("verb", nargs="?", choices=("list", "start", "end"), default="list")
    parser.add_argument("name", nargs="?", help="of the window; for start: a new one")
    parser.add_argument("--for", dest="for_", metavar="DURATION", help="start: how long, like 2h")
    parser.add_argument("--until", metavar="TIME", help="start: until when, like 06:00 or 2026-01-31T06:00")
    parser.add_argument("--timezone", metavar="ZONE", help="start: the zone of --until (default: this host's)")
    parser.add_argument("--effect", choices=tuple(EFFECTS), default="no_actions", help="start: default no_actions")
    parser.add_argument("--confirm", metavar="HOST", help="start: the host's name, for more than 24h")


def run(call: Call) -> int:
    """List, start or end."""
    verb = call.arguments.verb
    if verb == "list":
        return _list(call)
    if not call.arguments.name:
        raise UsageError(f"which window? write: zen-agents maintenance {verb} NAME")
    return _start(call) if verb == "start" else _end(call)


def _start(call: Call) -> int:
    wanted, now = call.arguments, SystemClock().now().wall
    if bool(wanted.for_) == bool(wanted.until):
        raise UsageError("how long? write --for 2h or --until 06:00; there is no window without an end")
    if wanted.timezone and not wanted.until:
        raise UsageError("--timezone is the zone of --until; --for needs none")
    seconds = seconds_of(wanted.for_) if wanted.for_ else (_end_asked_for(call, now) - now).total_seconds()
    result = call.ask(
        "maintenance_start", name=wanted.name, effect=wanted.effect, for_seconds=seconds, reason=call.reason(),
        confirm=wanted.confirm,
    )  # fmt: skip
    what = {"no_actions": "nothing is done, people are told", "no_alerts": "it acts, people are told afterwards",
            "observe": "nothing is done, people are told afterwards"}[result["effect"]]  # fmt: skip
    said = f"{result['name']} is open for {ago(result['for_seconds'])}: checks go on, {what}."
    return tell(call, "maintenance", result, said, f"zen-agents maintenance end {result['name']}", "zen-agents status")


def _end_asked_for(call: Call, now: datetime) -> datetime:
    zone = call.arguments.timezone
    try:
        return end_of(call.arguments.until, ZoneInfo(zone) if zone else None, now)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"there is no time zone {zone!r}; write one like Europe/Berlin") from None


def _end(call: Call) -> int:
    result = call.ask("maintenance_end", name=call.arguments.name, reason=call.reason(needed=False))
    return tell(
        call, "maintenance", result, f"{result['name']} is closed; what it held back is told now, if it is still so."
    )


def _list(call: Call) -> int:
    now, by_hand = _started(call)
    planned = _of_the_calendar(call)
    rows = [*(_by_hand(window, now) for window in by_hand), *(row for window in planned for row in _planned(window, now))]
    if call.machine:
        data(call, "maintenance", rows)
        return 0
    if not rows:
        note("no window is planned, and none is open")
        return 0
    heads = ("NAME", "STATE", "EFFECT", "BEGINS", "ENDS", "ZONE", "UTC", "WHERE")
    table(call, heads, list(_cells(rows)), spare=("WHERE", "UTC"), whole=heads[:-1])
    return 0


def _of_the_calendar(call: Call) -> Sequence[MaintenanceWindow]:
    """Return the windows of the configuration: the one that is named, else the running engine's, else the usual one."""
    path = str(config_of(call)) if call.arguments.config else _of_the_engine(call) or str(config_of(call))
    loaded = load(path, os.environ)
    return to_policy(loaded.require(), loaded, ()).maintenance


def _of_the_engine(call: Call) -> str:
    try:
        named: str = call.ask("status")["config"]["path"]
    except ZenError:
        # None runs, or none may be asked.
        return ""
    # The file, and behind it what its conf.d adds.
    return named.split(", ", maxsplit=1)[0]


def _started(call: Call) -> tuple[Instant, Sequence[OpenWindow]]:
    """Return the moment, and the windows that people started; none where there is no state yet."""
    try:
        store = call.store()
    except NotRunningError:
        return SystemClock().now(), ()
    now = call.now(store)
    return now, started(store.brakes(), now.steady)


def _by_hand(window: OpenWindow, now: Instant) -> dict[str, Any]:
    ends = now.after(window.until - now.steady).wall
    return _row(window.name, window.effect, None, ends, zone="UTC", open_=True, where=f"by {window.by}: {window.reason}")


def _planned(window: MaintenanceWindow, now: Instant) -> Iterator[dict[str, Any]]:
    open_now = forbids(window, now.wall) is not None
    for begins, ends in upcoming(window, now.wall, _NEXT):
        opened = open_now and begins <= now.wall
        yield _row(window.name, window.effect, begins, ends, zone=window.timezone, open_=opened, where=window.origin)


def _row(
    name: str, effect: str, begins: datetime | None, ends: datetime, *, zone: str, open_: bool, where: str
) -> dict[str, Any]:
    local = ZoneInfo(zone)
    return {
        "name": name, "state": "open" if open_ else "planned", "effect": effect, "timezone": zone,
        "begins_at": begins.astimezone(local).isoformat() if begins else None, "ends_at": ends.astimezone(local).isoformat(),
        "begins_at_utc": begins.astimezone(UTC).isoformat() if begins else None,
        "ends_at_utc": ends.astimezone(UTC).isoformat(), "where": where,
    }  # fmt: skip


def _cells(rows: Iterable[dict[str, Any]]) -> Iterator[tuple[object, ...]]:
    for row in rows:
        local = (datetime.fromisoformat(row[key]) if row[key] else None for key in ("begins_at", "ends_at"))
        world = (datetime.fromisoformat(row[key]) if row[key] else None for key in ("begins_at_utc", "ends_at_utc"))
        begins, ends = (f"{at:%a %d %b %H:%M}" if at else "now" for at in local)
        span = "..".join(f"{at:%H:%M}" if at else "" for at in world)
        # The whole path is for programs.
        where = PurePath(row["where"]).name if row["begins_at"] else row["where"]
        yield row["name"], row["state"], row["effect"], begins, ends, row["timezone"], span, where
