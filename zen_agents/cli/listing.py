"""What the commands that list share: the time span, following, finding by prefix, filters."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.cli.call import Call
from zen_agents.cli.parsing import meant, positive
from zen_agents.cli.times import moment_of
from zen_agents.clock import Instant
from zen_agents.errors import UsageError
from zen_agents.model.entry import ChainedEntry, EntryKind

#: How often `-f` looks (seconds).
FOLLOW_EVERY = 0.5
#: Entries of the ledger that are read at first, and how many times more if those do not reach.
_PAGE, _GROWTH = 500, 4
_KINDS = {"inc": "incidents", "act": "actions", "apr": "approvals", "dec": "decisions"}
#: Ids that are named where several begin alike.
_MOST_NAMED = 8


def add_span(parser: argparse.ArgumentParser, *, default: str = "7d") -> None:
    """Add --since, --until and --limit."""
    parser.add_argument(
        "--since", metavar="TIME", default=default, help=f"1h, -2h, 03:10, yesterday or ISO (default {default})"
    )
    parser.add_argument("--until", metavar="TIME", default="now", help="the same; only what was before (default now)")
    parser.add_argument("--limit", metavar="N", type=positive, default=200, help="at most this many (default 200)")


def span(call: Call, now: Instant) -> tuple[datetime, datetime]:
    """Return the wall-clock times that --since and --until name."""
    wanted = call.arguments
    since = moment_of(wanted.since, now.wall)
    until = datetime.max.replace(tzinfo=now.wall.tzinfo) if wanted.until == "now" else moment_of(wanted.until, now.wall)
    if until <= since:
        raise UsageError(f"--until {wanted.until} is not later than --since {wanted.since}")
    return since, until


def steady_of(wall: datetime, now: Instant) -> float:
    """Return a wall-clock time of the past on the steady timeline."""
    return now.steady - max(0.0, (now.wall - wall).total_seconds())


def id_of(words: Sequence[str]) -> str | None:
    """Return the id in `show ID` or `ID`; None for a bare list. UsageError for anything else."""
    if not words:
        return None
    if len(words) > 2 or (len(words) == 2 and words[0] != "show"):
        raise UsageError(f"{' '.join(words)!r} is not understood; write: show ID")
    if list(words) == ["show"]:
        raise UsageError("which one? write: show ID, or show @last")
    return words[-1]


def find(store: SqliteStore, id: str, kind: str) -> str:
    """Return the one id that starts with `id`; @last is the newest, @open the newest that is not over.

    UsageError if there is none, or more than one.
    """
    if id.startswith("@"):
        return _named(store, id, kind)
    wanted = id if re.match(r"(inc|act|apr|dec)-", id) else f"{kind}-{id}"
    found = [one for one in store.find_ids(wanted) if one.startswith(f"{kind}-")]
    if wanted in found:
        return wanted
    if len(found) > 1:
        more = ", ..." if len(found) > _MOST_NAMED else ""
        raise UsageError(f"{id!r} begins {len(found)} ids: {', '.join(found[:_MOST_NAMED])}{more}; write more of it")
    if not found:
        others = [*store.find_ids(f"{kind}-")]
        raise UsageError(f"there is no {id!r}{meant(wanted, others)}; see: zen-agents {_KINDS[kind]}")
    return found[0]


def _named(store: SqliteStore, id: str, kind: str) -> str:
    if id not in ("@last", "@open"):
        raise UsageError(f"there is no {id!r}; there are @last and @open")
    newest: Sequence[str]
    if kind == "inc":
        newest = [row.id for row in store.incidents(limit=1000) if row.opened_at and (row.is_live or id == "@last")]
    elif kind == "act":
        newest = [row.id for row in store.actions(limit=1000) if not row.kind.is_final or id == "@last"]
    elif kind == "apr":
        newest = [row.id for row in store.approvals(limit=1000) if row.state.is_open or id == "@last"]
    else:
        newest = [row.entry.id for row in store.entries(kinds=[EntryKind.DECISION], limit=1, newest_first=True)]
    if not newest:
        raise UsageError("nothing is open" if id == "@open" else "nothing has happened yet")
    return newest[0]


def recent(
    store: SqliteStore, wanted: Callable[[ChainedEntry], bool], *, kinds: Iterable[EntryKind] = (),
    since: datetime | None = None, limit: int,
) -> list[ChainedEntry]:  # fmt: skip
    """Return the newest `limit` entries that are wanted and not older than `since`, newest first.

    Entries are large: only as many are read as it takes.
    """
    kinds, size = list(kinds), max(_PAGE, limit)
    while True:
        rows = store.entries(kinds=kinds, limit=size, newest_first=True)
        young = [row for row in rows if since is None or row.entry.at.wall >= since]
        found = [row for row in young if wanted(row)][:limit]
        if len(found) == limit or len(rows) < size or len(young) < len(rows):
            return found
        size *= _GROWTH


def follow(show: Callable[[], None]) -> None:
    """Show again and again until interrupted."""
    while True:
        show()
        time.sleep(FOLLOW_EVERY)


def one_of(wanted: str | None, known: Iterable[str], what: str) -> frozenset[str]:
    """Return the words of a comma list, empty for no list. UsageError names what was meant by one that is not known."""
    words = frozenset(word.strip() for word in (wanted or "").split(",") if word.strip())
    names = [str(name) for name in known]
    for word in sorted(words.difference(names)):
        raise UsageError(f"there is no {what} {word!r}{meant(word, names)}; there are: {', '.join(names)}")
    return words


def matching(value: str, wanted: str | None) -> bool:
    """Tell whether a value is in a comma list; no list matches everything, `web` matches `service:web`."""
    if wanted is None:
        return True
    words = {one.strip() for one in wanted.split(",")}
    return value in words or value.partition(":")[2] in words
