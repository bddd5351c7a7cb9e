"""Times as people type and read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from zen_agents.errors import UsageError
from zen_agents.model.duration import duration

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
#: No duration is longer than this (seconds): ten years.
_LONGEST = 315_360_000.0


def seconds_of(text: str) -> float:
    """Return the seconds of a duration such as 90s, 5m, 2h or 7d. UsageError for anything else."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([smhd])", text.strip())
    if match is None or (seconds := float(match[1]) * _UNITS[match[2]]) > _LONGEST:
        raise UsageError(f"{text!r} is no duration: write 90s, 5m, 2h or 7d")
    return seconds


def moment_of(text: str, now: datetime) -> datetime:
    """Return the moment that 1h, -2h, today, yesterday, 03:10 or an ISO time names. UsageError for anything else.

    A time without a zone is meant in this host's; a time of day is today's, or yesterday's if that is still to come.
    """
    if text in ("now", "today", "yesterday"):
        midnight = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        return {"now": now, "today": midnight, "yesterday": midnight - timedelta(days=1)}[text]
    if re.fullmatch(r"-?[0-9].*[smhd]", text):
        return now - timedelta(seconds=seconds_of(text.removeprefix("-")))
    if re.fullmatch(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?", text):
        return _time_of_day(text, now)
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.astimezone()
    except (ValueError, OverflowError):
        raise _no_time(text) from None


def time_ahead(text: str, now: datetime) -> datetime:
    """Return the moment that 2h (from now), 06:00 (the coming one) or an ISO time (also a past one) names.

    A time without a zone is meant in this host's. UsageError for anything else.
    """
    if re.fullmatch(r"[0-9.]+[smhd]", text):
        return now + timedelta(seconds=seconds_of(text))
    if re.fullmatch(r"[0-9]{1,2}:[0-9]{2}", text):
        return end_of(text, None, now)
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.astimezone()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no time: write 2h, 06:00 or 2026-01-31T06:00") from None


def end_of(text: str, zone: ZoneInfo | None, now: datetime) -> datetime:
    """Return the coming moment (UTC) that 06:00 or 2026-01-31T06:00 names in a zone; None is this host's.

    Where clocks are set it is the later one that can be meant: what is to last until then lasts in any reading. UsageError
    for a time that is past, or none.
    """
    local = now.astimezone(zone)
    days = [local.date(), local.date() + timedelta(days=1)] if re.fullmatch(r"[0-9]{1,2}:[0-9]{2}", text) else []
    try:
        shown = [datetime.fromisoformat(f"{day}T{text:0>5}") for day in days] or [datetime.fromisoformat(text)]
        ends = [_last_reading(each, zone) for each in shown]
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no time: write 06:00 or 2026-01-31T06:00") from None
    coming = next((end for end in ends if end > now), None)
    if coming is None:
        raise UsageError(f"{text} is past; it is {local:%Y-%m-%d %H:%M} there now")
    return coming


def _last_reading(shown: datetime, zone: ZoneInfo | None) -> datetime:
    if shown.tzinfo is not None:
        return shown.astimezone(UTC)
    folds = (shown.replace(fold=fold) for fold in (0, 1))
    return max((each.replace(tzinfo=zone) if zone else each).astimezone(UTC) for each in folds)


def _time_of_day(text: str, now: datetime) -> datetime:
    hour, minute, second, *_ = (*(int(part) for part in text.split(":")), 0)
    try:
        moment = now.astimezone().replace(hour=hour, minute=minute, second=second, microsecond=0)
    except ValueError:
        raise _no_time(text) from None
    return moment - timedelta(days=1) if moment > now else moment


def _no_time(text: str) -> UsageError:
    return UsageError(f"{text!r} is no time: write 1h, -2h, 03:10, today, yesterday or 2026-01-31T03:00")


def ago(seconds: float | None) -> str:
    """Return an age for people, - for none."""
    return "-" if seconds is None else duration(seconds)


def took(seconds: float) -> str:
    """Return how long something took: 110 ms, 3.1 s, 2 min 40 s."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)
