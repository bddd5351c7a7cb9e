"""Quantities as a person writes them, and back: durations, sizes, percentages and times of day.

Durations become `timedelta`, sizes bytes, percentages floats from 0 to 100, times of day `datetime.time`.
"""

from __future__ import annotations

import re
from datetime import time, timedelta

from zen_agents.model.refusals import refuse, shown

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+", re.ASCII)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)", re.ASCII)
_BYTES = {
    "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", re.ASCII)
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?", re.ASCII)
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%", re.ASCII)
_LONGEST = timedelta(days=3660)
_LARGEST = 2**60


def parse_duration(value: object) -> timedelta:
    """Return the duration that `30s`, `5m`, `2h`, `7d` or `1h30m` says; a bare number is refused."""
    if isinstance(value, timedelta):
        return value
    text = _text_of(value)
    if _NUMBER.fullmatch(text):
        raise refuse("unit", f"needs a unit, got `{text}`", label=f"{text}s, {text}m or {text}h?")
    if not _DURATION.fullmatch(text):
        raise refuse("unit", f"is a duration like 30s, 5m, 2h or 7d, got `{text}`")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(text))
    if seconds > _LONGEST.total_seconds():
        raise refuse("range", f"is at most ten years, got `{text}`")
    return timedelta(seconds=seconds)


def parse_interval(value: object) -> timedelta:
    """Return a duration, where a bare number means seconds (only for keys of the short form)."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not 0 <= value <= _LONGEST.total_seconds():
            raise refuse("range", f"is a number of seconds of at most ten years, got {value}")
        return timedelta(seconds=value)
    return parse_duration(value)


def format_duration(value: timedelta) -> str:
    """Return the duration as one would write it: `90s`, `5m`, `1d`."""
    milliseconds = round(value.total_seconds() * 1000)
    if milliseconds % 1000:
        return f"{milliseconds}ms"
    seconds = milliseconds // 1000
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def parse_size(value: object) -> int:
    """Return the bytes that `512MiB` or `2GB` says; a bare number is refused."""
    text = _text_of(value)
    if _NUMBER.fullmatch(text):
        raise refuse("unit", f"needs a unit, got `{text}`", label=f"{text}KiB, {text}MiB or {text}GiB?")
    match = _SIZE.fullmatch(text)
    if not match:
        raise refuse("unit", f"is a size like 512KiB, 50MiB or 2GiB, got `{text}`")
    unit = match[2]
    if unit not in _BYTES:
        near = next((name for name in _BYTES if name.lower() in (unit.lower(), unit.lower() + "b", unit.lower() + "ib")), "")
        raise refuse(
            "unit", f"has the unknown unit `{unit}`: one of {', '.join(_BYTES)}", suggest=near and f"{match[1]}{near}"
        )
    if (size := float(match[1]) * _BYTES[unit]) > _LARGEST:
        raise refuse("range", f"is at most 1 EiB, got `{text}`")
    return round(size)


def format_size(value: int) -> str:
    """Return the size in the largest binary unit that needs no fraction: `50MiB`."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if value and value % _BYTES[unit] == 0:
            return f"{value // _BYTES[unit]}{unit}"
    return f"{value}B"


def parse_percent(value: object) -> float:
    """Return the number that `80%` says; a bare number is refused, since sizes stand beside percentages."""
    text = _text_of(value)
    if _NUMBER.fullmatch(text):
        raise refuse("unit", f"needs a unit, got `{text}`", label=f"{text}%?")
    match = _PERCENT.fullmatch(text)
    if not match:
        raise refuse("unit", f"is a percentage like 80%, got `{text}`")
    if not 0 <= (number := float(match[1])) <= 100:
        raise refuse("percent_range", f"is a percentage from 0 to 100, got {match[1]}")
    return number


def parse_threshold(value: object) -> float:
    """Return a percentage from 1 to 100, with or without the sign."""
    number: float
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value)
    elif isinstance(value, str) and (match := _PERCENT.fullmatch(value)):
        number = float(match[1])
    else:
        raise refuse("percent_range", f"is a percentage from 1 to 100, got `{shown(value)}`")
    if 1 <= number <= 100:
        return number
    raise refuse("percent_range", f"is a percentage from 1 to 100, got {number:g}", suggest=_meant(number))


def format_percent(value: float) -> str:
    """Return the percentage with its sign, without needless digits: `80%`."""
    return f"{value:g}%"


def parse_time_of_day(value: object) -> time:
    """Return the time of day that `"22:00"` says."""
    if isinstance(value, time):
        return value
    if isinstance(value, str) and (match := re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", value, re.ASCII)):
        return time(int(match[1]), int(match[2]))
    raise refuse("time_of_day", f"is a time of day from 00:00 to 23:59, got `{shown(value)}`")


def _text_of(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise refuse("unit", f"is a number with a unit, got `{shown(value)}`")
    return value.strip() if isinstance(value, str) else f"{value}"


def _meant(number: float) -> str:
    """Return the percentage that was probably meant: a fraction, or a digit too many."""
    for guess in (number * 100, number / 10):
        if 1 <= guess <= 100 and guess == round(guess):
            return f"{guess:g}"
    return ""
