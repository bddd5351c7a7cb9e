"""When a maintenance window is open. The only limit that goes by the wall clock: it is a calendar's.

On the two days a year on which clocks are set, "an hour from 02:00" has more than one reading: the hour comes twice or not
at all, and its length can be elapsed time or what the clock on the wall shows. A window that forbids lasts from the first
to the last moment of any reading, one that permits (`only_in`) holds where all readings agree: the doubt never acts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from zen_agents.guards.base import MaintenanceWindow

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


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
            begins = datetime.combine(day, window.start)
            starts = _readings(begins, zone)
            yield starts, (*(start + lasts for start in starts), *_readings(begins + lasts, zone))


def _readings(shown: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return both moments (UTC) that a time on the wall can mean; they differ only around a switch."""
    first, second = (shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first, second
