"""When a maintenance window is open. The only limit that goes by the wall clock: it is a calendar's.

A person may also start one, for a length of time: that is a brake, and its end is on the steady timeline.

On the two days a year on which clocks are set, "an hour from 02:00" has more than one reading: the hour comes twice or not
at all, and its length can be elapsed time or what the clock on the wall shows. A window that forbids lasts from the first
to the last moment of any reading, one that permits (`only_in`) holds where all readings agree: the doubt never acts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.guards.base import MaintenanceWindow
from zen_agents.ports.store import Brake

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: Effect of a window -> whether it forbids acting.
EFFECTS = {"no_actions": True, "observe": True, "no_alerts": False}
#: Effects that hold messages back.
MUTING = frozenset({"no_alerts", "observe"})
#: What a window that a person started is as a brake: its kind ends in the effect, its scope names it.
STARTED, SCOPE = "maintenance_", "window:"
#: How far ahead an opening is looked for (days): a leap day's window comes within eight years, and none is rarer.
_FAR_DAYS = 8 * 366


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A window that is open now."""

    name: str
    effect: str
    #: Steady time at which it closes.
    until: float
    #: Where the configuration has it; "" for one that a person started.
    origin: str = ""
    by: str = ""
    reason: str = ""


def open_windows(planned: Iterable[MaintenanceWindow], brakes: Iterable[Brake], now: Instant) -> list[OpenWindow]:
    """Return the windows that are open, those of the calendar first. ValueError for one that nobody understands."""
    found = []
    for window in planned:
        if window.effect not in EFFECTS:
            raise ValueError(f"maintenance window {window.name} has the unknown effect {window.effect!r}")
        if (end := forbids(window, now.wall)) is not None:
            until = now.steady + (end - now.wall).total_seconds()
            found.append(OpenWindow(window.name, window.effect, until, window.origin))
    return found + started(brakes, now.steady)


def started(brakes: Iterable[Brake], now: float) -> list[OpenWindow]:
    """Return the windows that people started and that last."""
    return [
        OpenWindow(
            brake.scope.removeprefix(SCOPE), brake.kind.removeprefix(STARTED), brake.until, "", brake.by, brake.reason
        )
        for brake in brakes
        if brake.kind.startswith(STARTED) and brake.until is not None and brake.until > now
    ]


def upcoming(window: MaintenanceWindow, at: datetime, most: int) -> Sequence[tuple[datetime, datetime]]:
    """Return the next openings (UTC) of a window, from their first to their last moment, one that is open first."""
    return list(islice(_coming(window, at), most))


def _coming(window: MaintenanceWindow, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    zone, lasts = ZoneInfo(window.timezone), timedelta(seconds=window.duration_seconds)
    first = at.astimezone(zone).date() - timedelta(days=lasts.days + 2)
    for ahead in range(_FAR_DAYS):
        day = first + timedelta(days=ahead)
        if not window.days or DAYS[day.weekday()] in window.days:
            starts, ends = _of_day(datetime.combine(day, window.start), zone, lasts)
            if max(ends) > at:
                yield min(starts), max(ends)


def forbids(window: MaintenanceWindow, at: datetime) -> datetime | None:
    """Return when a forbidding window that is open at this moment closes (UTC), None if it is not open."""
    readings = [(min(starts), max(ends)) for starts, ends in _openings(window, at)]
    return max((end for start, end in readings if start <= at < end), default=None)


def permits(window: MaintenanceWindow, at: datetime) -> bool:
    """Tell whether a permitting window is open at this moment beyond doubt."""
    return any(max(starts) <= at < min(ends) for starts, ends in _openings(window, at))


def _openings(window: MaintenanceWindow, at: datetime) -> Iterator[tuple[tuple[datetime, ...], tuple[datetime, ...]]]:
    """Yield all readings of the start and of the end (UTC) of each opening that could last at this moment."""
    unknown = window.days - set(DAYS)
    if unknown:
        raise ValueError(f"maintenance window {window.name} names the unknown day {min(unknown)}")
    zone, lasts = ZoneInfo(window.timezone), timedelta(seconds=window.duration_seconds)
    today = at.astimezone(zone).date()
    for back in range(-1, lasts.days + 3):
        day = today - timedelta(days=back)
        if not window.days or DAYS[day.weekday()] in window.days:
            yield _of_day(datetime.combine(day, window.start), zone, lasts)


def _of_day(begins: datetime, zone: ZoneInfo, lasts: timedelta) -> tuple[tuple[datetime, ...], tuple[datetime, ...]]:
    starts = _readings(begins, zone)
    return starts, (*(start + lasts for start in starts), *_readings(begins + lasts, zone))


def _readings(shown: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return both moments (UTC) that a time on the wall can mean; they differ only around a switch."""
    first, second = (shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first, second
