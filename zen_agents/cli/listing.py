"""What the commands that list share: the time span, following, finding by prefix."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.cli.call import Call
from zen_agents.cli.status import seconds_of
from zen_agents.clock import SystemClock
from zen_agents.errors import UsageError

#: How often `-f` looks (seconds).
FOLLOW_EVERY = 0.5


def add_span(parser: argparse.ArgumentParser, *, default: str = "7d") -> None:
    """Add --since, --limit and -f."""
    parser.add_argument("--since", metavar="TIME", default=default, help=f"1h, -2h, yesterday or ISO (default {default})")
    parser.add_argument("--limit", metavar="N", type=int, default=200, help="at most this many (default 200)")


def since_steady(call: Call, store: SqliteStore, *, now: datetime | None = None) -> float:
    """Return --since on the steady timeline of this state."""
    wall = since_wall(call.arguments.since, now or datetime.now(UTC))
    clock = SystemClock(store.anchor())
    present = clock.now()
    return present.steady - max(0.0, (present.wall - wall).total_seconds())


def since_wall(text: str, now: datetime) -> datetime:
    """Return the moment that 1h, -2h, yesterday, today or an ISO time names. UsageError for anything else."""
    if text in ("today", "yesterday"):
        midnight = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - timedelta(days=1 if text == "yesterday" else 0)
    if re.fullmatch(r"-?\d+(\.\d+)?\s*[smhd]", text):
        return now - timedelta(seconds=seconds_of(text.lstrip("-")))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no time: write 1h, -2h, today, yesterday or 2026-01-31T03:00") from None
    return moment if moment.tzinfo else moment.astimezone()


def find(store: SqliteStore, id: str, kind: str) -> str:
    """Return the one id that starts with `id`; @last is the newest. UsageError if there is none, or more than one."""
    if id == "@last":
        newest = store.incidents(limit=1) if kind == "inc" else store.actions(limit=1)
        if not newest:
            raise UsageError("nothing has happened yet")
        return newest[0].id
    wanted = id if "-" in id else f"{kind}-{id}"
    found = [one for one in store.find_ids(wanted) if one.startswith(f"{kind}-")]
    if len(found) != 1:
        raise UsageError(f"{id!r} names {len(found) or 'nothing'}" + (f": {', '.join(found[:8])}" if found else ""))
    return found[0]


def follow(show: Callable[[], None]) -> None:
    """Show again and again until interrupted."""
    while True:
        show()
        time.sleep(FOLLOW_EVERY)


def matching(value: str, wanted: str | None) -> bool:
    """Tell whether a value is in a comma list; no list matches everything."""
    return wanted is None or value in {one.strip() for one in wanted.split(",")}


def names(call: Call, ids: Iterable[str]) -> bool:
    """Print bare ids if `-o name` was asked for; True if it did."""
    if call.output != "name":
        return False
    for id in ids:
        print(id)
    return True
