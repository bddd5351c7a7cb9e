"""Whether the files of a data set are those that are due, and hold as many rows as such do. Numbers in, words out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from zen_agents.datasets.contract import Check
from zen_agents.datasets.finding import Part, Profile
from zen_agents.datasets.measure import Measured
from zen_agents.datasets.questions import Partitions

#: So many of each kind are named.
_NAMED: Final = 5
#: So many are remembered.
MOST_PARTS: Final = 1000


def judged(asked: Partitions, rows: Mapping[str, int], before: Profile | None, now: float) -> Measured:
    """Judge the files, by path, and their numbers of rows; new ones are told, too."""
    known = {part.name: part.rows for part in before.parts} if before is not None else {}
    missing = [each for each in due(asked, now) if not any(_is(path, each) for path in rows)]
    # What comes before everything that is there was let go for its age.
    gone = [each for each in known if each not in rows and each > min(rows, default="")]
    changed = [_moved(path, count, usual) for path, count, usual in _compared(rows, known) if _is_far(asked, count, usual)]
    new = [each for each in rows if known and each not in known]
    lost = [_short(each) for each in gone]
    told = (("missing", missing), ("gone since the last good run", lost), ("rows", changed), ("new", [*map(_short, new)]))
    failed = len(missing) + len(gone) + len(changed)
    said = [f"{what}: {_some(names)}" for what, names in told if names]
    return Measured(failed, max(len(rows) + len(missing) + len(gone), 1), float(len(new)), "; ".join(said))


def parts(rows: Mapping[str, int]) -> tuple[Part, ...]:
    """Return what the next run is compared with: the last files, by name."""
    return tuple(Part(path, rows[path]) for path in sorted(rows)[-MOST_PARTS:])


def load(checks: Iterable[Check]) -> None:
    """Load what telling the time of these needs, for whoever cannot reach it any more once root was given up."""
    for each in checks:
        if isinstance(each.asks, Partitions):
            due(each.asks, 0.0)


def due(asked: Partitions, now: float) -> Sequence[str]:
    """Return the names of the files that have to be there, the latest first; () where nothing is said of when."""
    if not asked.name:
        return ()
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only where files are due by a calendar

    start = _begin(datetime.fromtimestamp(now - asked.within_seconds, ZoneInfo(asked.time_zone)), asked.every)
    found = []
    for _ in range(asked.last):
        start = _begin(start - timedelta(minutes=1), asked.every)
        found.append(start.strftime(asked.name))
    return found


def _begin(moment: datetime, every: str) -> datetime:
    """Return when the period began that a moment is in."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    match every:
        case "hour":
            return hour
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
    return day.replace(day=1)


def _is(path: str, name: str) -> bool:
    return path == name or path.endswith(f"/{name}")


def _compared(rows: Mapping[str, int], known: Mapping[str, int]) -> Iterator[tuple[str, int, int]]:
    """Yield each file with its number of rows and that to compare it with: its own of last time, else the usual one."""
    usual = sorted(known.values())[len(known) // 2] if known else 0
    yield from ((path, count, known.get(path, usual)) for path, count in rows.items() if known)


def _is_far(asked: Partitions, count: int, usual: int) -> bool:
    change = (count - usual) / usual if usual else float(count > 0)
    return (asked.fall is not None and -change > asked.fall) or (asked.growth is not None and change > asked.growth)


def _moved(path: str, count: int, usual: int) -> str:
    return f"{_short(path)} has {count:,}, before {usual:,}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _short(path: str) -> str:
    return path.rpartition("/")[2]
